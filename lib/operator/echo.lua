--- echo: what the stream says of a child while we write it. Most of it is that write's own event, which often comes
--- before the answer: no reason to look at the owner once more.

local echo = {}

---@class operator.Echo
---@field private newest table<string, integer> by key of what is being written: the newest JobModifyIndex heard
local Echo = {}
Echo.__index = Echo

-- A write that is under way.
local Listening = {
  __close = function(self)
    self.echo.newest[self.key] = nil
  end,
}

---@return operator.Echo
function echo.new()
  return setmetatable({ newest = {} }, Echo)
end

--- A write of the child begins; there is one at a time (host.lock). It ends when the value is closed.
---@param key string of the child
---@return table closable
function Echo:listen(key)
  self.newest[key] = 0
  return setmetatable({ echo = self, key = key }, Listening)
end

--- An event shows the child. Is it to be left to the write that is under way?
---@param key string
---@param index integer JobModifyIndex
---@return boolean
function Echo:heard(key, index)
  local newest = self.newest[key]
  if newest then
    self.newest[key] = math.max(newest, index)
  end
  return newest ~= nil
end

--- The write was answered: has somebody else written after it?
---@param key string
---@param index integer JobModifyIndex of the answer
---@return boolean
function Echo:is_newer(key, index)
  return self.newest[key] > index
end

--- The newest JobModifyIndex that was heard of it.
---@param key string of the child that is being written
---@return integer
function Echo:last(key)
  return self.newest[key]
end

return echo
