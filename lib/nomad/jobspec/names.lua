--- names: which element of a list is which: by what a list's elements are told apart, for merging and for comparing.

local schema = require "nomad.jobspec.schema"

local names = {}

--- Objects without a label that have a name of their own all the same.
local NAMED = { Service = "Name", ServiceCheck = "Name", WorkloadIdentity = "Name" }

--- What an element is told by where it has no name: the first of these fields that has a value, or all of them.
local IDENTITY = {
  Template = { "DestPath" },
  TaskArtifact = { "GetterSource", "RelativeDest" },
  VolumeMount = { "Destination" },
  Constraint = { "LTarget", "Operand" },
  Affinity = { "LTarget", "Operand" },
  Spread = { "Attribute" },
  ScalingPolicy = { "Type" },
  ConsulUpstream = { "DestinationName" },
  ConsulExposePath = { "Path" },
  ConsulIngressListener = { "Port" },
  ConsulIngressService = { "Name" },
  ConsulLinkedService = { "Name" },
  JobUILink = { "Label" },
  MultiregionRegion = { "Name" },
}

--- The field that names an object in its list: "Name", "Label"; nil where it has none.
---@param object? string name of the object
---@return string?
function names.field(object)
  local found = schema.objects[object or ""]
  if not found then
    return nil
  end
  for _, field in ipairs(found.fields) do
    if field.kind == "label" and field.name ~= "ExtraKeysHCL" then
      return field.name
    end
  end
  return NAMED[object]
end

local function joined(element, fields)
  local parts = {}
  for _, field in ipairs(fields) do
    local value = element[field]
    if type(value) == "string" or type(value) == "number" then
      parts[#parts + 1] = tostring(value)
    end
  end
  local text = table.concat(parts, " ")
  return text ~= "" and text or nil
end

-- Every element by its name; nil where one has none, or two have the same.
local function keyed(list, fields)
  local found = {}
  for i, element in ipairs(list) do
    local key = type(element) == "table" and joined(element, fields)
    if not key or found[key] then
      return nil
    end
    found[key] = i
  end
  return found
end

--- The elements' places by name.
---@param object? string what the list holds
---@param list table[]
---@return table<string, integer>? nil where they cannot be told apart by name
function names.places(object, list)
  local field = names.field(object)
  return field and keyed(list, { field })
end

--- The elements' places by whatever tells them apart.
---@param object? string what the list holds
---@param list table[]
---@return table<string, integer>? nil: only their place does
function names.identities(object, list)
  local field = names.field(object)
  local fields = field and { field } or IDENTITY[object or ""]
  return fields and keyed(list, fields)
end

return names
