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

local check

local function check_table(value, open, depth)
  if open[value] then
    return "holds itself"
  elseif depth > DEEPEST then
    return ("is deeper than %d levels"):format(DEEPEST)
  end
  open[value] = true
  local array = json.is_array(value)
  for name, element in next, value do
    local kind = type(element)
    local err
    if array ~= (math.type(name) == "integer") or not array and type(name) ~= "string" then
      err = "has keys of a list and of an object, or such as JSON does not have"
    elseif kind ~= "string" and kind ~= "boolean" then
      err = check(element, open, depth + 1)
    end
    if err then
      return err
    end
  end
  open[value] = nil
end

--- `open` has the tables that the value lies in.
function check(value, open, depth)
  local kind = type(value)
  if kind == "table" then
    return check_table(value, open, depth)
  elseif
    kind == "function"
    or kind == "thread"
    or value ~= value
    or value == math.huge
    or value == -math.huge
  then
    return "JSON cannot say " .. any.describe(value)
  end
end

--- What is wrong with a value; nil: JSON can say it.
---@param value any
---@return string?
function any.check(value)
  return check(value, {}, 1)
end

return any
