--- clock: a virtual clock with timers. Time moves only when somebody runs it, so a month takes no time.

local clock = {}

--- A year in which nothing special happens: 2027-01-15 00:00:00 UTC.
local START = 1799971200

--- Timers that may run at one instant. More is taken for a loop that would never end.
local STILL_MAX = 1000000
local STANDS_STILL = "%d timers ran and time did not move: something wakes itself at once"

---@class operator.testing.Timer
---@field at number
---@field order integer
---@field fn fun()?
local Timer = {}
Timer.__index = Timer

--- Takes the timer back; harmless when it has fired.
function Timer:stop()
  self.fn = nil
end

local function before(a, b)
  if a.at ~= b.at then
    return a.at < b.at
  end
  return a.order < b.order
end

local function push(heap, timer)
  local i = #heap + 1
  heap[i] = timer
  while i > 1 do
    local parent = i // 2
    if not before(heap[i], heap[parent]) then
      return
    end
    heap[i], heap[parent] = heap[parent], heap[i]
    i = parent
  end
end

local function pop(heap)
  local top, n = heap[1], #heap
  heap[1] = heap[n]
  heap[n] = nil
  n = n - 1
  local i = 1
  while true do
    local least, left = i, i * 2
    if left <= n and before(heap[left], heap[least]) then
      least = left
    end
    if left < n and before(heap[left + 1], heap[least]) then
      least = left + 1
    end
    if least == i then
      return top
    end
    heap[i], heap[least] = heap[least], heap[i]
    i = least
  end
end

---@class operator.testing.Clock
---@field now fun(): number seconds since the epoch
---@field monotonic fun(): number seconds since the clock was made
---@field after fun(seconds: number, fn: fun()): operator.testing.Timer
---@field next_at fun(): number? when the next timer is due
---@field step fun(limit?: number): boolean runs the next timer if it is due by `limit`
---@field run_until fun(at: number) runs what is due until then, and stands there
---@field advance fun(seconds: number)
---@field settle fun(gap: number, most: number) runs on while the next timer is less than `gap` away

--- The functions are called with a dot: a clock can be handed on as `{ now = clock.now }`.
---@param start? number
---@return operator.testing.Clock
function clock.new(start)
  local heap, order, still = {}, 0, 0
  local began = start or START
  local now = began
  local self = {}

  function self.now()
    return now
  end

  function self.monotonic()
    return now - began
  end

  function self.after(seconds, fn)
    order = order + 1
    local timer = setmetatable({ at = now + math.max(seconds, 0), order = order, fn = fn }, Timer)
    push(heap, timer)
    return timer
  end

  function self.next_at()
    while heap[1] and not heap[1].fn do
      pop(heap)
    end
    return heap[1] and heap[1].at
  end

  function self.step(limit)
    local at = self.next_at()
    if not at or (limit and at > limit) then
      return false
    end
    local timer = pop(heap)
    still = timer.at > now and 0 or still + 1
    if still > STILL_MAX then
      error(STANDS_STILL:format(still), 0)
    end
    now = math.max(now, timer.at)
    local fn = timer.fn
    timer.fn = nil
    fn()
    return true
  end

  function self.run_until(at)
    while self.step(at) do
      -- step does the work
    end
    now = math.max(now, at)
  end

  function self.advance(seconds)
    self.run_until(now + seconds)
  end

  function self.settle(gap, most)
    local limit = now + most
    while true do
      local at = self.next_at()
      if not at or at - now > gap then
        return
      end
      if at > limit then
        error(("not settled after %g seconds: something wakes all the time"):format(most), 2)
      end
      self.step()
    end
  end

  return self
end

return clock
