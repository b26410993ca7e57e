--- strict: the types that Go's JSON decoder insists on in a job, and the texts with which it refuses others.

local json = require "host.json"

local strict = {}

-- "string", "bool", "int", a Go type with "[]" or "map", or a nested struct.
local STRINGS = { "[]string", array = true }
local MAP = { "map[string]string", map = "string" }

local PERIODIC = {
  go = "api.PeriodicConfig",
  Enabled = "bool",
  ProhibitOverlap = "bool",
  Spec = "string",
  SpecType = "string",
  Specs = STRINGS,
  TimeZone = "string",
}

local RESOURCES = { go = "api.Resources", CPU = "int", Cores = "int", MemoryMB = "int" }

local TASK = {
  go = "api.Task",
  Config = { "map[string]interface {}", map = "any" },
  Driver = "string",
  Env = MAP,
  KillTimeout = "time.Duration",
  Leader = "bool",
  Meta = MAP,
  Name = "string",
  Resources = RESOURCES,
  Templates = { "[]*api.Template", array = true },
  User = "string",
}

local GROUP = {
  go = "api.TaskGroup",
  Count = "int",
  Meta = MAP,
  Name = "string",
  Networks = { "[]*api.NetworkResource", array = true },
  Services = { "[]*api.Service", array = true },
  Tasks = { "[]*api.Task", array = true, of = TASK },
}

local JOB = {
  go = "api.Job",
  AllAtOnce = "bool",
  Affinities = { "[]*api.Affinity", array = true },
  Constraints = { "[]*api.Constraint", array = true },
  CreateIndex = "uint64",
  Datacenters = STRINGS,
  ID = "string",
  JobModifyIndex = "uint64",
  Meta = MAP,
  ModifyIndex = "uint64",
  Name = "string",
  Namespace = "string",
  NodePool = "string",
  ParentID = "string",
  ParameterizedJob = { go = "api.ParameterizedJobConfig", Payload = "string" },
  Periodic = PERIODIC,
  Priority = "int",
  Region = "string",
  Spreads = { "[]*api.Spread", array = true },
  Stop = "bool",
  SubmitTime = "int64",
  TaskGroups = { "[]*api.TaskGroup", array = true, of = GROUP },
  Type = "string",
  Version = "uint64",
}

local REQUEST = {
  go = "api.JobRegisterRequest",
  EnforceIndex = "bool",
  Job = JOB,
  JobModifyIndex = "uint64",
}

local INTEGERS = { int = true, int64 = true, uint64 = true, ["time.Duration"] = true }
local LUA_TYPES = { string = "string", bool = "boolean" }

local function json_name(value)
  if type(value) == "table" then
    return json.is_array(value) and "array" or "object"
  end
  return ({ boolean = "bool", number = "number", string = "string" })[type(value)]
end

local function float_text(value)
  if value == math.floor(value) and math.abs(value) < 1e16 then
    return ("%.1f"):format(value)
  end
  return ("%.14g"):format(value)
end

local function refusal(value, go_type, at, owner)
  local what = json_name(value)
  if math.type(value) == "float" and INTEGERS[go_type] then
    what = "number " .. float_text(value)
  end
  if at == "" then
    return ("json: cannot unmarshal %s into Go value of type %s"):format(what, go_type)
  end
  local struct = owner:match "[^.]+$"
  return ("json: cannot unmarshal %s into Go struct field %s.%s of type %s"):format(
    what,
    struct,
    at,
    go_type
  )
end

local function scalar_error(value, rule, at, owner)
  if INTEGERS[rule] then
    return math.type(value) ~= "integer" and refusal(value, rule, at, owner) or nil
  end
  return type(value) ~= LUA_TYPES[rule] and refusal(value, rule, at, owner) or nil
end

local check

local function text_error(value, at, owner)
  for _, item in pairs(value) do
    if type(item) ~= "string" and item ~= json.null then
      return refusal(item, "string", at, owner)
    end
  end
end

local function list_error(value, rule, at, owner)
  if json_name(value) ~= (rule.array and "array" or "object") then
    return refusal(value, rule[1], at, owner)
  elseif rule.map == "string" or rule == STRINGS then
    return text_error(value, at, owner)
  end
  for _, item in ipairs(rule.of and value or {}) do
    local problem = check(item, rule.of, at, rule.of.go)
    if problem then
      return problem
    end
  end
end

function check(value, rule, at, owner)
  if value == json.null then
    return nil
  elseif type(rule) == "string" then
    return scalar_error(value, rule, at, owner)
  elseif not rule.go then
    return list_error(value, rule, at, owner)
  elseif json_name(value) ~= "object" then
    return refusal(value, rule.go, at, owner)
  end
  for name, inner in pairs(rule) do
    local held = value[name]
    if name ~= "go" and held ~= nil then
      local problem = check(held, inner, at == "" and name or at .. "." .. name, rule.go)
      if problem then
        return problem
      end
    end
  end
end

local function syntax_error(body)
  if body:match "^%s*[%[{\"]" then
    return "unexpected EOF"
  end
  return ("invalid character '%s' looking for beginning of value"):format(body:match "%S" or " ")
end

--- Reads a request that holds a job.
---@param body string?
---@return table? request
---@return string? error the text of the 400
function strict.request(body)
  if not body or body == "" then
    return nil, "Request body is empty"
  end
  local value = json.decode(body)
  if value == nil then
    return nil, syntax_error(body)
  end
  if value == json.null then
    value = {}
  end
  local problem = check(value, REQUEST, "", REQUEST.go)
  if problem then
    return nil, problem
  end
  return value
end

return strict
