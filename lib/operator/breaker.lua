--- breaker: a circuit breaker. Many failures in a row open it; then one probe at a time may start, with growing waits
--- between them; the first success closes it.

local backoff = require "operator.backoff"

local breaker = {}

--- Failures in a row, of any requests, that open it.
breaker.THRESHOLD = 10
--- The waits before probes.
breaker.PROBE = { base = 1, max = 30 }

-- A clock may show this much less than what was waited for: seconds.
local CLOCK_GRAIN = 0.001

---@class operator.Breaker
---@field private now fun(): number
---@field private random fun(): number
---@field private failures integer in a row
---@field private opened? integer waits so far; nil while it is closed
---@field private due number when the next probe may start
---@field private probe any what the probe under way is known by
local Breaker = {}
Breaker.__index = Breaker

---@param deps { now: (fun(): number), random: fun(): number }
---@return operator.Breaker
function breaker.new(deps)
  return setmetatable(
    { now = deps.now, random = deps.random, failures = 0, due = 0, opened = nil, probe = nil },
    Breaker
  )
end

---@return boolean
function Breaker:is_open()
  return self.opened ~= nil
end

local function wait(self)
  self.opened = (self.opened or 0) + 1
  self.due = self.now() + backoff.delay(self.opened, breaker.PROBE, self.random)
end

--- A request failed in a way that says that Nomad does not work.
---@return boolean opened by this
function Breaker:failed()
  self.failures = self.failures + 1
  if self.opened then
    -- What was sent before it opened says nothing new; what comes when a probe is due does.
    if self.now() >= self.due - CLOCK_GRAIN then
      wait(self)
    end
    return false
  elseif self.failures < breaker.THRESHOLD then
    return false
  end
  wait(self)
  return true
end

--- Nomad answered.
---@return boolean closed by this
function Breaker:succeeded()
  if self.failures == 0 and not self.opened then
    return false
  end
  local was_open = self:is_open()
  self.failures, self.opened, self.probe = 0, nil, nil
  return was_open
end

--- How long until something may start.
---@return number? seconds 0: now; nil: when the probe that is under way has ended
function Breaker:delay()
  if not self.opened then
    return 0
  elseif self.probe then
    return nil
  end
  local left = self.due - self.now()
  return left > CLOCK_GRAIN and left or 0
end

--- Something starts. While it is open that is the probe.
---@param work any
function Breaker:began(work)
  if self.opened then
    self.probe = work
  end
end

---@param work any
function Breaker:ended(work)
  if self.probe == work then
    self.probe = nil
  end
end

return breaker
