--- queue: the keys of one policy that wait for work. A key is in it once and never runs twice at once; live news goes
--- before what a resync found; a failed key waits with backoff and parks after a limit, alone.

local backlog = require "operator.backlog"
local backoff = require "operator.backoff"
local heap = require "operator.heap"

local queue = {}

queue.RETRY = { base = 1, max = 300 }
queue.ATTEMPTS = 12
queue.CONCURRENCY = 16

-- Entries of a lane that is worth giving back when it is empty.
local LONG = 1024

-- A timer may fire this much early: seconds.
local CLOCK_GRAIN = 0.001

---@class operator.Item
---@field key string
---@field cause operator.Cause why it was put; the newest one
---@field object? table newest payload
---@field matches? boolean the policy watches it; nil: that is to be found out
---@field size? integer what it takes of the room for payloads
---@field index? integer of the event that asked for a read at least as new
---@field live boolean its own change brought it, not a list or a timer
---@field attempts integer failures in a row
---@field state "ready"|"running"|"waiting"|"parked"
---@field since number monotonic seconds when it became ready
---@field asked? number monotonic seconds since when it has been asked for and not been done; nil while it need not be
---@field due? number monotonic seconds, when waiting
---@field again? operator.Item what was put while it ran

---@class operator.Outcome
---@field kind "done"|"after"|"retry"|"fail"
---@field delay? number seconds
---@field held? boolean of "retry": not the key's fault; no try is counted, and without a delay it is ready at once

---@class operator.Queue
local Queue = {}
Queue.__index = Queue

---@class operator.QueueDeps
---@field run fun(item: operator.Item) starts the work on an item and returns at once; Queue:finish ends it
---@field now fun(): number monotonic seconds
---@field random fun(): number
---@field timer fun(fn: fun()): host.Timer
---@field concurrency? integer
---@field payloads? operator.Payloads the room for objects; nil: no limit
---@field may_start? fun(): boolean whether anything may start now; who says no calls Queue:pump later

---@param deps operator.QueueDeps
---@return operator.Queue
function queue.new(deps)
  local self = setmetatable({
    run = deps.run,
    now = deps.now,
    random = deps.random,
    concurrency = deps.concurrency or queue.CONCURRENCY,
    may_start = deps.may_start,
    payloads = deps.payloads,
    items = {},
    backlog = backlog.new(),
    lanes = { live = { first = 1, last = 0 }, list = { first = 1, last = 0 } },
    waiting = heap.new(),
    running = 0,
    counts = { ready = 0, waiting = 0, parked = 0, running = 0 },
    open = false,
  }, Queue)
  self.timer = deps.timer(function()
    self:wake()
  end)
  return self
end

local function become(self, item, state)
  local counts, before = self.counts, item.state
  if before then
    counts[before] = counts[before] - 1
  end
  item.state = state
  if state then
    counts[state] = counts[state] + 1
  end
end

-- A lane has items, records of the backlog (integers), and the marks of its ages (floats).
local function append(lane, entry)
  lane.last = lane.last + 1
  lane[lane.last] = entry
end

local function make_ready(self, item)
  become(self, item, "ready")
  item.due, item.since = nil, self.now()
  item.asked = item.asked or item.since
  append(self.lanes[item.live and "live" or "list"], item)
end

-- News of a job itself says more than the status changes that follow it, or the same cause without a status: before
-- 1.7.5 an evaluation tells of a deregistration once more.
local function better_cause(old, new)
  if not old or old.kind ~= new.kind then
    return new
  elseif new.kind == "event" then
    local says_more = new.type:find("^Job") and (new.status or new.type ~= old.type)
    return says_more and new or old
  end
  return new.status and new or old
end

-- The item's object is of no use any more.
local function drop_object(self, item)
  if item.size and self.payloads then
    self.payloads:give_back(item.size)
  end
  item.object, item.matches, item.size = nil, nil, nil
end

-- Takes room for the object of a put. Where there is none the key will be read, as new as the event at least.
local function take_object(self, put)
  put.index = put.index or 0
  put.size = put.object and (put.size or 0)
  if put.object and self.payloads and not self.payloads:take(put.size) then
    put.index = math.max(put.index, put.at or 0)
    put.object, put.size = nil, nil
  end
  if not put.object then
    put.matches = nil
  end
end

-- Keeps the newest object.
local function keep_object(self, item, put)
  if put.object or put.index then
    drop_object(self, item)
  end
  take_object(self, put)
  if put.object then
    item.object, item.matches, item.size = put.object, put.matches, put.size
  end
  item.index = math.max(item.index, put.index)
end

-- What was put for a key that has no item becomes its item.
local function make_item(self, put)
  take_object(self, put)
  put.attempts, put.live = 0, put.live or false
  put.at, put.gentle = nil, nil
  return put
end

-- Does its cause still wait to be worked? What is put while an item runs has no state yet.
local function is_due(item)
  return item.state == "ready" or item.state == nil
end

local function merge(self, item, put)
  item.cause = better_cause(is_due(item) and item.cause or nil, put.cause)
  item.live = item.live or put.live or false
  keep_object(self, item, put)
  item.attempts = 0
end

-- Is there nothing to do for a put that brings no news?
local function is_idle_talk(item, put)
  return put.gentle and (item.state == "waiting" or item.state == "parked")
end

-- Does it ask for a look and say nothing else?
local function is_plain(put)
  return not (put.object or put.index or put.live)
end

local function put_back(self, put)
  local there = self.backlog:find(put.key)
  if there then
    self.backlog:renew(there, better_cause(self.backlog:cause(there), put.cause))
    return
  end
  local record, mark = self.backlog:add(put.key, put.cause, self.now())
  if mark then
    append(self.lanes.list, mark + 0.0)
  end
  append(self.lanes.list, record)
  self.counts.ready = self.counts.ready + 1
end

-- An item for a key that has none. If the key waited in the backlog, it has waited as long.
local function take_in(self, item)
  local record = self.backlog:find(item.key)
  if record then
    local cause, since = self.backlog:take(record)
    item.cause, item.asked = item.cause or cause, since
    self.counts.ready = self.counts.ready - 1
  end
  self.items[item.key] = item
end

-- A put of a key that has no item.
local function put_first(self, put)
  if is_plain(put) then
    put_back(self, put)
    return
  end
  local item = make_item(self, put)
  take_in(self, item)
  make_ready(self, item)
end

---@class operator.Put
---@field key string
---@field cause operator.Cause
---@field object? table
---@field matches? boolean the policy watches it
---@field size? integer bytes of the object as JSON
---@field at? integer index of the event that brought the object
---@field index? integer read it at least as new as this
---@field live? boolean
---@field gentle? boolean brings no news: a key that waits or is parked stays so

--- Is there work on the key: waiting, parked or under way?
---@param key string
---@return boolean
function Queue:has(key)
  return self.items[key] ~= nil or self.backlog:find(key) ~= nil
end

--- Asks for a key to be worked. A key that waits or is parked becomes ready at once; one that runs is worked once more
--- afterwards.
---@param put operator.Put is the queue's from now on
function Queue:put(put)
  local item = self.items[put.key]
  if not item then
    put_first(self, put)
    self:pump()
    return
  elseif is_idle_talk(item, put) then
    return
  elseif item.state == "running" then
    if item.again then
      merge(self, item.again, put)
    else
      item.again = make_item(self, put)
    end
    return
  end
  local was_live = item.live
  merge(self, item, put)
  if item.state == "ready" then
    -- Moves to the lane of the live ones; its old place is passed over.
    if item.live and not was_live then
      self.counts.ready = self.counts.ready - 1
      item.state = nil
      make_ready(self, item)
    end
    return
  end
  make_ready(self, item)
  self:pump()
end

-- The item of an entry in a lane; nil: it has left the lane, or is a mark.
local function item_of(self, entry, name)
  if type(entry) == "table" then
    return entry.state == "ready" and (entry.live and "live" or "list") == name and entry or nil
  elseif math.type(entry) == "float" then
    self.backlog:reach(entry)
    return nil
  end
  local key = self.backlog:key(entry)
  if not key then
    return nil
  end
  local item = { key = key, attempts = 0, live = false, index = 0 }
  take_in(self, item)
  item.since = item.asked
  become(self, item, "ready")
  return item
end

-- The first item of a lane that is still ready in it.
local function take(self, name)
  local lane = self.lanes[name]
  while lane.first <= lane.last do
    local entry = lane[lane.first]
    lane[lane.first] = nil
    lane.first = lane.first + 1
    local item = item_of(self, entry, name)
    if item then
      return item
    end
  end
  if lane.last > LONG then
    -- An empty table takes as much as it did when it was full.
    self.lanes[name] = { first = 1, last = 0 }
  else
    lane.first, lane.last = 1, 0
  end
  return nil
end

-- Is there a place for one more?
local function has_room(self)
  return self.open
    and self.counts.ready > 0
    and self.counts.running < self.concurrency
    and (not self.may_start or self.may_start())
end

--- Starts what is ready, up to the concurrency.
function Queue:pump()
  while has_room(self) do
    local item = take(self, "live") or take(self, "list")
    if not item then
      return
    end
    become(self, item, "running")
    self.run(item)
  end
end

local function arm(self)
  local soonest = self.waiting:peek()
  if soonest and self.open then
    self.timer:set(math.max(0, soonest.due - self.now()))
  end
end

--- Moves what is due from waiting to ready.
function Queue:wake()
  local now = self.now() + CLOCK_GRAIN
  while self.waiting:peek() and self.waiting:peek().due <= now do
    local entry = self.waiting:pop()
    -- An item that became ready in the meantime left its old entry behind.
    if entry.item.state == "waiting" and entry.item.due == entry.due then
      make_ready(self, entry.item)
    end
  end
  self:pump()
  arm(self)
end

local function wait(self, item, delay)
  become(self, item, "waiting")
  item.due = self.now() + delay
  self.waiting:push({ due = item.due, item = item })
  arm(self)
end

-- What was put while the item ran makes it ready again, whatever came of the run. Of a run that was held nothing was
-- said: it still is the cause, where that says more.
local function run_again(self, item, held)
  local again = item.again
  become(self, item, nil)
  drop_object(self, item)
  item.again, item.live, item.index = nil, again.live, again.index
  item.cause, item.attempts = better_cause(held and item.cause or nil, again.cause), 0
  item.object, item.matches, item.size = again.object, again.matches, again.size
  make_ready(self, item)
  return "again"
end

-- The key is not done: it waits, or parks.
local function put_off(self, item, outcome)
  local failed = outcome.kind ~= "after"
  drop_object(self, item)
  if outcome.held and not outcome.delay then
    make_ready(self, item)
    return "held"
  end
  if outcome.kind == "fail" or (failed and item.attempts >= queue.ATTEMPTS) then
    become(self, item, "parked")
    item.asked = nil
    return "parked"
  end
  local delay = outcome.delay or backoff.delay(item.attempts, queue.RETRY, self.random)
  item.live = failed and item.live
  item.cause = { kind = failed and "retry" or "requeue" }
  wait(self, item, delay)
  return failed and "retry" or "after", delay
end

local function settle(self, item, outcome)
  local failed = outcome.kind == "retry" or outcome.kind == "fail"
  local resting = outcome.held and outcome.delay ~= nil
  item.asked = failed and not resting and item.asked or nil
  item.attempts = failed and item.attempts + (outcome.held and 0 or 1) or 0
  if item.again then
    return run_again(self, item, outcome.held)
  elseif outcome.kind == "done" then
    become(self, item, nil)
    drop_object(self, item)
    self.items[item.key] = nil
    return "done"
  end
  return put_off(self, item, outcome)
end

--- Ends the work on an item.
---@param item operator.Item
---@param outcome operator.Outcome
---@return "done"|"again"|"parked"|"retry"|"after"|"held" result
---@return number? delay seconds until the next try
function Queue:finish(item, outcome)
  local result, delay = settle(self, item, outcome)
  self:pump()
  return result, delay
end

--- Puts every parked key back: at a resync, after a reload. One that has used its tries up has one more.
---@param cause operator.Cause
function Queue:unpark(cause)
  for key, item in pairs(self.items) do
    if item.state == "parked" then
      local attempts = math.min(item.attempts, queue.ATTEMPTS - 1)
      self:put({ key = key, cause = cause })
      item.attempts = attempts
    end
  end
end

--- Begins to work.
function Queue:start()
  self.open = true
  self:pump()
  arm(self)
end

--- No new work; what runs goes on.
function Queue:stop()
  self.open = false
  self.timer:stop()
end

--- Is nothing running, and nothing ready that could?
---@return boolean
function Queue:idle()
  return self.counts.running == 0 and (not self.open or self.counts.ready == 0)
end

--- How long the oldest key that is neither done nor parked has been asked for.
---@return number seconds; 0: there is none
function Queue:oldest()
  local since = self.backlog:oldest() or math.huge
  for _, item in pairs(self.items) do
    since = math.min(since, item.asked or math.huge)
  end
  return since < math.huge and math.max(0, self.now() - since) or 0
end

--- Calls fn with each key on which there is work, in no order. It may put none.
---@param fn fun(key: string)
function Queue:each(fn)
  for key in pairs(self.items) do
    fn(key)
  end
  self.backlog:each(fn)
end

--- @return { ready: integer, running: integer, waiting: integer, parked: integer }
function Queue:status()
  return self.counts
end

return queue
