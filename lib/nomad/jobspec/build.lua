--- build: jobs written in Lua. Fields may have their names in JSON (MemoryMB), in HCL (memory), or the one in JSON in
--- snake_case (memory_mb), mixed as it comes; blocks may be lists, or maps by their label: groups = { web = {…} }.

local json = require "host.json"
local duration = require "nomad.jobspec.duration"
local kinds = require "nomad.jobspec.kinds"
local merge = require "nomad.jobspec.merge"
local names = require "nomad.jobspec.names"
local nearest = require "operator.nearest"
local schema = require "nomad.jobspec.schema"

local build = {}

local function fail(path, message, ...)
  error({ message = ("%s%s%s"):format(path, path ~= "" and ": " or "", message:format(...)) }, 0)
end

local function below(path, name)
  return path == "" and name or ("%s.%s"):format(path, name)
end

--- In HCL a constraint may name its operator as a field: version = ">= 1.2". The value of the last two is true.
local SUGAR = {
  version = "RTarget",
  semver = "RTarget",
  regexp = "RTarget",
  set_contains = "RTarget",
  set_contains_all = "RTarget",
  set_contains_any = "RTarget",
  distinct_property = "LTarget",
  distinct_hosts = true,
  is_set = true,
}

local has_operand = { Constraint = true, Affinity = true }

-- The field that a key means; nil: none does. What it has in HCL counts before what JSON would read without case.
local function field_of(object, key)
  local exact = object.by_name[key:lower()]
  if exact and exact.name == key then
    return exact
  elseif object.by_hcl[key] then
    return object.by_hcl[key]
  end
  local singular = key:match("^(.+)s$")
  local plural = singular and object.by_hcl[singular]
  if plural and (plural.kind == "blocks" or plural.type == "list" or plural.type == "map") then
    return plural
  end
  return exact or object.by_name[(key:lower():gsub("_", ""))]
end

-- The nearest name, spelled in the way of the one that nobody knows.
local function hint(object, key)
  local list = {}
  for _, field in ipairs(object.fields) do
    list[#list + 1] = key:find("^%u") and field.name or field.hcl or field.name
  end
  return nearest.hint(key, list)
end

local read_object

-- Anything: what stands in a Config.
local function copy(value)
  if type(value) ~= "table" then
    return value
  end
  local result = {}
  for key, item in pairs(value) do
    result[key] = copy(item)
  end
  return json.is_array(value) and json.array(result) or result
end

-- HCL makes strings of numbers where strings belong.
local function as_string(value)
  if math.type(value) == "float" and value == math.floor(value) and math.abs(value) < 2 ^ 53 then
    return ("%d"):format(value)
  elseif type(value) == "number" or type(value) == "boolean" then
    return tostring(value)
  end
  return value
end

local EXPECTED = {
  string = "a string",
  bytes = "a string",
  bool = "true or false",
  int = "an integer",
  uint = "an integer",
  float = "a number",
  duration = 'a length of time like "30s"',
}

local function is_scalar(kind, value)
  if kind == "string" or kind == "bytes" then
    return type(value) == "string"
  elseif kind == "bool" then
    return type(value) == "boolean"
  elseif kind == "float" then
    return type(value) == "number"
  end
  return type(value) == "number" and math.tointeger(value) ~= nil
end

local function read_scalar(kind, value, path)
  if kind == "any" then
    return copy(value)
  elseif kind == "duration" and type(value) == "string" then
    local nanoseconds, err = duration.parse(value)
    return nanoseconds or fail(path, "%s", err)
  elseif not is_scalar(kind, value) then
    local shown = type(value) == "string" and ("%q"):format(value:sub(1, 40)) or type(value)
    fail(path, "expected %s, got %s", EXPECTED[kind] or kind, shown)
  end
  return math.type(value) == "float" and math.tointeger(value) or value
end

local function expect_table(value, path, what)
  if type(value) ~= "table" then
    fail(path, "expected %s, got %s", what, type(value))
  end
end

-- The labels of { web = {…}, api = {…} }, sorted.
local function labels_of(value, path)
  local labels = {}
  for label in pairs(value) do
    if type(label) ~= "string" then
      fail(path, "is a list and a map at once")
    end
    labels[#labels + 1] = label
  end
  table.sort(labels)
  return labels
end

-- One block of a map by label.
local function read_labelled(of, label, value, path)
  local field = names.field(of)
  if value == json.null then
    return { [field] = label, [merge.DELETED] = true }
  end
  local element = read_object(of, value, path)
  if element[field] == nil then
    element[field] = label
  elseif element[field] ~= label and of ~= "VolumeRequest" then
    fail(path, "its %s is %q, but its key is %q", field, element[field], label)
  end
  return element
end

local function read_blocks(of, value, path)
  expect_table(value, path, "a list of blocks")
  local result = json.array {}
  if kinds.may_be_list(value) then
    for i, item in ipairs(value) do
      result[i] = read_object(of, item, ("%s[%d]"):format(path, i - 1))
    end
  elseif names.field(of) then
    for i, label in ipairs(labels_of(value, path)) do
      result[i] = read_labelled(of, label, value[label], ("%s[%s]"):format(path, label))
    end
  else
    result[1] = read_object(of, value, path) -- as in HCL, where a block that may be repeated can stand alone
  end
  return result
end

local function read_list(field, value, path)
  if schema.objects[field.of] then
    return read_blocks(field.of, value, path)
  end
  expect_table(value, path, "a list")
  if not kinds.may_be_list(value) then
    fail(path, "expected a list, got a map")
  end
  local result = json.array {}
  for i, item in ipairs(value) do
    local element = field.of == "string" and as_string(item) or item
    result[i] = read_scalar(field.of, element, ("%s[%d]"):format(path, i - 1))
  end
  return result
end

-- A list in the place of a map of blocks: by their names.
local function by_label(of, value, path)
  local field, result = names.field(of), {}
  for i, item in ipairs(value) do
    local element = read_object(of, item, ("%s[%d]"):format(path, i - 1))
    local label = field and element[field]
    if not label then
      fail(("%s[%d]"):format(path, i - 1), "has no name")
    end
    result[label] = element
  end
  return result
end

local function read_map_value(field, label, item, path)
  if item == json.null then
    return item
  elseif schema.objects[field.of] then
    return names.field(field.of) and read_labelled(field.of, label, item, path)
      or read_object(field.of, item, path)
  elseif field.of == "string[]" then
    return read_list({ of = "string" }, type(item) == "string" and { item } or item, path)
  end
  return read_scalar(field.of, field.of == "string" and as_string(item) or item, path)
end

local function read_map(field, value, path)
  expect_table(value, path, "a map")
  if json.is_array(value) and #value > 0 then
    if not schema.objects[field.of] then
      fail(path, "expected a map, got a list")
    end
    return by_label(field.of, value, path)
  end
  local result = {}
  for _, label in ipairs(labels_of(value, path)) do
    result[label] = read_map_value(field, label, value[label], ("%s[%s]"):format(path, label))
  end
  return result
end

local function read_value(field, value, path)
  if value == json.null then
    return value
  elseif field.type == "object" then
    return read_object(field.of, value, path)
  elseif field.type == "list" then
    return read_list(field, value, path)
  elseif field.type == "map" then
    return read_map(field, value, path)
  end
  return read_scalar(field.type, value, path)
end

local function add_sugar(result, key, value, path)
  local target = SUGAR[key]
  if result.Operand ~= nil and result.Operand ~= key then
    fail(below(path, key), "it has an operator already: %s", result.Operand)
  end
  if target == true and value == false then
    return
  end
  result.Operand = key
  if target ~= true then
    result[target] = read_scalar("string", as_string(value), below(path, key))
  end
end

-- As jobspecs in HCL: ports that say their number are reserved.
local function sort_ports(result)
  local dynamic = json.array {}
  for _, port in ipairs(result.DynamicPorts) do
    if (port.Value or 0) ~= 0 and not port[merge.DELETED] then
      result.ReservedPorts = result.ReservedPorts or json.array {}
      table.insert(result.ReservedPorts, port)
    else
      dynamic[#dynamic + 1] = port
    end
  end
  result.DynamicPorts = #dynamic > 0 and dynamic or nil
end

local function finish(name, result, spelled)
  if has_operand[name] and result.Operand == nil and (result.LTarget or result.RTarget) then
    result.Operand = "="
  elseif
    name == "NetworkResource"
    and result.DynamicPorts
    and spelled.DynamicPorts:find("^port")
  then
    sort_ports(result)
  end
  return result
end

local function sorted_keys(value, path)
  local keys = {}
  for key in pairs(value) do
    if type(key) ~= "string" then
      fail(path, "expected fields, got a list")
    end
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

function read_object(name, value, path)
  expect_table(value, path, "a table of fields")
  local object, result, spelled = schema.objects[name], {}, {}
  for _, key in ipairs(sorted_keys(value, path)) do
    local field = field_of(object, key)
    if field and not field.hcl_only then
      if spelled[field.name] then
        fail(below(path, key), "is the same field as %s", spelled[field.name])
      end
      spelled[field.name] = key
      result[field.name] = read_value(field, value[key], below(path, field.name))
    elseif has_operand[name] and SUGAR[key] then
      add_sugar(result, key, value[key], path)
    else
      fail(below(path, key), "unknown field%s", hint(object, key))
    end
  end
  return finish(name, result, spelled)
end

local function checked(fn, what, ...)
  local ok, result = pcall(fn, ...)
  if not ok then
    error(
      type(result) == "table" and result.message and (what .. ": " .. result.message) or result,
      3
    )
  end
  return result
end

local function layers(base, ...)
  for i = 1, select("#", ...) do
    base = merge.jobs(base, read_object("Job", (select(i, ...)), ""))
  end
  return base
end

--- Makes a job, as JSON has it, of one table or of several laid over each other: objects and maps are merged, so are
--- groups, tasks, services and whatever else has a name, by that; other lists take the place of those before; json.null
--- deletes. The tables are not changed. Raises for a field that there is not, with its path and the nearest name.
---@param ... jobspec.build.Job
---@return jobspec.Job
function build.job(...)
  if select("#", ...) == 0 then
    error("jobspec.job takes a table of fields", 2)
  end
  return checked(layers, "jobspec.job", {}, ...)
end

--- A copy of a job in which something is otherwise: jobspec.patch(job, { groups = { web = { count = 3 } } }). The
--- patches are written as for jobspec.job, and laid over the job one after the other.
---@param job jobspec.Job in JSON's names; fields that the schema does not know are kept
---@param ... jobspec.build.Job
---@return jobspec.Job
function build.patch(job, ...)
  if type(job) ~= "table" then
    error(("jobspec.patch takes a job, got a %s"):format(type(job)), 2)
  end
  return checked(layers, "jobspec.patch", merge.jobs(job, {}), ...)
end

return build
