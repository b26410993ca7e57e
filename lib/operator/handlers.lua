--- handlers: a policy's `on = { JobRegistered = fn }`. Each event is given at least once, in order per key; a handler
--- that fails is tried again with backoff and holds back only its own key.

local backoff = require "operator.backoff"
local failure = require "operator.failure"
local transcript = require "operator.transcript"

local handlers = {}

local RETRY = { base = 1, max = 60 }
local ATTEMPTS = 8
--- Events that may wait for one key; a key that falls further behind is told of the gap instead.
local WAITING = 1000

---@class operator.Handlers
local Handlers = {}
Handlers.__index = Handlers

---@class operator.HandlersDeps
---@field host table
---@field policy operator.Policy
---@field context fun(block, key, cause): operator.Context
---@field payloads operator.Payloads the room for events that wait

---@param deps operator.HandlersDeps
---@return operator.Handlers
function handlers.new(deps)
  return setmetatable({
    host = deps.host,
    policy = deps.policy,
    context = deps.context,
    payloads = deps.payloads,
    lines = {},
    running = 0,
    open = true,
  }, Handlers)
end

local step

-- The first event of a line is over.
local function shift(self, line)
  line.attempts = 0
  local event = table.remove(line, 1)
  if line.held[event] then
    self.payloads:give_back(line.held[event])
    line.held[event] = nil
  end
end

local function finish(self, line, event, block, ok, err, trace)
  self.running = self.running - 1
  if ok then
    block:close("Done")
    shift(self, line)
    step(self, event.key, line)
    return
  end
  line.attempts = line.attempts + 1
  block:say("error", ("on.%s: %s"):format(event.type, failure.text(err, trace)))
  if line.attempts >= ATTEMPTS then
    block:close(("Given up after %d tries"):format(ATTEMPTS))
    shift(self, line)
    step(self, event.key, line)
    return
  end
  local delay = backoff.delay(line.attempts, RETRY, self.host.random)
  block:close(("Failed, next try in %.1fs"):format(delay))
  line.timer = line.timer or self.host.timer(function()
    step(self, event.key, line)
  end)
  line.timer:set(delay)
end

-- Runs the first event of a key's line.
function step(self, key, line)
  local event = line[1]
  if not event and line.overflown and self.policy.on.gap then
    line.overflown = nil
    event = { type = "gap", key = key, reason = "too many events were waiting" }
    line[1] = event
  end
  if not event then
    self.lines[key] = nil
    return
  elseif not self.open then
    return
  end
  local cause = { kind = "event", type = event.type }
  local block = transcript.open(self.host, self.policy.name, key, cause)
  self.running = self.running + 1
  self.host.spawn(("%s on.%s %s"):format(self.policy.name, event.type, key), function()
    return self.policy.on[event.type](event, self.context(block, key, cause))
  end, function(ok, err, trace)
    finish(self, line, event, block, ok, err, trace)
  end)
end

-- Takes room for an event that has to wait; not, where there is none.
local function hold(self, line, event, size)
  if not self.payloads:take(size) then
    return false
  end
  line.held[event] = size
  return true
end

-- The events from here on do not wait in line: the policy is told of the gap instead, if it wants to be.
local function overflow(self, line, key)
  if line.overflown then
    return
  end
  line.overflown = true
  self.host.log(
    "warn",
    "too many events wait for their handler; the rest is reported as a gap",
    { policy = self.policy.name, key = key, waiting = #line }
  )
end

--- Has the policy a handler for events of this type?
---@param type string
---@return boolean
function Handlers:want(type)
  return self.open and self.policy.on ~= nil and self.policy.on[type] ~= nil
end

--- Gives an event to the policy, if it has a handler for its type.
---@param event { type: string, key: string, object?: table }
---@param size? integer bytes of its object as JSON
function Handlers:give(event, size)
  if not self:want(event.type) then
    return
  end
  local line = self.lines[event.key]
  if not line then
    line = { event, attempts = 0, held = {} }
    self.lines[event.key] = line
    step(self, event.key, line)
  elseif line.overflown or #line >= WAITING or not hold(self, line, event, size or 0) then
    overflow(self, line, event.key)
  else
    line[#line + 1] = event
  end
end

--- Tells `on.gap` that events may have been lost.
---@param reason string
function Handlers:gap(reason)
  self:give({ type = "gap", key = "*/*", reason = reason })
end

--- No new work.
function Handlers:stop()
  self.open = false
  for _, line in pairs(self.lines) do
    if line.timer then
      line.timer:stop()
    end
  end
end

---@return boolean
function Handlers:idle()
  return self.running == 0
end

return handlers
