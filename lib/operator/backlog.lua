--- backlog: the keys of a queue of which nothing more is asked than that they are looked at: at a start, every object
--- of the lists. Until its turn comes it is a record of the host and a cause that others share; an item of its own is
--- ten times as large.

local packed = require "host.packed"

local backlog = {}

--- Keys that came within so many seconds are equally old: as old as the first of them.
local GRAIN = 1

-- The field of a record: the number of its cause.
local CAUSE, FIELDS = 1, 1

---@class operator.Backlog
---@field private keys host.Packed
---@field private causes table<integer, operator.Cause> by number
---@field private numbers table<operator.Cause, integer>
---@field private uses table<integer, integer> keys of a cause, by its number
---@field private newest integer number of a cause
---@field private since number monotonic seconds: how old the next one in turn is
---@field private marked number the newest mark
local Backlog = {}
Backlog.__index = Backlog

---@return operator.Backlog
function backlog.new()
  return setmetatable({
    keys = packed.new(FIELDS),
    causes = {},
    numbers = {},
    uses = {},
    newest = 0,
    since = 0,
    marked = 0,
  }, Backlog)
end

local function use(self, record, cause)
  local number = self.numbers[cause]
  if not number then
    number = self.newest + 1
    self.newest, self.numbers[cause], self.causes[number] = number, number, cause
  end
  self.uses[number] = (self.uses[number] or 0) + 1
  self.keys:set(record, CAUSE, number)
end

local function disuse(self, record)
  local number = self.keys:get(record, CAUSE)
  local cause, left = self.causes[number], self.uses[number] - 1
  self.uses[number] = left
  if left == 0 then
    self.numbers[cause], self.causes[number], self.uses[number] = nil, nil, nil
  end
  return cause
end

--- Adds a key that is not there.
---@param key string
---@param cause operator.Cause
---@param now number monotonic seconds
---@return integer record its turn comes with this; the records of keys that were taken are given again
---@return number? mark the keys from this one on are as old as this: for Backlog:reach, when their turn comes
function Backlog:add(key, cause, now)
  local record, mark = self.keys:add(key), nil
  use(self, record, cause)
  if self.keys:count() == 1 then
    self.since, self.marked = now, now
  elseif now - self.marked >= GRAIN then
    self.marked, mark = now, now
  end
  return record, mark
end

--- The turn has come to the keys that came with this mark.
---@param mark number
function Backlog:reach(mark)
  self.since = math.max(self.since, mark)
end

---@param key string
---@return integer? record
function Backlog:find(key)
  return (self.keys:find(key))
end

--- The key of a record.
---@param record integer
---@return string? nil: it was taken
function Backlog:key(record)
  return self.keys:has(record) and self.keys:key(record) or nil
end

---@param record integer
---@return operator.Cause
function Backlog:cause(record)
  return self.causes[self.keys:get(record, CAUSE)]
end

--- Another cause for a key that is there.
---@param record integer
---@param cause operator.Cause
function Backlog:renew(record, cause)
  disuse(self, record)
  use(self, record, cause)
end

--- Takes a key out.
---@param record integer
---@return operator.Cause cause
---@return number since monotonic seconds
function Backlog:take(record)
  local cause = disuse(self, record)
  self.keys:remove(record)
  return cause, self.since
end

--- Since when has the oldest waited? nil: there is none.
---@return number? since monotonic seconds
function Backlog:oldest()
  return self.keys:count() > 0 and self.since or nil
end

--- Memory that is not in the Lua heap.
---@return integer
function Backlog:bytes()
  return self.keys:bytes()
end

--- Calls fn with each key, in no order.
---@param fn fun(key: string)
function Backlog:each(fn)
  local record = self.keys:next(0)
  while record do
    fn(self.keys:key(record))
    record = self.keys:next(record)
  end
end

return backlog
