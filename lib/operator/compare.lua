--- compare: does a live job have every value that the desired one sets? Nomad fills in defaults, so only what is set
--- counts; groups, tasks and services are matched by their names; nothing, zero and empty are the same.

local json = require "host.json"
local kinds = require "nomad.jobspec.kinds"
local paths = require "operator.paths"

local compare = {}

---@class operator.Difference
---@field path string "TaskGroups[backup].Tasks[dump].Env.TARGET"
---@field want any
---@field have any
---@field text? string what to say instead

--- Short names for what people change most.
local LABELS = { ["Periodic.Spec"] = "cron", ["Periodic.TimeZone"] = "time zone" }

local differ

local function differ_list(want, have, path, patterns)
  if not kinds.is_list(have) or #want ~= #have then
    return { path = path, want = want, have = have }
  end
  local names = paths.by_name(want)
  local live = names and paths.by_name(have)
  for i, item in ipairs(want) do
    local name = live and item.Name or i
    local difference = differ(item, (live or have)[name], paths.element(path, name), patterns)
    if difference then
      return difference
    end
  end
  return nil
end

local function differ_fields(want, have, path, patterns)
  local names = {}
  for name in pairs(want) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local difference = differ(want[name], have[name], paths.field(path, name), patterns)
    if difference then
      return difference
    end
  end
  return nil
end

function differ(want, have, path, patterns)
  if paths.match(patterns, path) or (kinds.is_zero(want) and kinds.is_zero(have)) then
    return nil
  elseif type(want) ~= "table" then
    if want ~= have then
      return { path = path, want = want, have = have }
    end
    return nil
  elseif kinds.is_list(want) then
    return differ_list(want, have, path, patterns)
  elseif type(have) ~= "table" or kinds.is_list(have) then
    return { path = path, want = want, have = have }
  end
  return differ_fields(want, have, path, patterns)
end

--- The first value that `want` sets and `have` lacks, in order of the paths.
---@param want table desired job
---@param have table live job
---@param ignored? string[] of paths.compile: what is somebody else's
---@return operator.Difference?
function compare.first_difference(want, have, ignored)
  return differ(want, have, "", ignored or {})
end

local function short(value)
  if value == nil or value == json.null then
    return "nothing"
  elseif type(value) == "table" then
    value = json.encode(value, { sorted = true })
  end
  local text = tostring(value)
  return #text > 40 and (text:sub(1, 37) .. "…") or text
end

--- One line for the transcript: "cron @daily → @hourly".
---@param difference operator.Difference
---@return string
function compare.describe(difference)
  if difference.text then
    return difference.text
  end
  return ("%s %s → %s"):format(
    LABELS[difference.path] or difference.path,
    short(difference.have),
    short(difference.want)
  )
end

return compare
