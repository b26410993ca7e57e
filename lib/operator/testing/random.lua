--- random: numbers and UUIDs that are the same in every run with the same seed.

local random = {}

---@class operator.testing.Random
---@field state integer
local Random = {}
Random.__index = Random

---@param seed? integer
---@return operator.testing.Random
function random.new(seed)
  local self = setmetatable({ state = (seed or 1) * 0x9E3779B97F4A7C15 | 1 }, Random)
  self:bits()
  return self
end

--- 64 random bits (xorshift).
---@return integer
function Random:bits()
  local x = self.state
  x = x ~ (x << 13)
  x = x ~ (x >> 7)
  x = x ~ (x << 17)
  self.state = x
  return x
end

---@return number r 0 <= r < 1
function Random:number()
  return (self:bits() >> 11) * 2.0 ^ -53
end

---@return string
function Random:uuid()
  local a, b = self:bits(), self:bits()
  return ("%08x-%04x-%04x-%04x-%012x"):format(
    a & 0xffffffff,
    (a >> 32) & 0xffff,
    (a >> 48) & 0xffff,
    b & 0xffff,
    (b >> 16) & 0xffffffffffff
  )
end

return random
