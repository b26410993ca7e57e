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

--- @param deps { host: table, policy: operator.Policy, context: fun(block, key, cause): operator.Context }
---@return operator.Handlers
function handlers.new(deps)
  return setmetatable({
    host = deps.host,
    policy = deps.policy,
    context = deps.context,
    lines = {},
    running = 0,
    open = true,
  }, Handlers)
end

local step

local function finish(self, line, event, block, ok, err, trace)
  self.running = self.running - 1
  if ok then
    block:close("Done")
    line.attempts = 0
    table.remove(line, 1)
    step(self, event.key, line)
    return
  end
  line.attempts = line.attempts + 1
  block:say("error", ("on.%s: %s"):format(event.type, failure.text(err, trace)))
  if line.attempts >= ATTEMPTS then
    block:close(("Given up after %d tries"):format(ATTEMPTS))
    line.attempts = 0
    table.remove(line, 1)
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
  if not event then
    self.lines[key] = nil
    return
  elseif not self.open then
    return
  end
  local cause = { kind = "event", type = event.type }
  local block = transcript.open(
    self.host,
    transcript.title(cause, key),
    { policy = self.policy.name, key = key, cause = event.type }
  )
  self.running = self.running + 1
  self.host.spawn(("%s on.%s %s"):format(self.policy.name, event.type, key), function()
    return self.policy.on[event.type](event, self.context(block, key, cause))
  end, function(ok, err, trace)
    finish(self, line, event, block, ok, err, trace)
  end)
end

--- Gives an event to the policy, if it has a handler for its type.
---@param event { type: string, key: string, object?: table }
function Handlers:give(event)
  if not (self.policy.on and self.policy.on[event.type]) or not self.open then
    return
  end
  local line = self.lines[event.key]
  if line and #line >= WAITING then
    if line[#line].type ~= "gap" then
      self.host.log(
        "warn",
        ("more than %d events wait for their handler; the rest is reported as a gap"):format(
          WAITING
        ),
        { policy = self.policy.name, key = event.key }
      )
      line[#line] = { type = "gap", key = event.key, reason = "too many events were waiting" }
    end
    return
  elseif line then
    line[#line + 1] = event
    return
  end
  line = { event, attempts = 0 }
  self.lines[event.key] = line
  step(self, event.key, line)
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
