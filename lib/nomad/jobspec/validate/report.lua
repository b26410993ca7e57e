--- What validation found: each problem with its path, in the order of the schema whatever the order of finding.

local duration = require "nomad.jobspec.duration"
local places = require "nomad.jobspec.validate.places"
local schema = require "nomad.jobspec.schema"

local report = {}

---@class jobspec.Problem
---@field path string "TaskGroups[0].Tasks[1].Resources.CPU"; "" is the job itself. Indexes count from 0, as in JSON.
---@field message string what is wrong and what is allowed
---@field level "error"|"warning"

---@class jobspec.Report
---@field private found table[]
---@field private steps table<table, jobspec.Step> where the tables lie that are no part of the job
local Report = {}
Report.__index = Report

---@return jobspec.Report
function report.new()
  return setmetatable({ found = {}, steps = {} }, Report)
end

--- A message from its format; %t is a number of nanoseconds, shown as a duration.
local function message_of(text, ...)
  local values, i = table.pack(...), 0
  text = text:gsub("%%(.)", function(directive)
    i = i + (directive == "%" and 0 or 1)
    if directive == "t" then
      values[i] = duration.short(values[i])
      return "%s"
    end
  end)
  return text:format(table.unpack(values, 1, values.n))
end

function Report:add(level, place, field, text, ...)
  local message = select("#", ...) > 0 and message_of(text, ...) or text
  local number = #self.found + 1
  self.found[number] = {
    place = place,
    field = field,
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

--- Says where a table lies that the rules look at but the job does not have, such as a task that the server will add.
---@param made table
---@param place jobspec.Step
function Report:lies(made, place)
  self.steps[made] = place
end

---@return integer
function Report:count()
  return #self.found
end

--- Forgets all but the first.
---@param count integer
function Report:forget(count)
  for i = count + 1, #self.found do
    self.found[i] = nil
  end
end

--- Looks for the paths of all that was found.
local function locate(found, made, job)
  local steps = job and places.of(job) or {}
  for table, step in pairs(made) do
    steps[table] = step
  end
  for _, entry in ipairs(found) do
    entry.keys = places.keys(steps, entry.place, entry.field)
    entry.ranks = rank(entry.keys)
  end
end

--- All that was found, in order.
---@param job table? clean: what the rules saw
---@return jobspec.Problem[]
function Report:list(job)
  local list, seen = {}, {}
  if #self.found == 0 then
    return list
  end
  locate(self.found, self.steps, job)
  table.sort(self.found, before)
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
