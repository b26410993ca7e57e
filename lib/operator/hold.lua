--- hold: writes that Nomad refuses whatever their job is: while registrations are switched off, or in a namespace in
--- which the token may only read. That is said once; the keys wait, parked, and go on when it is over.

local failure = require "operator.failure"

local hold = {}

--- Seconds between two tries while registrations are switched off.
local PROBE = 15

---@class operator.HoldDeps
---@field host table log, timer
---@field put fun(policy: string, key: string) works a key again
---@field release fun() works all parked keys again

---@class operator.Hold
---@field private frozen boolean registrations are switched off
---@field private probing boolean the next write may try
---@field private waiting { policy: string, key: string, slot: string }[] keys that the freeze holds
---@field private held table<string, boolean> their slots
---@field private denied table<string, boolean> namespaces in which no write is tried until the next resync
---@field private said table<string, boolean> namespaces of which it was said
local Hold = {}
Hold.__index = Hold

---@param deps operator.HoldDeps
---@return operator.Hold
function hold.new(deps)
  local self = setmetatable({
    host = deps.host,
    put = deps.put,
    release = deps.release,
    frozen = false,
    probing = false,
    waiting = {},
    held = {},
    denied = {},
    said = {},
  }, Hold)
  self.timer = deps.host.timer(function()
    self:probe()
  end)
  return self
end

local FROZEN = "registrations are switched off; it goes on when they are on again"
local READ_ONLY = "namespace %s may only be read; it is tried again at the next resync"

-- Remembers a key of the freeze, and ends its work.
local function freeze(self, policy, key)
  local slot = policy .. "\0" .. key
  if not self.held[slot] then
    self.held[slot] = true
    self.waiting[#self.waiting + 1] = { policy = policy, key = key, slot = slot }
  end
  failure.wait(FROZEN)
end

--- Before a write. Raises quietly where it would be refused.
---@param namespace string of the write
---@param policy string
---@param key string the owner's
function Hold:check(namespace, policy, key)
  if self.frozen and not self.probing then
    freeze(self, policy, key)
  elseif self.denied[namespace] then
    failure.wait(READ_ONLY:format(namespace))
  end
end

--- After a refused write. Raises quietly if that was not the job's fault; says why, the first time.
---@param err host.nomad.Error
---@param namespace string
---@param policy string
---@param key string
function Hold:refused(err, namespace, policy, key)
  if err.code == "frozen" then
    if not self.frozen then
      self.host.log(
        "warn",
        ("Nothing is made, changed or removed until it is over, looked at every %d s: %s"):format(
          PROBE,
          tostring(err)
        )
      )
    end
    self.frozen, self.probing = true, false
    self.timer:set(PROBE)
    freeze(self, policy, key)
  elseif err.code == "denied" then
    if not self.said[namespace] then
      self.host.log(
        "error",
        (
          "Nothing can be written in namespace %s, so what is to be done there waits, "
          .. "and is tried again at each resync: %s"
        ):format(namespace, tostring(err))
      )
    end
    self.denied[namespace], self.said[namespace] = true, true
    failure.wait(READ_ONLY:format(namespace))
  end
end

--- A write went through.
---@param namespace string
function Hold:passed(namespace)
  if self.said[namespace] then
    self.denied[namespace], self.said[namespace] = nil, nil
    self.host.log("info", ("Namespace %s can be written again"):format(namespace))
  end
  if self.frozen then
    self.frozen, self.probing = false, false
    self.waiting, self.held = {}, {}
    self.timer:stop()
    self.host.log("info", "Nomad takes registrations again")
    self.release()
  end
end

--- One of the keys that wait finds out whether it is over.
function Hold:probe()
  local one = table.remove(self.waiting, 1)
  if not one then
    -- Each of them turned out to need no write.
    self.frozen = false
    return
  end
  self.held[one.slot] = nil
  self.probing = true
  self.timer:set(PROBE)
  self.put(one.policy, one.key)
end

--- A resync: what was denied may be tried again, once a namespace.
function Hold:retry()
  self.denied = {}
end

--- No new work.
function Hold:stop()
  self.timer:stop()
end

return hold
