---@meta host.packed
--- Tables of records: a few integers each, found by a key. What is known of very many objects is kept in them, for the
--- collector has nothing to look at there. Their memory is the Lua state's, and counts against its cap.

local packed = {}

--- An empty table. Raises unless there are 1 to 8 fields.
---@param fields integer integers of a record
---@return host.Packed
function packed.new(fields) end

--- Each method raises for what is no record of this table, or no field.
---@class host.Packed
local Packed = {}

--- The record of a key.
---@param key string
---@return integer? record nil: there is none
---@return integer ... its integers
function Packed:find(key) end

--- The record of a key, made where there is none; its integers are 0 then. Raises when there is no memory.
---@param key string
---@param ... integer what its first integers become
---@return integer record stays the same until it is removed; then the number is given again
function Packed:add(key, ...) end

---@param record integer
function Packed:remove(record) end

--- Is there a record of this number?
---@param record integer
---@return boolean
function Packed:has(record) end

---@param record integer
---@return string
function Packed:key(record) end

---@param record integer
---@param field integer from 1
---@return integer
function Packed:get(record, field) end

--- All integers of a record.
---@param record integer
---@return integer ...
function Packed:values(record) end

---@param record integer
---@param field integer from 1
---@param value integer
---@param ... integer of the fields that follow
function Packed:set(record, field, value, ...) end

--- The next record. On the way through a table records may be removed, but none may come.
---@param record integer 0: the first
---@return integer? record nil: that was the last
function Packed:next(record) end

--- Removes all.
function Packed:clear() end

---@return integer records
function Packed:count() end

---@return integer bytes of memory, which are not in collectgarbage "count"
function Packed:bytes() end

return packed
