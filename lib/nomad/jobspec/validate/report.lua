--- What validation found: each problem with its path, in the order of the schema whatever the order of finding.

local common = require "nomad.jobspec.validate.common"
local schema = require "nomad.jobspec.schema"

local report = {}

---@class jobspec.Problem
---@field path string "TaskGroups[0].Tasks[1].Resources.CPU"; "" is the job itself. Indexes count from 0, as in JSON.
---@field message string what is wrong and what is allowed
---@field level "error"|"warning"

--- A place in the job: a field's name, a list's index (from 1) or a map's key, below another place.
---@class jobspec.Place
---@field up jobspec.Place?
---@field key string|integer

---@class jobspec.Report
---@field private found table[]
local Report = {}
Report.__index = Report

---@return jobspec.Report
function report.new()
  -- `want` is asked for some fifty times for each task: it is at hand.
  return setmetatable({ found = {}, want = Report.want }, Report)
end

---@param up jobspec.Place?
---@param key string|integer
---@return jobspec.Place
function report.place(up, key)
  return { up = up, key = key }
end

local function keys_of(place, last)
  local keys, count = {}, 0
  local at = place
  while at do
    count = count + 1
    keys[count] = at.key
    at = at.up
  end
  for i = 1, count // 2 do
    keys[i], keys[count + 1 - i] = keys[count + 1 - i], keys[i]
  end
  keys[count + 1] = last
  return keys
end

--- A message from its format; %t is a number of nanoseconds, shown as a duration.
local function message_of(text, ...)
  local values, i = table.pack(...), 0
  text = text:gsub("%%(.)", function(directive)
    i = i + (directive == "%" and 0 or 1)
    if directive == "t" then
      values[i] = common.duration(values[i])
      return "%s"
    end
  end)
  return text:format(table.unpack(values, 1, values.n))
end

function Report:add(level, place, field, text, ...)
  local message = select("#", ...) > 0 and message_of(text, ...) or text
  local number = #self.found + 1
  self.found[number] = {
    keys = keys_of(place, field),
    message = message,
    level = level,
    number = number,
  }
end

--- Notes an error. The message is a format.
---@param place jobspec.Place?
---@param field string|integer? below the place
---@param text string
function Report:err(place, field, text, ...)
  self:add("error", place, field, text, ...)
end

---@param place jobspec.Place?
---@param field string|integer?
---@param text string
function Report:warn(place, field, text, ...)
  self:add("warning", place, field, text, ...)
end

--- Notes an error unless `ok`.
---@param ok any
---@param place jobspec.Place?
---@param field string|integer?
---@param text string
---@return boolean
function Report:want(ok, place, field, text, ...)
  if not ok then
    self:add("error", place, field, text, ...)
  end
  return ok and true or false
end

--- Puts each key's rank in place of it: a field's number, an index, or a key of a map.
local function rank(keys)
  local object, inside = schema.objects.Job, nil
  local ranks = {}
  for i, key in ipairs(keys) do
    if inside then
      ranks[i] = key
      object, inside = schema.objects[inside], nil
    else
      local field = object and type(key) == "string" and object.by_name[key:lower()]
      ranks[i] = field and field.number or key
      object, inside = nil, nil
      if field and field.type == "object" then
        object = schema.objects[field.of]
      elseif field then
        inside = field.of
      end
    end
  end
  return ranks
end

local function before(a, b)
  for i = 1, math.max(#a.ranks, #b.ranks) do
    local x, y = a.ranks[i], b.ranks[i]
    if x ~= y then
      if x == nil or y == nil then
        return x == nil
      elseif type(x) ~= type(y) then
        return type(x) == "number"
      end
      return x < y
    end
  end
  return a.number < b.number
end

local function path_of(keys)
  local parts = {}
  for i, key in ipairs(keys) do
    if math.type(key) == "integer" then
      parts[#parts + 1] = ("[%d]"):format(key - 1)
    elseif tostring(key):find("^[%w_]+$") then
      parts[#parts + 1] = (i > 1 and "." or "") .. key
    else
      parts[#parts + 1] = ("[%q]"):format(key)
    end
  end
  return table.concat(parts)
end

--- All that was found, in order.
---@return jobspec.Problem[]
function Report:list()
  for _, entry in ipairs(self.found) do
    entry.ranks = rank(entry.keys)
  end
  table.sort(self.found, before)
  local list, seen = {}, {}
  for _, entry in ipairs(self.found) do
    local path = path_of(entry.keys)
    local text = path .. "\0" .. entry.message
    if not seen[text] then
      seen[text] = true
      list[#list + 1] = { path = path, message = entry.message, level = entry.level }
    end
  end
  return list
end

return report
