--- controller: one policy at work. It decides which news of a job is worth a reconcile, and runs that reconcile from
--- current state: read the job, ask `desired` (or `reconcile`), apply.

local jobs = require "nomad.jobs"
local context = require "operator.context"
local duration = require "operator.duration"
local failure = require "operator.failure"
local handlers = require "operator.handlers"
local marks = require "operator.marks"
local queue = require "operator.queue"
local schedule = require "operator.schedule"
local transcript = require "operator.transcript"

local controller = {}

--- How long a read may wait for the state that an event announced.
local READ_WAIT = "5s"

---@class operator.Seen
---@field index integer JobModifyIndex of the newest news that was put into the queue
---@field done? integer JobModifyIndex that was reconciled last
---@field matches? boolean of the job that was reconciled last
---@field round? integer the list in which it was last seen

---@class operator.Controller
---@field policy operator.Policy
---@field objects table<string, operator.Seen> by key
---@field queue operator.Queue
local Controller = {}
Controller.__index = Controller

--- @param deps { host: table, policy: operator.Policy, apply: operator.Apply, known: operator.Known, fatal?: fun(key: string, message: string), idle?: fun() }
---@return operator.Controller
function controller.new(deps)
  local self = setmetatable({
    host = deps.host, policy = deps.policy, apply = deps.apply, known = deps.known, objects = {},
    fatal = deps.fatal, on_idle = deps.idle,
  }, Controller)
  local function make_context(block, key, cause)
    return context.new(deps.host, deps.policy, block, key, cause)
  end
  self.make_context = make_context
  self.queue = queue.new({
    run = function(item)
      self:run(item)
    end,
    now = deps.host.monotonic, random = deps.host.random, timer = deps.host.timer,
    concurrency = deps.policy.concurrency,
  })
  self.handlers = handlers.new({ host = deps.host, policy = deps.policy, context = make_context })
  self.schedule = schedule.new({ host = deps.host, policy = deps.policy, context = make_context })
  return self
end

local function skip(self, key, why)
  self.host.log("debug", why, { policy = self.policy.name, key = key })
end

-- Does the policy look at this job at all? Says why not.
function Controller:covers(job)
  if (job.ParentID or "") ~= "" then
    return false, "Job is a run of " .. job.ParentID .. ", skipping"
  end
  local mark = marks.read(job)
  if mark and mark.policy == self.policy.name then
    return false, ("Job is a %s, skipping"):format(self.policy.name)
  elseif self.policy.namespaces and not self.policy.namespaces[job.Namespace] then
    return false, "Job is in a namespace that the policy leaves out, skipping"
  end
  return true
end

function Controller:put(key, fields)
  if not (self.policy.desired or self.policy.reconcile) then
    return
  end
  fields.key = key
  self.queue:put(fields)
end

--- An event with the job as it is now.
---@param key string
---@param job table
---@param event { type: string, key: string, index: integer, raw: string, live: boolean }
function Controller:observe(key, job, event)
  local seen = self.objects[key]
  local covered, why = self:covers(job)
  local matches = covered and self.policy.filter:match(job, event.raw)
  if not matches and not seen and not self.known:has(self.policy.name, key) then
    if not covered then
      skip(self, key, why)
    end
    return
  end
  local index = job.JobModifyIndex
  if matches and self.policy.on then
    self.handlers:give({ type = event.type, key = key, topic = "Job", namespace = job.Namespace, index = event.index,
      object = job })
  end
  if seen and (index < seen.index or (index == seen.index and self.policy.watch.changes ~= "any")) then
    return
  end
  self.objects[key] = seen or {}
  self.objects[key].index = index
  self:put(key, {
    object = job, live = event.live,
    cause = { kind = "event", type = event.type, status = job.Status },
  })
end

--- An event that says that the job was stopped or removed. Its payload is not state: the job is read.
---@param key string
---@param event { type: string, index: integer, live: boolean }
---@param job? table the job in the event, which may be as it was before
function Controller:deregistered(key, event, job)
  local seen = self.objects[key]
  local matches = job and self:covers(job) and self.policy.filter:match(job)
  if not (matches or seen or self.known:has(self.policy.name, key)) then
    return
  end
  if job and self.policy.on then
    self.handlers:give({ type = event.type, key = key, topic = "Job", namespace = job.Namespace, index = event.index,
      object = job })
  end
  if not (self.policy.desired or self.policy.reconcile) then
    self.objects[key] = nil
  end
  self:put(key, {
    index = event.index, live = event.live,
    cause = { kind = "event", type = event.type, status = job and job.Status },
  })
end

--- A child of the policy changed, or vanished.
---@param owner string key
---@param child string key
function Controller:child_changed(owner, child)
  self:put(owner, { cause = { kind = "drift", detail = marks.show(child) .. " changed" } })
end

--- A job as the list shows it.
---@param key string
---@param stub table
---@param cause operator.Cause
---@param round integer which list this is
function Controller:listed(key, stub, cause, round)
  local seen = self.objects[key]
  local matches = false
  if self:covers(stub) then
    matches = self.policy.filter:match_stub(stub)
    if matches == nil and self.policy.watch.shallow then
      matches = false
    end
  end
  if seen then
    seen.round = round
  end
  local index = stub.JobModifyIndex
  if matches == false then
    if seen or self.known:has(self.policy.name, key) then
      self:put(key, { cause = { kind = seen and cause.kind or "sweep", status = stub.Status } })
    end
    return
  elseif seen and (seen.done == index or seen.index > index) then
    return
  end
  self.objects[key] = seen or { round = round }
  self.objects[key].index = index
  self:put(key, { cause = { kind = cause.kind, status = stub.Status } })
end

--- The list is merged: what was known and is not in it is read.
---@param cause operator.Cause
---@param round integer
function Controller:list_ended(cause, round)
  for key, seen in pairs(self.objects) do
    if seen.round ~= round then
      self:put(key, { cause = cause })
    end
  end
end

-- The job as it is now. nil: it does not exist. Raises where that cannot be known.
function Controller:read(item)
  local seen = self.objects[item.key]
  if item.object and (not seen or not seen.index or item.object.JobModifyIndex >= seen.index) then
    return item.object
  end
  local namespace, id = marks.split(item.key)
  local options = item.index and item.index > 1 and { index = item.index - 1, wait = READ_WAIT } or nil
  local job, err = jobs.get(namespace, id, options)
  if not job and err.code ~= "not_found" then
    failure.raise(err)
  end
  return job
end

-- Why the children of a job that wants none are removed.
local function reason_of(job, matches)
  if not job then
    return "source gone"
  elseif job.Stop then
    return "source stopped"
  elseif not matches then
    return "source no longer matches"
  end
  return "no longer wanted"
end

-- What exists because of the job, made so. Runs in a task.
function Controller:sync(item, block, ctx, job, matches)
  local policy, key = self.policy, item.key
  local seen = self.objects[key]
  local desired = {}
  if matches then
    desired = policy.desired(job, ctx)
    if type(desired) ~= "table" then
      failure.fail(("desired of policy %s (%s) returned a %s; expected a list of jobs, {} for none"):format(
        policy.name, policy.source, type(desired)))
    end
  end
  local index = job and job.JobModifyIndex
  local own_change = item.live or (seen ~= nil and seen.done ~= nil and seen.done ~= index)
  local writes, children = self.apply:sync({
    policy = policy, owner = key, block = block, free = own_change, reason = reason_of(job, matches),
  }, desired)
  if writes == 0 and item.cause.kind == "event" then
    for _, child in ipairs(children) do
      block:say("info", ("%s unchanged: %s"):format((policy.name:gsub("^%l", string.upper)), marks.show(child)))
    end
  end
end

-- One reconcile, in a task of its own. Returns an outcome for the queue.
function Controller:reconcile(item, block)
  local policy, key = self.policy, item.key
  local job = self:read(item)
  local matches = job ~= nil and self:covers(job) and policy.filter:match(job)
  local ctx = self.make_context(block, key, item.cause)
  local result
  if policy.desired then
    self:sync(item, block, ctx, job, matches)
  elseif policy.reconcile and matches then
    result = policy.reconcile(job, ctx)
  end
  local seen = self.objects[key]
  if not job or (not matches and not self.known:has(policy.name, key)) then
    self.objects[key] = nil
  else
    self.objects[key] = seen or { index = job.JobModifyIndex }
    self.objects[key].done = job.JobModifyIndex
    self.objects[key].index = math.max(self.objects[key].index or 0, job.JobModifyIndex)
  end
  local delay = type(result) == "table" and result.after or nil
  if ctx.requeue then
    delay = math.min(delay or math.huge, math.max(0, ctx.requeue - ctx.now))
  end
  return delay and { kind = "after", delay = delay } or { kind = "done" }
end

-- What an error that ended a reconcile means for its key.
local function outcome_of(err, trace, block)
  if failure.is(err) then
    block:say("error", err.message)
    return { kind = err.kind, delay = err.delay }
  end
  block:say("error", trace or tostring(err))
  return { kind = "retry" }
end

-- Starts the task of an item and sees to its end.
function Controller:run(item)
  local policy, host = self.policy, self.host
  local block = transcript.open(host, transcript.title(item.cause, item.key),
    { policy = policy.name, key = item.key, cause = transcript.cause(item.cause) })
  local started = host.monotonic()
  host.spawn(policy.name .. " " .. item.key, function()
    return self:reconcile(item, block)
  end, function(ok, result, trace)
    local outcome = ok and result or outcome_of(result, trace, block)
    host.count("reconcile_total", 1, { policy = policy.name, result = outcome.kind })
    host.count("reconcile_seconds_total", host.monotonic() - started, { policy = policy.name })
    if not ok and self.fatal then
      self.fatal(item.key, failure.is(result) and result.message or trace or tostring(result))
      outcome = { kind = "fail" }
    end
    local how, delay = self.queue:finish(item, outcome)
    if how == "parked" then
      block:close("Failed; tried again when the job changes, or at the next resync")
    elseif how == "retry" then
      block:close(("Failed, next try in %s"):format(duration.format(delay)))
    elseif how == "after" then
      block:close(("Done, again in %s"):format(duration.format(delay)))
    else
      block:close(ok and "Done" or "Failed, the job has changed since: again at once")
    end
    if self.on_idle then
      self.on_idle()
    end
  end)
end

--- Begins to work.
function Controller:start()
  self.queue:start()
  self.schedule:start()
end

--- No new work; what runs goes on.
function Controller:stop()
  self.queue:stop()
  self.handlers:stop()
  self.schedule:stop()
end

---@return boolean
function Controller:idle()
  return self.queue:idle() and self.handlers:idle() and self.schedule:idle()
end

--- One line for SIGUSR1.
---@return string
function Controller:status()
  local objects = 0
  for _ in pairs(self.objects) do
    objects = objects + 1
  end
  local counts = self.queue:status()
  return ("policy %s: %d watched, %d children, queue: %d ready, %d running, %d waiting, %d parked"):format(
    self.policy.name, objects, self.known:count(self.policy.name), counts.ready, counts.running, counts.waiting,
    counts.parked)
end

return controller
