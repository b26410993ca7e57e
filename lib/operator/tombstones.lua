--- tombstones: which jobs went while a list runs, so that a stub of the list that is older does not bring them back. A
--- tombstone is kept no longer than the list.

local tombstones = {}

---@class operator.Tombstones
---@field private graves table<string, integer>? index of the event by which a key went; nil: no list runs
local Tombstones = {}
Tombstones.__index = Tombstones

---@return operator.Tombstones
function tombstones.new()
  return setmetatable({}, Tombstones)
end

--- A list begins. Until the value is closed, what goes is remembered.
---@return table closable
function Tombstones:open()
  self.graves = {}
  return setmetatable({}, {
    __close = function()
      self.graves = nil
    end,
  })
end

--- An event says that the job was stopped or removed.
---@param key string
---@param index integer of the event
function Tombstones:put(key, index)
  if self.graves then
    self.graves[key] = index
  end
end

--- Is what is known of the job from before it went?
---@param key string
---@param index integer JobModifyIndex
---@return boolean
function Tombstones:covers(key, index)
  local grave = self.graves and self.graves[key]
  return grave ~= nil and index <= grave
end

return tombstones
