--- rights: asks Nomad, before the first write in a namespace, whether the token may write there at all. The question is
--- a plan of a stopped job that does not exist: it needs the right to submit, and changes nothing, not even an index.
---
--- Nomad has no route that answers this for every kind of token: what a token says of itself are names of policies,
--- whose rules would have to be understood as the server does, and that is not there for workload identities before
--- 1.11, nor for the anonymous token. A plan is judged as a registration is. Where ACLs are off nothing is planned.

local acl = require "nomad.acl"
local jobs = require "nomad.jobs"
local failure = require "operator.failure"
local keys = require "operator.keys"

local rights = {}

--- Seconds between two looks at the namespaces that may only be read.
rights.LOOK = 30
--- Seconds that the writes in a namespace wait for an answer. Where servers are in trouble none may come for long.
rights.PATIENCE = 10
--- Of so many namespaces at most it is asked at the start; of the others before the first write in them.
local AT_START = 64

--- It is nobody's: a job of this name would be planned, never made.
local PROBE_ID = "nomad-operator-asks-for-its-rights"

---@class operator.RightsDeps
---@field host table log, timer, signal, spawn, options
---@field release fun() works all parked keys again
---@field asks boolean false: nothing is asked, every namespace counts as one to write in

---@class operator.Rights
---@field private answers table<string, "may"|"lacks"|"unclear"> by namespace
---@field private asking table<string, table> the signal of the question that is under way
---@field private said table<string, boolean> namespaces of which it was said that they may only be read
---@field private off? boolean ACLs are off, so that every namespace may be written in
local Rights = {}
Rights.__index = Rights

---@param deps operator.RightsDeps
---@return operator.Rights
function rights.new(deps)
  local self = setmetatable({
    host = deps.host,
    release = deps.release,
    asks = deps.asks,
    answers = {},
    asking = {},
    said = {},
  }, Rights)
  self.timer = deps.host.timer(function()
    self:look()
  end)
  return self
end

-- Stopped: nothing would be placed, so the scheduler is done at once.
local function probe_job(namespace)
  return {
    ID = PROBE_ID,
    Name = PROBE_ID,
    Namespace = namespace,
    Type = "batch",
    Stop = true,
    Datacenters = { "dc1" },
    TaskGroups = {
      {
        Name = "none",
        Count = 1,
        Tasks = { { Name = "none", Driver = "raw_exec", Config = { command = "true" } } },
      },
    },
  }
end

-- From Nomad 1.11 on a token may have the right to register without the right to plan: then the first write tells.
local function may_register_only()
  for _, text in ipairs(acl.own_rules() or {}) do
    if text:find("register-job", 1, true) then
      return true
    end
  end
  return false
end

-- Is it the right that is missing, and not the token that is unknown, or of a form that this route does not take?
local function is_denial(err)
  return err.code == "denied" and (err.body or ""):find("Permission denied", 1, true) ~= nil
end

-- What Nomad says. Anything but a plan and a denial says nothing of the rights.
local function question(self, namespace)
  self.off = self.off or acl.are_off({ timeout = rights.PATIENCE })
  if self.off then
    return "may"
  end
  local plan, err = jobs.plan(probe_job(namespace), { timeout = rights.PATIENCE })
  if plan then
    return "may"
  elseif is_denial(err) and not may_register_only() then
    return "lacks", err
  end
  return "unclear"
end

-- Says what is new about a namespace.
local function tell(self, namespace, answer, err)
  if answer == "lacks" and not self.said[namespace] then
    self.said[namespace] = true
    self.host.log(
      "error",
      (
        "Namespace %s may only be read with this token: the capability submit-job is missing. "
        .. "What is to be done there waits until it is granted, looked at every %d s: %s"
      ):format(namespace, rights.LOOK, tostring(err))
    )
  elseif answer ~= "lacks" and self.said[namespace] then
    self.said[namespace] = nil
    self.host.log("info", ("Namespace %s can be written again"):format(namespace))
  end
end

-- Asks, once at a time for a namespace.
local function ask(self, namespace)
  local under_way = self.asking[namespace]
  if under_way then
    under_way:wait()
    return
  end
  local signal = self.host.signal()
  self.asking[namespace] = signal
  local ok, answer, err = pcall(question, self, namespace)
  self.asking[namespace] = nil
  if ok then
    self.answers[namespace] = answer
    tell(self, namespace, answer, err)
    if answer == "lacks" and not self.stopped then
      self.timer:set(rights.LOOK)
    end
  end
  signal:fire()
  if not ok then
    error(answer, 0)
  end
end

--- Before a write. Raises quietly where it would be refused.
---@async
---@param namespace string of the write
function Rights:check(namespace)
  if not self.asks then
    return
  elseif not self.answers[namespace] then
    ask(self, namespace)
  end
  if self.answers[namespace] == "lacks" then
    failure.wait(("namespace %s may only be read"):format(namespace))
  end
end

-- Asks of all of them, in a task of its own. Keys that waited go on where that has become possible.
local function ask_all(self, namespaces)
  self.host.spawn("rights", function()
    local opened = false
    for _, namespace in ipairs(namespaces) do
      local before = self.answers[namespace]
      ask(self, namespace)
      opened = opened or (before == "lacks" and self.answers[namespace] ~= "lacks")
    end
    if opened and not self.stopped then
      self.release()
    end
  end, function(ok, err, trace)
    if not ok and not failure.is_cancelled(err) then
      self.host.log("error", "The rights were not asked for: " .. failure.text(err, trace))
    end
  end)
end

--- Looks again at the namespaces that may only be read.
function Rights:look()
  local list = {}
  for namespace, answer in pairs(self.answers) do
    if answer == "lacks" then
      list[#list + 1] = namespace
    end
  end
  table.sort(list)
  if #list > 0 and not self.stopped then
    ask_all(self, list)
  end
end

-- The namespaces of a queue's keys that are not yet in the list.
local function add_namespaces(list, set, queue)
  queue:each(function(key)
    local namespace = keys.split(key)
    if namespace and not set[namespace] and #list < AT_START then
      set[namespace] = true
      list[#list + 1] = namespace
    end
  end)
end

--- The scripts begin to work: asks about the namespaces in which there is something to do, so that it is said at once
--- where nothing can be done.
---@param controllers operator.Controller[]
function Rights:start(controllers)
  local set, list = {}, {}
  for _, one in ipairs(controllers) do
    if one.policy.desired then
      add_namespaces(list, set, one.queue)
    end
  end
  table.sort(list)
  if self.asks and #list > 0 then
    ask_all(self, list)
  end
end

--- The token, its rights, or the namespaces may be others now (a list has come through, a stream was opened): what may
--- be written is asked for again before the next write; what may not, at once.
function Rights:renew()
  self.off = nil
  for namespace, answer in pairs(self.answers) do
    if answer ~= "lacks" then
      self.answers[namespace] = nil
    end
  end
  self:look()
end

--- No new work.
function Rights:stop()
  self.stopped = true
  self.timer:stop()
end

return rights
