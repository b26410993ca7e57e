--- Values that may be whatever JSON can say, such as a driver's config; and what a person calls a value.

local json = require "host.json"

local any = {}

local DEEPEST = 512

--- What a person calls a value.
---@param value any
---@return string
function any.describe(value)
  local kind = type(value)
  if kind == "table" then
    return json.is_array(value) and "a list" or "an object"
  elseif kind == "string" then
    return #value > 40 and "a string" or ("the string %q"):format(value)
  elseif kind == "number" then
    return ("the number %s"):format(value)
  elseif kind == "userdata" then
    return "null"
  end
  return kind == "boolean" and tostring(value) or "a " .. kind
end

local math_type, type, next, is_array = math.type, type, next, json.is_array

--- What is wrong with a value that is no table.
local function scalar(value, kind)
  if
    kind == "function"
    or kind == "thread"
    or value ~= value
    or value == math.huge
    or value == -math.huge
  then
    return "JSON cannot say " .. any.describe(value)
  end
end

--- `open` has the tables that the value lies in; nil: none.
local function check_table(value, open, depth)
  if open and open[value] then
    return "holds itself"
  elseif depth > DEEPEST then
    return ("is deeper than %d levels"):format(DEEPEST)
  end
  local array = is_array(value)
  local wanted = array and "number" or "string"
  for name, element in next, value do
    local kind = type(element)
    local err
    if type(name) ~= wanted or array and math_type(name) ~= "integer" then
      err = "has keys of a list and of an object, or such as JSON does not have"
    elseif kind == "table" then
      open = open or {}
      open[value] = true
      err = check_table(element, open, depth + 1)
    elseif kind ~= "string" and kind ~= "boolean" then
      err = scalar(element, kind)
    end
    if err then
      return err
    end
  end
  if open then
    open[value] = nil
  end
end

--- What is wrong with a value; nil: JSON can say it.
---@param value any
---@return string?
function any.check(value)
  local kind = type(value)
  if kind == "table" then
    return check_table(value, nil, 1)
  end
  return scalar(value, kind)
end

return any
