--- Where the tables of a job lie. Rules name the table that is wrong; its path is looked for only when there is an
--- error to tell, so that a valid job pays nothing for paths.

local schema = require "nomad.jobspec.schema"

local places = {}

--- What a problem is in: a table of the job (nil: the job itself), or a field's name, a list's index (from 1) or a
--- map's key below another place, for what the job does not have.
---@alias jobspec.Place table|jobspec.Step

---@class jobspec.Step
---@field up jobspec.Place?
---@field key string|integer

local visit

--- Goes over the tables of a list or a map.
local function visit_elements(found, value, step, inner)
  for key, item in next, value do
    if type(item) == "table" then
      visit(found, inner, item, { up = step, key = key })
    end
  end
end

--- Notes a table's step, and those of the tables below it.
function visit(found, of, value, step)
  found.twice = found.twice or found.steps[value] ~= nil
  found.steps[value] = step
  for key, item in next, value do
    local field = type(item) == "table" and of.exact[key]
    if field then
      local inner, below = schema.objects[field.of], { up = step, key = key }
      if inner and field.type == "object" then
        visit(found, inner, item, below)
      else
        found.twice = found.twice or found.steps[item] ~= nil
        found.steps[item] = below
      end
      if inner and field.type ~= "object" then
        visit_elements(found, item, below, inner)
      end
    end
  end
end

--- The step of each table of a job, and whether one stands in two places.
---@param job table clean
---@return table<table, jobspec.Step>
---@return boolean twice
function places.of(job)
  local found = { steps = {}, twice = false }
  visit(found, schema.objects.Job, job, {})
  return found.steps, found.twice
end

--- A copy in which no table stands in two places.
---@param value any clean
---@return any
function places.apart(value)
  if type(value) ~= "table" then
    return value
  end
  local copy = setmetatable({}, getmetatable(value))
  for key, item in next, value do
    copy[key] = places.apart(item)
  end
  return copy
end

--- The keys that lead to a field of a place, from the job down.
---@param steps table<table, jobspec.Step> what `of` gave
---@param place jobspec.Place?
---@param last string|integer|nil
---@return (string|integer)[]
function places.keys(steps, place, last)
  local keys, count = {}, 0
  local at = place and steps[place] or place
  while at and at.key do
    count = count + 1
    keys[count] = at.key
    at = at.up
    at = at and steps[at] or at
  end
  for i = 1, count // 2 do
    keys[i], keys[count + 1 - i] = keys[count + 1 - i], keys[i]
  end
  keys[count + 1] = last
  return keys
end

return places
