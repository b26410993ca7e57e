---@meta host.json
--- JSON that survives a round trip through Lua: integers stay integers (64 bits), `[]` stays an array.

local json = {}

--- null inside an array. In an object a null is read as an absent field, unless decode is told to keep it.
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
---@param options? { nulls?: boolean } nulls: a null in an object is json.null
---@return any value nil and an error for bad text; `null` alone is json.null
---@return string? error "line 1, column 17: expected ':' after a key, found '}'"
function json.decode(text, options) end

--- As `decode`, for a text of which little is wanted: containers with fewer than `levels` others around them are
--- decoded now; of what is nested deeper, a value of up to 1024 bytes too, and a longer one becomes a lazy table: its text
--- is checked now, as strictly and with the same errors, and one level of it is decoded when it is touched first, where
--- again long values stay text. A lazy table is a table: `t.x`, `t.x = 1`, `#t`, pairs, ipairs, table.*, encode and
--- digest see what an eager one has, and so do `json.raw`, which are the globals of the operator's Lua states, and cjson
--- there. type, ==, is_array and encode without options do not touch it. The metatable that it has until then is gone
--- afterwards; getmetatable touches first, so it is never seen. An untouched one keeps its text alive, at most eight
--- times its own bytes. encode copies that text, unless it has white space or numbers that encode would write otherwise;
--- so there may be nulls in it.
---@param text string
---@param levels? integer 1 unless told, 0 to 512
---@return any value nil and an error for bad text
---@return string? error
function json.decode_lazy(text, levels) end

--- next, rawget, rawset, rawlen, getmetatable and setmetatable as in the standard library, but lazy tables are decoded
--- first. Lua code that runs elsewhere than in the operator and reads tables raw takes these.
---@type { next: function, rawget: function, rawset: function, rawlen: function, getmetatable: function, setmetatable: function }
json.raw = nil

---@class host.json.EncodeOptions
---@field sorted? boolean keys in order of their bytes
---@field indent? integer spaces a level; nil: one line

--- Floats without fraction are written as integers (Nomad refuses 3e10 and 1.0). Raises for functions, NaN, infinity,
--- keys that are not strings, arrays with holes, tables deeper than 512; the message names the path. An unmarked empty
--- table is `{}`. Tables are read raw, without metamethods, lazy ones as if they were decoded. cjson.null is null too.
---@param value any
---@param options? host.json.EncodeOptions
---@return string
function json.encode(value, options) end

--- 16 hex digits that stand for the value: equal for equal values, whatever the order of keys. FNV-1a (64 bits) over
--- `encode(value, { sorted = true })`: so 1 and 1.0 are equal, 1 and "1" are not, nor are [] and {}.
---@param value any
---@return string
function json.digest(value) end

--- The values of these names, in order, read raw; nil unless each is a string without control characters and without those that
--- are barred.
---@param given table
---@param names string[]
---@param room integer so many values may follow in the list, at no cost
---@param barred string characters
---@return string[]?
function json.texts(given, names, room, barred) end

--- Text with gaps. Of the pieces, a string is text; n stands for values[n] as it stands between quotes, -n for
--- values[n] as it is. Raises where one of these is no string.
---@param pieces (string|integer)[]
---@param values table<integer, string>
---@return string text
function json.fill(pieces, values) end

--- The digest of that text: where it is what `encode` writes of a value with sorted keys, the value's.
---@param pieces (string|integer)[]
---@param values table<integer, string>
---@return string digest
function json.fill_digest(pieces, values) end
--- Does a text, which is not empty, occur in `encode(value)`? A lazy table is not touched, and nothing is copied. Raises as
--- encode does.
---@param value any
---@param text string
---@return boolean
function json.occurs(value, text) end

return json
