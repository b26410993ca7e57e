--- read: a job as somebody wrote it, read the way Go's decoder reads it: names without regard to case, a null is as if
--- nothing stood there. The result is a table of its own, whose keys have their JSON names and whose durations are
--- integers; what the version of Nomad does not know is dropped, as Nomad does.

local json = require "host.json"
local duration = require "nomad.jobspec.duration"
local schema = require "nomad.jobspec.schema"
local version = require "nomad.jobspec.version"

local read = {}

--- Beyond this Go's float64, in which it reads what stands in a Config, is no longer exact.
local EXACT = 2 ^ 53

local function fail(path, expected, value)
  local shown = type(value) == "string" and ("%q"):format(value:sub(1, 40)) or type(value)
  error(("%s: expected %s, got %s"):format(path, expected, shown), 0)
end

local function field_path(path, name)
  return path == "" and name or (path .. "." .. name)
end

-- A value of any shape, as float64 and Go's maps keep it.
local function copy(value)
  if type(value) == "table" then
    local result = {}
    for key, item in pairs(value) do
      result[key] = copy(item)
    end
    return json.is_array(value) and json.array(result) or result
  elseif math.type(value) == "integer" and (value > EXACT or value < -EXACT) then
    return math.tointeger(value + 0.0) or value + 0.0
  elseif math.type(value) == "float" then
    return math.tointeger(value) or value
  end
  return value
end

local scalars = {}

function scalars.string(value, path)
  return type(value) == "string" and value or fail(path, "a string", value)
end

scalars.bytes = scalars.string

function scalars.bool(value, path)
  if type(value) ~= "boolean" then
    fail(path, "true or false", value)
  end
  return value
end

function scalars.int(value, path)
  return type(value) == "number" and math.tointeger(value) or fail(path, "an integer", value)
end

scalars.uint = scalars.int

function scalars.float(value, path)
  return type(value) == "number" and value or fail(path, "a number", value)
end

function scalars.duration(value, path)
  if type(value) == "string" then
    local nanoseconds, err = duration.parse(value)
    return nanoseconds or error(("%s: %s"):format(path, err), 0)
  end
  return type(value) == "number" and math.tointeger(value)
    or fail(path, 'a length of time like "30s", or an integer of nanoseconds', value)
end

scalars.any = copy

--- What a null leaves in the place of an element of a list or map: Go's zero value.
local ZERO = { string = "", int = 0, uint = 0, float = 0, duration = 0, bool = false }

--- Lists of structures, not of pointers to them: a null in them is an empty one. In others it is dropped.
local STRUCTURES = { Port = true, ServiceCheck = true }

local read_object

local function element(of, value, path, state)
  if scalars[of] then
    if value == json.null then
      return of == "any" and value or ZERO[of]
    end
    return scalars[of](value, path)
  elseif of == "string[]" then
    return value == json.null and value or read.list("string", value, path, state)
  end
  if value == json.null then
    return STRUCTURES[of] and {} or nil
  end
  return read_object(of, value, path, state)
end

function read.list(of, value, path, state)
  if type(value) ~= "table" or (next(value) ~= nil and not json.is_array(value)) then
    fail(path, "a list", type(value) == "table" and "an object" or value)
  end
  if of == "WorkloadIdentity" and #value == 0 then
    return nil
  end
  local result = json.array {}
  for i, item in ipairs(value) do
    result[#result + 1] = element(of, item, ("%s[%d]"):format(path, i - 1), state)
  end
  return result
end

local function read_map(of, value, path, state)
  if type(value) ~= "table" or (json.is_array(value) and #value > 0) then
    fail(path, "an object", type(value) == "table" and "a list" or value)
  end
  local result = {}
  for key, item in pairs(value) do
    result[key] = element(of, item, ("%s[%s]"):format(path, key), state)
  end
  return result
end

local function read_field(field, value, path, state)
  if field.type == "object" then
    return read_object(field.of, value, path, state)
  elseif field.type == "list" then
    return read.list(field.of, value, path, state)
  elseif field.type == "map" then
    return read_map(field.of, value, path, state)
  end
  return scalars[field.type](value, path)
end

-- The fields that are there, by their JSON name. Of two spellings the exact one counts.
local function spelled(object, value)
  local found, exact = {}, {}
  for key, item in pairs(value) do
    local field = type(key) == "string" and object.by_name[key:lower()]
    if field and not exact[field] then
      found[field], exact[field] = item, key == field.name
    end
  end
  return found
end

local function keep_unknown(object, value, result)
  for key, item in pairs(value) do
    if type(key) == "string" and not object.by_name[key:lower()] then
      result[key] = copy(item)
    end
  end
end

local function expect_object(value, path)
  if type(value) ~= "table" or (json.is_array(value) and #value > 0) then
    fail(
      path == "" and "the job" or path,
      "an object",
      type(value) == "table" and "a list" or value
    )
  end
end

function read_object(name, value, path, state)
  expect_object(value, path)
  local object = schema.objects[name]
  local result = {}
  for field, item in pairs(spelled(object, value)) do
    local known = not field.since or version.at_least(state.nomad, field.since)
    if known and item ~= json.null then
      result[field.name] = read_field(field, item, field_path(path, field.name), state)
    end
  end
  if state.newer then
    keep_unknown(object, value, result)
  end
  return result
end

--- Raises a sentence that names the path of what Go could not decode.
---@param job table
---@param nomad string version
---@return table
function read.job(job, nomad)
  local newer = not version.at_least(schema.newest, nomad)
  return read_object("Job", job, "", { nomad = nomad, newer = newer })
end

return read
