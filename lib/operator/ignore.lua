--- ignore: fields of a child that a policy leaves to somebody else, an autoscaler for one. They are not compared, they
--- are no part of the digest, and a write keeps what is live.

local json = require "host.json"
local kinds = require "nomad.jobspec.kinds"
local paths = require "operator.paths"

local ignore = {}

local keep_value

-- Elements that are live too, by name or by place.
local function keep_list(want, have, path, patterns)
  local names = paths.by_name(want)
  local live = names and paths.by_name(have)
  local result = json.array({})
  for i, item in ipairs(want) do
    local name = live and item.Name or i
    result[i] = keep_value(item, (live or have)[name], paths.element(path, name), patterns)
  end
  return result
end

local function keep_fields(want, have, path, patterns)
  local result = {}
  for name, value in pairs(want) do
    local below = paths.field(path, name)
    if not paths.match(patterns, below) then
      result[name] = keep_value(value, have[name], below, patterns)
    end
  end
  for name, value in pairs(have) do
    local below = paths.field(path, name)
    if paths.match(patterns, below) then
      result[name] = value
    elseif want[name] == nil and kinds.is_object(value) then
      local kept = keep_fields({}, value, below, patterns)
      result[name] = next(kept) ~= nil and kept or nil
    end
  end
  return result
end

function keep_value(want, have, path, patterns)
  if kinds.is_list(want) and kinds.is_list(have) then
    return keep_list(want, have, path, patterns)
  elseif kinds.is_object(want) and kinds.is_object(have) then
    return keep_fields(want, have, path, patterns)
  end
  return want
end

--- The wanted job with the live values of what is ignored. A group or task that is not live yet is as it is wanted.
---@param want table desired job
---@param have table live job
---@param patterns string[] of paths.compile
---@return table want itself where nothing is ignored
function ignore.keep(want, have, patterns)
  if #patterns == 0 then
    return want
  end
  return keep_fields(want, have, "", patterns)
end

local function without(value, path, patterns)
  if type(value) ~= "table" then
    return value
  elseif kinds.is_list(value) then
    local names = paths.by_name(value)
    local result = json.array({})
    for i, item in ipairs(value) do
      result[i] = without(item, paths.element(path, names and item.Name or i), patterns)
    end
    return result
  end
  local result = {}
  for name, field in pairs(value) do
    local below = paths.field(path, name)
    if not paths.match(patterns, below) then
      result[name] = without(field, below, patterns)
    end
  end
  return result
end

--- The job without what is ignored: what the digest is made of.
---@param job table
---@param patterns string[] of paths.compile
---@return table job itself where nothing is ignored
function ignore.strip(job, patterns)
  if #patterns == 0 then
    return job
  end
  return without(job, "", patterns)
end

return ignore
