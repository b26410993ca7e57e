--- queue: the keys of one policy that wait for work. A key is in it once; it never runs twice at once; what is live goes
--- before what a resync found; a failed key waits with backoff and parks after a limit, alone.

local backoff = require "operator.backoff"
local heap = require "operator.heap"

local queue = {}

queue.RETRY = { base = 1, max = 300 }
queue.ATTEMPTS = 12
queue.CONCURRENCY = 4

---@class operator.Item
---@field key string
---@field cause operator.Cause why it was put; the newest one
---@field object? table newest payload
---@field index? integer of the event that asked for a read at least as new
---@field live boolean its own change brought it, not a list or a timer
---@field attempts integer failures in a row
---@field state "ready"|"running"|"waiting"|"parked"
---@field since number monotonic seconds when it became ready
---@field due? number monotonic seconds, when waiting
---@field again? operator.Item what was put while it ran

---@class operator.Outcome
---@field kind "done"|"after"|"retry"|"fail"
---@field delay? number seconds

---@class operator.Queue
local Queue = {}
Queue.__index = Queue

--- @param deps { run: fun(item: operator.Item), now: (fun(): number), random: (fun(): number), timer: fun(fn): host.Timer, concurrency?: integer }
---   run starts the work on an item and returns at once; finish ends it.
---@return operator.Queue
function queue.new(deps)
  local self = setmetatable({
    run = deps.run, now = deps.now, random = deps.random,
    concurrency = deps.concurrency or queue.CONCURRENCY,
    items = {}, first = { live = {}, list = {} }, head = { live = 1, list = 1 },
    waiting = heap.new(), running = 0, counts = { ready = 0, waiting = 0, parked = 0, running = 0 }, open = false,
  }, Queue)
  self.timer = deps.timer(function()
    self:wake()
  end)
  return self
end

function Queue:become(item, state)
  if item.state then
    self.counts[item.state] = self.counts[item.state] - 1
  end
  item.state = state
  if state then
    self.counts[state] = self.counts[state] + 1
  end
end

local function make_ready(self, item)
  self:become(item, "ready")
  item.due, item.since = nil, self.now()
  local lane = item.live and "live" or "list"
  local line = self.first[lane]
  line[#line + 1] = item
end

local function merge(item, put)
  item.cause = put.cause
  item.live = item.live or put.live or false
  item.object = put.object or (not put.index and item.object) or nil
  item.index = math.max(item.index or 0, put.index or 0)
  item.attempts = put.keep_attempts and item.attempts or 0
end

--- Asks for a key to be worked. `put` has key, cause, and perhaps object, index and live. A key that waits or is parked
--- becomes ready at once; one that runs is worked once more afterwards.
---@param put table
function Queue:put(put)
  local item = self.items[put.key]
  if not item then
    item = { key = put.key, attempts = 0, live = false }
    self.items[put.key] = item
  elseif item.state == "running" then
    item.again = item.again or { live = false, attempts = 0 }
    merge(item.again, put)
    return
  end
  local was_live = item.live
  merge(item, put)
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

local function take(self, lane)
  local line, head = self.first[lane], self.head[lane]
  while line[head] do
    local item = line[head]
    line[head] = nil
    head = head + 1
    self.head[lane] = head
    if item.state == "ready" and (item.live and "live" or "list") == lane then
      return item
    end
  end
  self.first[lane], self.head[lane] = {}, 1
  return nil
end

--- Starts what is ready, up to the concurrency.
function Queue:pump()
  while self.open and self.counts.running < self.concurrency do
    local item = take(self, "live") or take(self, "list")
    if not item then
      return
    end
    self:become(item, "running")
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
  local now = self.now()
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
  self:become(item, "waiting")
  item.due = self.now() + delay
  self.waiting:push({ due = item.due, item = item })
  arm(self)
end

--- Ends the work on an item.
---@param item operator.Item
---@param outcome operator.Outcome
---@return string what the footer says: "Done", "Failed, next try in 2.1s" …
---@return number? delay seconds until the next try
function Queue:finish(item, outcome)
  local again = item.again
  item.again = nil
  item.attempts = (outcome.kind == "retry" or outcome.kind == "fail") and item.attempts + 1 or 0
  local result, delay = "done", nil
  if again then
    again.key = item.key
    self:become(item, nil)
    item.live, item.object, item.index = false, nil, nil
    merge(item, again)
    make_ready(self, item)
  elseif outcome.kind == "done" then
    self:become(item, nil)
    self.items[item.key] = nil
  elseif outcome.kind == "fail" or (outcome.kind == "retry" and item.attempts >= queue.ATTEMPTS) then
    result = "parked"
    self:become(item, "parked")
    item.object = nil
  else
    result = outcome.kind == "after" and "after" or "retry"
    delay = outcome.delay or backoff.delay(item.attempts, queue.RETRY, self.random)
    item.object, item.live = nil, result == "retry" and item.live
    item.cause = { kind = result == "after" and "requeue" or "retry", detail = nil }
    wait(self, item, delay)
  end
  self:pump()
  return result, delay
end

--- Puts every parked key back: at a resync, after a reload.
---@param cause operator.Cause
function Queue:unpark(cause)
  for key, item in pairs(self.items) do
    if item.state == "parked" then
      self:put({ key = key, cause = cause })
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

--- @return { ready: integer, running: integer, waiting: integer, parked: integer }
function Queue:status()
  return self.counts
end

return queue
