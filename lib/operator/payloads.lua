--- payloads: the room for jobs that wait in queues, all queues of a generation together. What finds none is kept by its
--- key alone, and read when its turn comes.

local payloads = {}

--- Bytes of JSON. A long job stays text until it is looked into (json.decode_lazy); wholly decoded it takes some five
--- times as much, beside the text as long as a part of it is untouched.
payloads.MAX = 16 * 1024 * 1024
--- While so much waits, events need not come faster than they are worked: bytes of JSON. What waits longer as Lua's
--- objects has left the processor's caches when its turn comes.
payloads.AMPLE = 128 * 1024

---@class operator.Payloads
---@field used integer
---@field max integer
local Payloads = {}
Payloads.__index = Payloads

---@param max? integer
---@return operator.Payloads
function payloads.new(max)
  return setmetatable({ used = 0, max = max or payloads.MAX }, Payloads)
end

--- Takes room.
---@param size integer
---@return boolean taken
function Payloads:take(size)
  if self.used + size > self.max then
    return false
  end
  self.used = self.used + size
  return true
end

--- Is there as much as keeps the operator busy for a while?
---@return boolean
function Payloads:is_ample()
  return self.used > payloads.AMPLE
end

---@param size integer
function Payloads:give_back(size)
  self.used = self.used - size
end

return payloads
