--- names: which element of a list is which, where jobs are laid over each other.

local schema = require "nomad.jobspec.schema"

local names = {}

--- Objects without a label that have a name of their own all the same.
local NAMED = { Service = "Name", ServiceCheck = "Name", WorkloadIdentity = "Name" }

--- The field that names an object in its list: "Name", "Label"; nil where it has none.
---@param object? string name of the object
---@return string?
function names.field(object)
  local found = schema.objects[object or ""]
  if not found then
    return nil
  end
  for _, field in ipairs(found.fields) do
    if field.kind == "label" then
      return field.name
    end
  end
  return NAMED[object]
end

--- The elements' places by name.
---@param object? string what the list holds
---@param list table[]
---@return table<string, integer>? nil where one has no name, or two have the same
function names.places(object, list)
  local field = names.field(object)
  local places = {}
  for i, element in ipairs(field and list or {}) do
    local name = type(element) == "table" and element[field]
    if type(name) ~= "string" or places[name] then
      return nil
    end
    places[name] = i
  end
  return field and places
end

return names
