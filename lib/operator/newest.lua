--- newest: how new the lists of a topic have to be: no older than what a list or an earlier connection has shown. One
--- that is older comes from a server that is behind, or the indexes of the cluster went back.

local newest = {}

--- A server may be behind the one that was asked before: so long at most. Seconds.
newest.BEHIND = 1

---@class operator.Newest
---@field index integer the newest that was seen, in a list or an event
---@field floor integer a list is at least as new as this, unless the cluster went back
---@field private behind boolean the last list was not
local Newest = {}
Newest.__index = Newest

---@return operator.Newest
function newest.new()
  return setmetatable({ index = 0, floor = 0, behind = false }, Newest)
end

--- Something was seen that is as new as this.
---@param index integer
function Newest:seen(index)
  if index > self.index then
    self.index = index
  end
end

--- A connection begins. Within one a cluster does not go back: there, a list is only behind the events.
function Newest:connected()
  self.floor = self.index
end

--- A list begins. "behind": it is too old, and is to be asked for once more, in newest.BEHIND seconds. "back": that was
--- done, so that it is the cluster that went back: what was seen before says nothing.
---@param index integer of the list; 0 of some that are empty
---@return "new"|"behind"|"back"
function Newest:judge(index)
  local older = index > 0 and index < self.floor
  self.behind = older and not self.behind
  if self.behind then
    return "behind"
  elseif older then
    self.index, self.floor = index, index
    return "back"
  end
  self:seen(index)
  self.floor = math.max(self.floor, index)
  return "new"
end

return newest
