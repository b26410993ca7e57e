--- controller: one policy at work. It decides which news of a job is worth a reconcile, and runs the reconciles.

local json = require "host.json"
local context = require "operator.context"
local counters = require "operator.counters"
local duration = require "operator.duration"
local facts = require "operator.facts"
local failure = require "operator.failure"
local handlers = require "operator.handlers"
local marks = require "operator.marks"
local queue = require "operator.queue"
local reconcile = require "operator.reconcile"
local schedule = require "operator.schedule"
local seen = require "operator.seen"
local transcript = require "operator.transcript"
local watchlist = require "operator.watchlist"

local controller = {}

--- Lists bring parked keys back no more often than this, seconds: where there is no stream they come with each change.
--- A policy with a shorter resync means it.
controller.UNPARK = 60

---@class operator.Controller
---@field policy operator.Policy
---@field topic operator.Topic what the policy watches
---@field facts? operator.Facts where only some changes of an object are news
---@field private version_field string of an object
---@field objects operator.Seen versions (see Controller:version) by key
---@field queue operator.Queue
---@field private cause operator.Cause of the list's last element: most of its neighbours share it
local Controller = {}
Controller.__index = Controller

---@class operator.ControllerDeps
---@field host table
---@field policy operator.Policy
---@field apply operator.Apply
---@field known operator.Known
---@field found fun(mark: operator.Marks, key: string) a child was found that no list showed
---@field gate operator.Gate
---@field payloads operator.Payloads
---@field reads operator.Reads
---@field scope operator.Namespaces
---@field fatal? fun(key: string, message: string) for `plan`: a key's error is final
---@field idle? fun() for `plan`: called after each key

---@param deps operator.ControllerDeps
---@return operator.Controller
function controller.new(deps)
  local self = setmetatable({
    host = deps.host,
    policy = deps.policy,
    topic = deps.policy.topic,
    apply = deps.apply,
    known = deps.known,
    gate = deps.gate,
    reads = deps.reads,
    objects = seen.new(watchlist.new(deps.host, deps.policy.watch.topic)),
    scope = deps.scope,
    version_field = deps.policy.watch.changes ~= "any" and deps.policy.topic.spec or "ModifyIndex",
    works = deps.policy.desired ~= nil or deps.policy.reconcile ~= nil, -- else only handlers and timers
    found = deps.found,
    results = counters.new(deps.host, "reconcile_total", "result"),
    fatal = deps.fatal,
    on_idle = deps.idle,
  }, Controller)
  if self.topic.facts and deps.policy.watch.changes ~= "any" then
    self.facts = facts.new(self.topic.facts)
  end
  local function make_context(block, key, cause)
    return context.new(deps.host, deps.policy, block, key, cause)
  end
  self.make_context = make_context
  self.queue = queue.new({
    run = function(item)
      self:run(item)
    end,
    now = deps.host.monotonic,
    random = deps.host.random,
    timer = deps.host.timer,
    concurrency = deps.policy.concurrency,
    payloads = deps.payloads,
    may_start = function()
      return self.gate:may_start()
    end,
  })
  self.gate:on_open(function()
    self.queue:pump()
  end)
  self.handlers = handlers.new({
    host = deps.host,
    policy = deps.policy,
    context = make_context,
    payloads = deps.payloads,
  })
  self.schedule = schedule.new({ host = deps.host, policy = deps.policy, context = make_context })
  return self
end

local function skip(self, key, why)
  self.host.log("debug", why, { policy = self.policy.name, key = key })
end

-- Does the policy look at this object at all? Says why not.
function Controller:covers(object)
  local leaves_out = self.topic.leaves_out
  local why = leaves_out and leaves_out(object, self.policy.name)
  if not why and self.policy.namespaces and not self.policy.namespaces[object.Namespace] then
    why = self.topic.name .. " is in a namespace that the policy leaves out, skipping"
  end
  return why == nil, why
end

function Controller:put(key, fields)
  if not self.works then
    return
  end
  fields.key = key
  self.queue:put(fields)
end

--- The index that tells one state of an object from the next, as far as the policy cares (`watch.changes`): a job's
--- JobModifyIndex moves with the specification, ModifyIndex with the status too; of nodes and allocations see facts.
---@param key string
---@param object table an object or a stub
---@return integer
function Controller:version(key, object)
  if self.facts then
    return self.facts:version(key, object)
  end
  return object[self.version_field] or object.ModifyIndex
end

--- The object is of no interest any more.
---@param key string
function Controller:forget(key)
  self.objects:forget(key)
  if self.facts then
    self.facts:forget(key)
  end
end

-- Has the policy anything to do with this object, or had it before?
function Controller:concerns(key, matches)
  return matches or self.objects:version(key) ~= nil or self.known:has(self.policy.name, key)
end

function Controller:tell_handlers(key, job, event)
  if not self.handlers:want(event.type) then
    return
  end
  self.handlers:give({
    type = event.type,
    key = key,
    topic = self.topic.name,
    namespace = job.Namespace,
    index = event.index,
    object = job,
  }, #(event.raw or ""))
end

-- Does the object of an event match? nil: it has to be read to tell. `holds`: what the host has found.
local function event_matches(self, object, raw, holds)
  if holds ~= nil then
    return holds
  elseif self.topic.partial then
    return self:stub_matches(object)
  end
  return self.policy.filter:match(object, raw)
end

-- All policies of a topic have the same one.
local function cause_of(self, event, object)
  event.cause = event.cause
    or { kind = "event", type = event.type, status = self:status_of(object) }
  return event.cause
end

-- The object of an event is to be worked.
local function put_object(self, key, object, matches, event)
  if not self.works then
    return
  end
  local partial = self.topic.partial
  self.queue:put({
    key = key,
    gentle = false, -- with it there is room for what the queue adds
    object = not partial and object or nil,
    matches = matches,
    index = partial and event.index or nil,
    size = #(event.raw or ""),
    at = event.index,
    live = event.live,
    cause = cause_of(self, event, object),
  })
end

-- An object that is of no interest: says why the policy does not look at it, where that is read.
local function pass_over(self, key, object)
  if self.host.options.log_level == "debug" then
    local covered, why = self:covers(object)
    if not covered then
      skip(self, key, why)
    end
  end
end

--- An event with the object as it is now.
---@param key string
---@param job table a job, or whatever the topic is of
---@param event { type: string, key: string, index: integer, raw: string, live: boolean }
---@param holds? boolean the host has found whether the policy watches it; nil: it cannot tell
function Controller:observe(key, job, event, holds)
  local matches = holds ~= false and self:covers(job) and event_matches(self, job, event.raw, holds)
  if not self:concerns(key, matches ~= false) then
    pass_over(self, key, job)
    return
  elseif matches then
    self:tell_handlers(key, job, event)
  end
  if self.objects:news(key, self:version(key, job)) then
    put_object(self, key, job, matches, event)
  end
end

--- What a title says of an object's state.
---@param object? table
---@return string?
function Controller:status_of(object)
  return object and object[self.topic.status]
end

--- An event that says that the object was stopped or removed. Its payload is not state: the object is read.
---@param key string
---@param event { type: string, index: integer, live: boolean }
---@param job? table the job or other object in the event, which may be as it was before
---@param holds? boolean the host has found whether the policy watches it as it is there; nil: it cannot tell
function Controller:deregistered(key, event, job, holds)
  local matches = job and self:covers(job) and event_matches(self, job, event.raw, holds) ~= false
  if not self:concerns(key, matches) then
    return
  elseif job then
    self:tell_handlers(key, job, event)
  end
  if not self.works then
    self:forget(key)
  end
  self:put(key, {
    index = event.index,
    live = event.live,
    cause = cause_of(self, event, job),
  })
end

--- A child of the policy changed, or vanished.
---@param owner string key
---@param child string key
function Controller:child_changed(owner, child)
  self:put(owner, { cause = { kind = "drift", detail = marks.show(child) .. " changed" } })
end

-- Does the object behind this stub match? nil: it has to be read to tell.
function Controller:stub_matches(stub)
  if not self:covers(stub) then
    return false
  end
  local matches = self.policy.filter:match_stub(stub)
  if matches == nil and self.policy.watch.shallow then
    return false
  end
  return matches
end

-- A list that runs by the clock: what it repeats is no reason to try a failing key sooner.
local function is_routine(cause)
  return cause.kind == "resync"
end

-- The whole object, where the list has it: then it need not be read. Its size is that of its text.
local function object_of(self, stub)
  if self.topic.stub == true then
    return stub, #json.encode(stub)
  end
end

-- The version of a stub, after a look whether a snapshot was restored.
local function listed_version(self, key, stub, list_index)
  self.objects:compare_version(key, self:version(key, stub), list_index)
  if self.facts and self.objects:is_void(key) then
    self.facts:forget(key)
  end
  return self:version(key, stub)
end

-- The cause of an element of a list.
function Controller:cause_of(kind, stub)
  local status, last = self:status_of(stub), self.cause
  if not last or last.kind ~= kind or last.status ~= status then
    self.cause = { kind = kind, status = status }
  end
  return self.cause
end

-- Is the state of a stub neither worked nor overtaken?
local function is_news(self, key, version, newest)
  return not newest or (newest <= version and self.objects:worked(key) ~= version)
end

--- An object as the list shows it.
---@param key string
---@param stub table
---@param cause operator.Cause
---@param list_index integer of the list
function Controller:listed(key, stub, cause, list_index)
  local matches = self:stub_matches(stub)
  if matches == false and not self:concerns(key, false) then
    return
  end
  local version = listed_version(self, key, stub, list_index)
  local newest = self.objects:version(key)
  if matches == false then
    self:put(key, {
      cause = self:cause_of(newest and cause.kind or "sweep", stub),
      gentle = is_routine(cause) and (newest == nil or newest == version),
    })
  elseif is_news(self, key, version, newest) then
    self.objects:news(key, version)
    local object, size = object_of(self, stub)
    self:put(key, {
      object = object,
      size = size,
      at = version,
      cause = self:cause_of(cause.kind, stub),
      gentle = is_routine(cause) and newest == version,
    })
  end
end

--- Owners and their children as a list shows them are not as they should be.
---@param key string of the owner
---@param orphan? string a child of it, where the owner is not in the list
---@param cause operator.Cause of the list
function Controller:look_at(key, orphan, cause)
  self:put(key, {
    cause = orphan and { kind = "sweep", detail = marks.show(orphan) .. " has no owner" }
      or { kind = cause.kind },
    gentle = is_routine(cause),
  })
end

--- The list is merged: what was known and is not in it is read.
---@param cause operator.Cause
---@param present host.Keys of the list
function Controller:list_ended(cause, present)
  for key in self.objects:keys() do
    local there = present:has(self.topic.name, key)
    if not there and self.topic.fleeting and not self.known:has(self.policy.name, key) then
      self:forget(key)
    elseif not there then
      self:put(key, { cause = cause, gentle = is_routine(cause) })
    end
  end
end

--- A list was merged: keys that are parked are tried again.
---@param cause operator.Cause
function Controller:unpark(cause)
  local now, resync = self.host.monotonic(), self.policy.resync or math.huge
  local least = math.min(controller.UNPARK, resync / 2)
  if now - (self.unparked or -least) >= least then
    self.unparked = now
    self.queue:unpark(cause)
  end
end

--- The indexes of the cluster went back (another cluster, a restored snapshot): what was known of them is void.
function Controller:forget_indexes()
  self.objects:forget_versions()
  if self.facts then
    self.facts:forget_all()
  end
end

-- What an error that ended a reconcile means for its key.
local function outcome_of(self, err, trace, block)
  local verdict = failure.from(err) or { kind = "retry" }
  local blamed = self.gate:blames(verdict)
  local held = blamed or verdict.held
  block:say((held or verdict.quiet) and "debug" or "error", failure.text(err, trace))
  if blamed then
    return { kind = "retry", held = true }
  end
  return { kind = verdict.kind, delay = verdict.delay, held = held }
end

-- The last line of a block.
local function footer(ok, how, delay)
  if how == "parked" then
    return "Failed; tried again when the job changes, or at the next resync"
  elseif how == "retry" then
    return ("Failed, next try in %s"):format(duration.format(delay))
  elseif how == "after" then
    return ("Done, again in %s"):format(duration.format(delay))
  elseif how == "held" then
    return "Put off, until Nomad works again"
  end
  return ok and "Done" or "Failed; the job has changed since: again at once"
end

-- The task of an item was cut short by the end of its generation. The next one looks at every job.
local function cut_short(self, item, block)
  self.queue:finish(item, { kind = "fail" })
  block:close("Given up: the operator stops, or new scripts have taken over")
end

-- The task of an item has ended.
function Controller:ended(item, block, ok, result, trace)
  if not ok and failure.is_cancelled(result) then
    cut_short(self, item, block)
    return
  end
  local outcome = ok and result or outcome_of(self, result, trace, block)
  self.results:add(self.policy.name, outcome.kind)
  if not ok and self.fatal then
    self.fatal(item.key, tostring(result))
    outcome = { kind = "fail" }
  end
  local how, delay = self.queue:finish(item, outcome)
  self.gate:ended(item)
  block:close(footer(ok, how, delay))
  if self.on_idle then
    self.on_idle()
  end
end

-- Starts the task of an item.
function Controller:run(item)
  local policy, host = self.policy, self.host
  self.gate:began(item)
  local block = transcript.open(host, policy.name, item.key, item.cause)
  host.spawn(policy.name .. " " .. item.key, reconcile.run, function(ok, result, trace)
    self:ended(item, block, ok, result, trace)
  end, self, item, block)
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
  local counts = self.queue:status()
  return table.concat({
    ("policy %s: %d watched, %d children"):format(
      self.policy.name,
      self.objects:count(),
      self.known:count(self.policy.name)
    ),
    ("queue: %d ready, %d running, %d waiting, %d parked"):format(
      counts.ready,
      counts.running,
      counts.waiting,
      counts.parked
    ),
  }, ", ")
end

return controller
