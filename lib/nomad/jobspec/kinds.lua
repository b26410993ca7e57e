--- kinds: what a value of a job is: nothing, a list or an object. Go leaves out what is zero, so nothing, null, zero,
--- false and empty are the same; and an empty table of Lua, which is both a list and an object, passes for either.

local json = require "host.json"

local kinds = {}

--- What Go has in a field that was not given.
---@param value any
---@return boolean
function kinds.is_zero(value)
  return value == nil
    or value == json.null
    or value == ""
    or value == 0
    or value == false
    or (type(value) == "table" and next(value) == nil)
end

---@param value any
---@return boolean
function kinds.is_list(value)
  return type(value) == "table" and json.is_array(value)
end

---@param value any
---@return boolean
function kinds.is_object(value)
  return type(value) == "table" and not json.is_array(value)
end

--- A list, or an empty table.
---@param value any
---@return boolean
function kinds.may_be_list(value)
  return type(value) == "table" and (next(value) == nil or json.is_array(value))
end

--- An object, or an empty table.
---@param value any
---@return boolean
function kinds.may_be_object(value)
  return type(value) == "table" and (next(value) == nil or not json.is_array(value))
end

return kinds
