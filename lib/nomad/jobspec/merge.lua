--- merge: one job laid over another. Objects and maps are merged field by field, lists of what has a name (groups,
--- tasks, services, ports …) element by element; any other list takes the place of the one before. null deletes.

local json = require "host.json"
local kinds = require "nomad.jobspec.kinds"
local names = require "nomad.jobspec.names"
local schema = require "nomad.jobspec.schema"

local merge = {}

--- In an element of a list: it is to be deleted. No field of a job can have this name.
merge.DELETED = "\0deleted"

-- A copy without what is null, and without elements that are deleted.
local function clean(value)
  if type(value) ~= "table" then
    return value
  end
  local result = {}
  if json.is_array(value) then
    for _, item in ipairs(value) do
      if not (type(item) == "table" and item[merge.DELETED]) then
        result[#result + 1] = clean(item)
      end
    end
    return json.array(result)
  end
  for key, item in pairs(value) do
    if item ~= json.null then
      result[key] = clean(item)
    end
  end
  return result
end

local merge_value

local function merge_named(object, base, over)
  local places = names.places(object, base)
  if not places or not names.places(object, over) then
    return clean(over)
  end
  local field, deleted = names.field(object), {}
  local result = clean(base)
  for _, item in ipairs(over) do
    local at = places[item[field]]
    if item[merge.DELETED] then
      deleted[item[field]] = true
    elseif at then
      result[at] = merge_value("object", object, base[at], item)
    else
      result[#result + 1] = clean(item)
    end
  end
  for i = #result, 1, -1 do
    if deleted[result[i][field]] then
      table.remove(result, i)
    end
  end
  return result
end

-- Keys of a map of somebody's own: of is what its values are, nil inside an `any`.
local function merge_map(of, base, over)
  local result = clean(base)
  for key, item in pairs(over) do
    if item == json.null then
      result[key] = nil
    elseif base[key] == nil then
      result[key] = clean(item)
    else
      result[key] = merge_value(schema.objects[of or ""] and "object" or "any", of, base[key], item)
    end
  end
  return result
end

local function merge_object(object, base, over)
  local result = clean(base)
  for key, item in pairs(over) do
    local field = object.by_name[key:lower()]
    if item == json.null then
      result[key] = nil
    elseif base[key] == nil or not field then
      result[key] = clean(item)
    else
      result[key] = merge_value(field.type, field.of, base[key], item)
    end
  end
  return result
end

function merge_value(type_name, of, base, over)
  if type(base) ~= "table" or type(over) ~= "table" then
    return clean(over)
  elseif type_name == "list" then
    return merge_named(of, base, over)
  elseif not (kinds.is_object(base) and kinds.is_object(over)) then
    return clean(over)
  elseif type_name == "object" then
    return merge_object(schema.objects[of], base, over)
  end
  return merge_map(type_name == "map" and of or nil, base, over)
end

--- A new job. Both have JSON's names.
---@param base table
---@param over table
---@return table
function merge.jobs(base, over)
  return merge_value("object", "Job", base, over)
end

return merge
