---@meta host.json
--- JSON that survives a round trip through Lua: integers stay integers (64 bits), `[]` stays an array.

local json = {}

--- null inside an array. In an object a null is read as an absent field.
---@type userdata tostring gives "null"
json.null = nil

--- Marks a table as an array, also an empty one. Arrays that decode made are marked already.
---@generic T
---@param t? T[]
---@return T[]
function json.array(t) end

--- True for tables that are marked as arrays or hold [1].
---@param t any
---@return boolean
function json.is_array(t) end

--- Numbers without fraction and exponent are integers; beyond 64 bits, and all others, floats. Depth at most 512.
---@param text string
---@return any value nil and an error for bad text; `null` alone is json.null
---@return string? error "line 1, column 17: expected ':' after a key, found '}'"
function json.decode(text) end

---@class host.json.EncodeOptions
---@field sorted? boolean keys in order of their bytes
---@field indent? integer spaces a level; nil: one line

--- Floats without fraction are written as integers (Nomad refuses 3e10 and 1.0). Raises for functions, NaN, infinity,
--- keys that are not strings, arrays with holes, tables deeper than 512; the message names the path. An unmarked empty
--- table is `{}`. Tables are read raw, without metamethods. cjson.null is null too.
---@param value any
---@param options? host.json.EncodeOptions
---@return string
function json.encode(value, options) end

--- 16 hex digits that stand for the value: equal for equal values, whatever the order of keys. FNV-1a (64 bits) over
--- `encode(value, { sorted = true })`: so 1 and 1.0 are equal, 1 and "1" are not, nor are [] and {}.
---@param value any
---@return string
function json.digest(value) end

return json
