--- identity: by what the elements of a job's lists are told apart when two jobs are compared. It goes by the names of
--- the lists alone, so that a comparison need not read the schema in.

local identity = {}

local NAME = { "Name" }
local LABEL = { "Label" }
local TARGET = { "LTarget", "Operand" }

--- By list: the fields that together say which element it is.
local FIELDS = {
  TaskGroups = NAME,
  Tasks = NAME,
  Services = NAME,
  Checks = NAME,
  Actions = NAME,
  Secrets = NAME,
  Identities = NAME,
  Devices = NAME,
  Regions = NAME,
  DynamicPorts = LABEL,
  ReservedPorts = LABEL,
  Links = LABEL,
  Constraints = TARGET,
  Affinities = TARGET,
  Spreads = { "Attribute" },
  SpreadTarget = { "Value" },
  Templates = { "DestPath" },
  Artifacts = { "GetterSource", "RelativeDest" },
  VolumeMounts = { "Destination" },
  ScalingPolicies = { "Type" },
  Upstreams = { "DestinationName" },
  Paths = { "Path" },
  Listeners = { "Port" },
}

--- Blocks as people call them: 'group "web"'.
local NOUNS = {
  TaskGroups = "group",
  Tasks = "task",
  Services = "service",
  Checks = "check",
  Actions = "action",
  Secrets = "secret",
  Identities = "identity",
  Devices = "device",
  DynamicPorts = "port",
  ReservedPorts = "port",
  Templates = "template",
  Artifacts = "artifact",
  VolumeMounts = "volume mount",
  Constraints = "constraint",
  Affinities = "affinity",
  Spreads = "spread",
  Upstreams = "upstream",
  Volumes = "volume",
  Networks = "network",
}

--- What a list, or a map, holds, for a person.
---@param list string "TaskGroups"
---@return string? noun "group"
function identity.noun(list)
  return NOUNS[list]
end

local function key_of(element, fields)
  local parts = {}
  for _, field in ipairs(fields) do
    local value = element[field]
    if (type(value) == "string" and value ~= "") or type(value) == "number" then
      parts[#parts + 1] = tostring(value)
    end
  end
  return #parts > 0 and table.concat(parts, " ") or nil
end

--- The elements by what tells them apart.
---@param list string its name
---@param elements any[]
---@return table<string, integer>? places nil: only their place tells them apart
---@return string[]? keys in the elements' order
function identity.places(list, elements)
  local fields = FIELDS[list]
  if not fields then
    return nil
  end
  local places, keys = {}, {}
  for i, element in ipairs(elements) do
    local key = type(element) == "table" and key_of(element, fields)
    if not key or places[key] then
      return nil
    end
    places[key], keys[i] = i, key
  end
  return places, keys
end

return identity
