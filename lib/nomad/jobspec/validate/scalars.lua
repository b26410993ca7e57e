--- Values without parts: what is taken for a string, a number, a duration, and what to say of others.

local any = require "nomad.jobspec.validate.any"
local duration = require "nomad.jobspec.duration"
local json = require "host.json"
local text = require "nomad.jobspec.validate.text"

local scalars = {}

---@class jobspec.validate.Walk
---@field report jobspec.Report
---@field server? integer the server's version, as version.number makes it
---@field unknown "error"|"warning" what an unknown field is
---@field floats boolean 30.0 is taken for an integer
---@field pass boolean the server is newer than the schema
---@field keys (string|integer)[] where the walk is
---@field depth integer
---@field plain "plain"|"plain_all" which of an object's plain kinds hold
---@field hints table<string, string> said already

local NAMES = {
  string = "a string",
  bool = "true or false",
  duration = 'nanoseconds or a duration like "30s"',
  bytes = "a string in base64",
  object = "an object",
  list = "a list",
  map = "an object",
  int = "an integer",
  uint = "an integer",
}

--- Where the walk is.
---@param walk jobspec.validate.Walk
---@return jobspec.Place?
function scalars.place(walk)
  local at
  for i = 1, walk.depth do
    at = { up = at, key = walk.keys[i] }
  end
  return at
end

local function fail(walk, key, format, ...)
  walk.report:err(scalars.place(walk), key, format, ...)
end

local function wrong_type(walk, key, expected, value)
  if expected == "list" and type(value) == "table" and next(value) == nil then
    fail(walk, key, "expected a list, found an empty object; write [] (in Lua json.array())")
  else
    fail(walk, key, "expected %s, found %s", NAMES[expected] or expected, any.describe(value))
  end
end

--- The bounds of an integer of so many bits.
local function fits(value, sign, bits)
  if sign == "uint" then
    return value >= 0 and (bits == 64 or value < 1 << bits)
  end
  return bits == 64 or value >= -(1 << bits - 1) and value < 1 << bits - 1
end

--- An unsigned number of 64 bits that Lua has only as a float.
local function huge(value, field)
  return field.type == "uint" and field.bits == 64 and value >= 2.0 ^ 63 and value < 2.0 ^ 64
end

local function integer(walk, key, value, field)
  local kind = math.type(value)
  if kind == "float" then
    local whole = walk.floats and math.tointeger(value)
    if not whole then
      if huge(value, field) then
        return value
      end
      fail(
        walk,
        key,
        "expected an integer, found %s%s",
        value,
        math.tointeger(value) and "; Nomad takes no fraction, not even .0" or ""
      )
      return nil
    end
    value = whole
  elseif not kind then
    wrong_type(walk, key, field.type, value)
    return nil
  end
  if not fits(value, field.type, field.bits) then
    fail(
      walk,
      key,
      "%d does not fit %s",
      value,
      field.type == "uint" and "an unsigned integer of " .. field.bits .. " bits"
        or "an integer of " .. field.bits .. " bits"
    )
    return nil
  end
  return value
end

local function length(walk, key, value)
  if math.type(value) == "integer" then
    return value
  elseif type(value) == "number" then
    return integer(walk, key, value, { type = "int", bits = 64 })
  elseif type(value) ~= "string" then
    wrong_type(walk, key, "duration", value)
    return nil
  end
  local nanoseconds, err = duration.parse(value)
  if not nanoseconds then
    fail(walk, key, "%s", err)
  end
  return nanoseconds
end

local function bytes(walk, key, value)
  if type(value) == "table" and json.is_array(value) and #value == 0 then
    -- Go takes a list of numbers for bytes too.
    return ""
  elseif type(value) ~= "string" then
    wrong_type(walk, key, "bytes", value)
  elseif not text.base64(value) then
    fail(walk, key, "is no base64")
  else
    return value
  end
end

local function any_value(walk, key, value)
  local err = any.check(value)
  if err then
    fail(walk, key, "%s", err)
    return nil
  end
  return value
end

--- What checks a value of each type: given the walk, key, value and field it returns the clean value; nil: none.
scalars.checks = {
  string = function(walk, key, value)
    if type(value) == "string" then
      return value
    end
    wrong_type(walk, key, "string", value)
  end,
  bool = function(walk, key, value)
    if type(value) == "boolean" then
      return value
    end
    wrong_type(walk, key, "bool", value)
  end,
  int = integer,
  uint = integer,
  duration = length,
  bytes = bytes,
  any = any_value,
}

scalars.fail, scalars.wrong_type = fail, wrong_type

return scalars
