--- schedule: a policy's `every` and `cron` handlers. Due times are kept in the process, so a reload neither skips nor
--- repeats a run; a run that was missed (a long reload, a slow handler) happens once, at once.

local cron = require "operator.cron"
local duration = require "operator.duration"
local failure = require "operator.failure"
local transcript = require "operator.transcript"

local schedule = {}

---@class operator.Schedule
local Schedule = {}
Schedule.__index = Schedule

--- @param deps { host: table, policy: operator.Policy, context: fun(block, key, cause): operator.Context }
---@return operator.Schedule
function schedule.new(deps)
  return setmetatable({
    host = deps.host,
    policy = deps.policy,
    context = deps.context,
    timers = {},
    running = 0,
    open = false,
  }, Schedule)
end

local function run(self, name, fn, after)
  local cause = { kind = "requeue", detail = name }
  local block = transcript.open(self.host, self.policy.name, nil, cause)
  self.running = self.running + 1
  self.host.spawn(("%s %s"):format(self.policy.name, name), function()
    return fn(self.context(block, nil, cause))
  end, function(ok, err, trace)
    self.running = self.running - 1
    if not ok then
      block:say("error", failure.text(err, trace))
    end
    block:close(ok and "Done" or "Failed")
    if after then
      after()
    end
  end)
end

-- One handler: `next_due(from)` is the first time after `from`, in seconds since the epoch.
local function add(self, name, fn, next_due)
  local host, slot = self.host, ("due/%s/%s"):format(self.policy.name, name)
  local timer
  local function arm()
    local due = host.kept(slot)
    if not due then
      due = next_due(host.now())
      host.keep(slot, due)
    end
    if due and self.open then
      timer:set(math.max(0, due - host.now()))
    end
  end
  timer = host.timer(function()
    local due, now = host.kept(slot), host.now()
    if due and now < due - 0.001 then
      arm()
      return
    end
    host.keep(slot, next_due(now))
    run(self, name, fn, arm)
  end)
  self.timers[#self.timers + 1] = timer
  arm()
end

--- Begins: on_start, then the timers.
function Schedule:start()
  self.open = true
  local policy = self.policy
  if policy.on_start then
    run(self, "on_start", policy.on_start)
  end
  for text, fn in pairs(policy.every) do
    local seconds = duration.parse(text)
    add(self, "every " .. text, fn, function(from)
      return from + seconds
    end)
  end
  for text, fn in pairs(policy.cron) do
    local times = cron.parse(text)
    add(self, "cron " .. text, fn, function(from)
      return times:next(from)
    end)
  end
end

--- No new runs; on_stop is run once.
function Schedule:stop()
  if not self.open then
    return
  end
  self.open = false
  for _, timer in ipairs(self.timers) do
    timer:stop()
  end
  if self.policy.on_stop then
    run(self, "on_stop", self.policy.on_stop)
  end
end

---@return boolean
function Schedule:idle()
  return self.running == 0
end

return schedule
