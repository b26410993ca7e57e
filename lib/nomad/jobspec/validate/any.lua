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

local function wrong_key(name, array)
  if array then
    return math_type(name) ~= "integer"
  end
  return type(name) ~= "string"
end

local check_table

--- What is wrong with an element of a table; `open` has the tables that the table lies in.
local function check_element(name, element, array, open, depth)
  local kind = type(element)
  if wrong_key(name, array) then
    return "has keys of a list and of an object, or such as JSON does not have"
  elseif kind == "table" then
    return check_table(element, open, depth + 1)
  elseif kind ~= "string" and kind ~= "boolean" then
    return scalar(element, kind)
  end
end

function check_table(value, open, depth)
  if open[value] then
    return "holds itself"
  elseif depth > DEEPEST then
    return ("is deeper than %d levels"):format(DEEPEST)
  end
  open[value] = true
  local array = is_array(value)
  for name, element in next, value do
    local err = check_element(name, element, array, open, depth)
    if err then
      return err
    end
  end
  open[value] = nil
end

--- What is wrong with a value; nil: JSON can say it.
---@param value any
---@return string?
function any.check(value)
  local kind = type(value)
  if kind == "table" then
    return check_table(value, {}, 1)
  end
  return scalar(value, kind)
end

return any
