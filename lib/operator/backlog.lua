--- backlog: the keys of a queue of which nothing more is asked than that they are looked at: at a start, every object
--- of the lists. Until its turn comes such a key is a cause, which others share; an item of its own is ten times as large.

local backlog = {}

--- Keys that came within so many seconds are equally old: as old as the first of them.
local GRAIN = 1

---@class operator.Backlog
---@field count integer
---@field causes table<string, operator.Cause> by key
---@field private since number monotonic seconds: how old the next one in turn is
---@field private marked number the newest mark
local Backlog = {}
Backlog.__index = Backlog

---@return operator.Backlog
function backlog.new()
  return setmetatable({ count = 0, causes = {}, since = 0, marked = 0 }, Backlog)
end

---@param key string
---@param cause operator.Cause
---@param now number monotonic seconds
---@return number? mark the keys from this one on are as old as this: to be given to Backlog:reach when their turn comes
function Backlog:add(key, cause, now)
  self.causes[key], self.count = cause, self.count + 1
  if self.count == 1 then
    self.since, self.marked = now, now
  elseif now - self.marked >= GRAIN then
    self.marked = now
    return now
  end
  return nil
end

--- The turn has come to the keys that came with this mark.
---@param mark number
function Backlog:reach(mark)
  self.since = math.max(self.since, mark)
end

---@param key string
---@return operator.Cause?
function Backlog:cause(key)
  return self.causes[key]
end

--- Another cause for a key that is there.
---@param key string
---@param cause operator.Cause
function Backlog:renew(key, cause)
  self.causes[key] = cause
end

--- Takes a key out.
---@param key string
---@return operator.Cause? cause nil: it is not there
---@return number since monotonic seconds
function Backlog:take(key)
  local cause = self.causes[key]
  if cause then
    self.causes[key], self.count = nil, self.count - 1
    if self.count == 0 then
      self.causes = {} -- the old table would stay as large as it ever was
    end
  end
  return cause, self.since
end

--- Since when has the oldest waited? nil: there is none.
---@return number? since monotonic seconds
function Backlog:oldest()
  return self.count > 0 and self.since or nil
end

return backlog
