--- generation: all policies of one Lua state, from load to stop. It lists on every connect and at every resync, hands
--- events to the controllers, and holds nothing that a fresh start would not find again.

local host = require "host"
local json = require "host.json"
local apply = require "operator.apply"
local approve = require "operator.approve"
local ask = require "operator.ask"
local backoff = require "operator.backoff"
local budget = require "operator.budget"
local controller = require "operator.controller"
local duration = require "operator.duration"
local events = require "operator.events"
local failure = require "operator.failure"
local gate = require "operator.gate"
local health = require "operator.health"
local hold = require "operator.hold"
local known = require "operator.known"
local listing = require "operator.listing"
local marks = require "operator.marks"
local namespaces = require "operator.namespaces"
local newest = require "operator.newest"
local parsing = require "operator.parsing"
local passing = require "operator.passing"
local payloads = require "operator.payloads"
local polling = require "operator.polling"
local reads = require "operator.reads"
local recall = require "operator.recall"
local rights = require "operator.rights"
local subscription = require "operator.subscription"
local tombstones = require "operator.tombstones"
local watched = require "operator.watched"
local watchlist = require "operator.watchlist"

local generation = {}

local RETRY = { base = 1, max = 30 }

---@class operator.Generation
---@field policies operator.Policy[]
---@field controllers operator.Controller[]
---@field by_name table<string, operator.Controller>
---@field watched operator.Watched
---@field known operator.Known
---@field tombstones operator.Tombstones
---@field instance string
---@field namespaces? table<string, boolean> nil: all
---@field list_namespaces string[] "*" alone, or some
---@field scope operator.Namespaces
---@field round integer lists so far
---@field recall operator.Recall
---@field newest operator.Newest of jobs
---@field stubs? operator.Where[] which stubs of a list are looked at; nil: all
---@field touched table<string, host.Packed> by policy: owners that listing has found to need a look
---@field options { planned?: table[], fatal?: function, idle?: function, once?: boolean }
local Generation = {}
Generation.__index = Generation

--- `options` are for `plan`: planned takes what would be written, fatal each key's error, idle is called after each
--- key, and with once Nomad is asked once only.
---@param options? { planned?: table[], fatal?: fun(key: string, message: string), idle?: fun(), once?: boolean }
---@return operator.Generation
function generation.new(options)
  options = options or {}
  local self = setmetatable({
    controllers = {},
    by_name = {},
    known = known.new(watchlist.new(host, "Job")),
    tombstones = tombstones.new(),
    instance = host.options.instance,
    round = 0,
    newest = newest.new(),
    touched = {},
    synced = false,
    working = false,
    stopped = false,
    connection = nil,
    followers = {},
    watched = watched.new({}),
    options = options,
    signal = host.signal(),
    host = host,
  }, Generation)
  self.gate = gate.new({ host = host, once = options.once })
  self.gate:guard()
  self.payloads = payloads.new()
  self.reads = reads.new(host)
  self.budget = budget.new({ host = host, limit = host.options.max_delete })
  self.recall = recall.new({
    host = host,
    known = self.known,
    budget = self.budget,
    instance = self.instance,
    stops_runs = function(policy)
      local one = self.by_name[policy]
      return one ~= nil and one.policy.stop_runs == true
    end,
  })
  self.hold = hold.new({
    host = host,
    put = function(policy, key)
      self.by_name[policy]:put(key, { cause = { kind = "retry" } })
    end,
    release = function()
      self:unpark({ kind = "retry" })
    end,
  })
  self.rights = rights.new({
    host = host,
    asks = not (options.planned or host.options.dry_run),
    release = function()
      self:unpark({ kind = "retry" })
    end,
  })
  self.apply = apply.new({
    known = self.known,
    budget = self.budget,
    hold = self.hold,
    rights = self.rights,
    host = host,
    planned = options.planned,
  })
  self.list_namespaces, self.namespaces = namespaces.asked(host.options.namespaces)
  self.scope = namespaces.new({ host = host, wanted = self.namespaces, generation = self })
  return self
end

-- What a person who watches wants to know once; a command prints its own result.
local function note(message)
  host.log(host.options.command == "run" and "info" or "debug", message)
end

--- Takes what is subscribed to, or loads the scripts first: that raises one error with file:line.
---@param from? operator.Subscription
---@return operator.Interests
function Generation:load(from)
  from = from or subscription.load()
  self.policies, self.templates = from.policies, from.templates
  for _, policy in ipairs(self.policies) do
    local one = controller.new({
      host = host,
      policy = policy,
      apply = self.apply,
      known = self.known,
      found = function(mark, key)
        local owner = self.by_name[mark.policy]
        if owner then
          owner:put(mark.owner, {
            cause = { kind = "sweep", detail = marks.show(key) .. " was found" },
          })
        end
      end,
      gate = self.gate,
      payloads = self.payloads,
      reads = self.reads,
      scope = self.scope,
      fatal = self.options.fatal,
      idle = self.options.idle,
    })
    self.controllers[#self.controllers + 1] = one
    self.by_name[policy.name] = one
    note(("Policy %s from %s"):format(policy.name, policy.source))
  end
  self.watched = watched.new(self.controllers)
  self.stubs = passing.stubs(self.watched:policies_of("Job"), self.instance)
  for _, text in ipairs(self.watched:notes()) do
    note(text)
  end
  return from.interests
end

-- Lists until a list has come through. Returns how many jobs there are.
local function list(self, cause)
  local attempt, said = 0, nil
  while not self.stopped do
    local epoch = health.list_begins(self)
    local index, err, count = listing.run(self, cause)
    if index then
      health.list_merged(self, epoch)
      self.list_index = index
      self.synced = true
      host.count("resync_total", 1, { result = "ok" })
      return count
    end
    health.list_failed(self, err)
    host.count("resync_total", 1, { result = "error" })
    if self.options.once then
      error("The jobs cannot be listed: " .. tostring(err), 0)
    end
    attempt = attempt + 1
    local message = "The jobs cannot be listed: " .. tostring(err)
    host.log(message == said and "debug" or "error", message)
    said = message
    host.sleep(err.retry_after or backoff.delay(attempt, RETRY, host.random))
  end
  return 0
end

--- Everything up to the first list. Raises when the generation must not take over.
---@async
---@param first boolean no generation ran before in this process
function Generation:start(first)
  self.first = first
  if first and not self.options.once then
    -- As early as the stream subscribes.
    self.scope:start()
  end
  parsing.run(host, self.templates, { once = self.options.once, signal = self.signal })
  while not self.connection do
    self.signal:wait()
  end
  self.listing = true
  local count = list(self, { kind = first and "start" or "reload" })
  self.listing = false
  note(("Synced: %d jobs, %d children"):format(count, self:count_children()))
end

--- How many children exist and are not stopped.
---@return integer
function Generation:count_children()
  local count = 0
  for _, one in ipairs(self.controllers) do
    count = count + self.known:count(one.policy.name)
  end
  return count
end

local follow

-- One more list, of jobs and all that is watched or of one topic, in a task of its own; while one runs, at most one
-- more is remembered.
local function relist(self, cause, topic)
  if self.listing then
    self.list_again = cause
    return
  end
  self.listing = true
  host.spawn("list", function()
    if topic then
      self.watched:list(self, topic, cause)
      return
    end
    local count = list(self, cause)
    self.hold:retry()
    self.rights:renew()
    for _, one in ipairs(self.controllers) do
      one:unpark(cause)
    end
    host.log("debug", ("Listed %d jobs (%s)"):format(count, cause.kind))
  end, function(ok, err, trace)
    self.listing = false
    if not ok and not self.stopped then
      host.log("error", "The list failed: " .. failure.text(err, trace))
    end
    local again = self.list_again
    self.list_again = nil
    if again and not self.stopped then
      relist(self, again)
    elseif self.working and not self.stopped then
      follow(self)
    end
  end)
end

local function resync_interval(self)
  local interval = math.huge
  for _, policy in ipairs(self.policies) do
    interval = math.min(interval, policy.resync or math.huge)
  end
  return interval
end

local function arm_resync(self)
  local interval = resync_interval(self)
  if interval < math.huge and not self.stopped then
    self.resync_timer:set(interval)
  end
end

-- Where no stream tells of a topic, its list is waited for.
function follow(self)
  polling.follow(self, self.followers, function(topic)
    relist(self, { kind = "resync" }, topic.name ~= "Job" and topic or nil)
  end)
end

--- The swap: begins to work.
function Generation:work()
  self.working = true
  if not self.first then
    host.log("info", ("Reload: generation %d has taken over"):format(host.options.generation))
  end
  self.rights:start(self.controllers)
  for _, one in ipairs(self.controllers) do
    one:start()
  end
  self.scope:start()
  follow(self)
  self.resync_timer = host.timer(function()
    self.scope:resync()
    relist(self, { kind = "resync" })
    arm_resync(self)
  end)
  arm_resync(self)
  if self.list_again then
    local cause = self.list_again
    self.list_again = nil
    relist(self, cause)
  end
end

--- A stream is there, or (not live) lists have to do. Events may have been lost before.
---@param epoch integer
---@param live boolean
function Generation:connected(epoch, live)
  local before = self.connection
  self.connection = { epoch = epoch, live = live }
  if not (before and before.epoch == epoch) then
    self.newest:seen(host.take_newest())
    self.newest:connected()
    self.watched:connected()
  end
  self.scope:connected(live)
  self.signal:fire()
  if self.working then
    follow(self)
  end
  if not (before and before.epoch ~= epoch) then
    return
  end
  self:lost_events("the stream was connected anew")
end

--- The stream ended. The host says so, and connects anew: that, not this, is the time to list.
function Generation.lost() end

--- Events were dropped by the host.
---@param reason string
function Generation:gap(reason)
  host.log("warn", ("Events were lost (%s): listing all jobs"):format(reason))
  self:lost_events(reason)
end

-- State decides, not events: list again, and tell the handlers that want to know.
function Generation:lost_events(reason)
  for _, one in ipairs(self.controllers) do
    one.handlers:gap(reason)
  end
  if self.working then
    relist(self, { kind = "reconnect" })
  elseif self.listing then
    self.list_again = { kind = "reconnect" }
  end
end

--- One event of the stream that interests.pass lets through.
---@param topic string
---@param type string
---@param id string the event's Key; some have none
---@param namespace string
---@param index integer
---@param raw string JSON of the payload
---@param holds? integer what the host has found of the topic's watches, a bit each (operator.passing); nil: not all
---@return boolean? enough the next ones had better wait, as long as there is room for them
function Generation:event(topic, type, id, namespace, index, raw, holds)
  -- Before Nomad 1.9.6 a stream of all namespaces shows also those that the token may not read.
  local unread = self.scope:is_lost(namespace)
  local out = self.namespaces and namespace ~= "" and not self.namespaces[namespace]
  if self.stopped or unread or out then
    return
  end
  -- The payload and the object in it at once, what is long below that when it is asked for.
  local payload, err = json.decode_lazy(raw, 2)
  if not payload then
    self:gap(("event %s of %s cannot be read: %s"):format(type, id, err))
    return
  end
  local event = { type = type, index = index, raw = raw, holds = holds, key = nil, live = nil }
  events.take(self, topic, event, payload)
  return self:busy()
end

--- Is there so much to do that more events had better wait?
---@return boolean
function Generation:busy()
  return self.payloads:is_ample()
end

--- No new work; what runs goes on.
---@param reason "reload"|"shutdown"
function Generation:stop(reason)
  self.stopped = true
  self.hold:stop()
  self.rights:stop()
  if reason == "reload" then
    self.apply:give_up()
  end
  if self.resync_timer then
    self.resync_timer:stop()
  end
  for _, task in pairs(self.followers) do
    task:cancel()
  end
  self.scope:stop()
  for _, one in ipairs(self.controllers) do
    one:stop()
  end
end

--- Works every parked key again.
---@param cause operator.Cause
function Generation:unpark(cause)
  for _, one in ipairs(self.controllers) do
    one.queue:unpark(cause)
  end
end

--- A person confirms the removals that the budget refuses: they are made now, and the count begins anew.
---@param policy? string its name; nil: all
---@return integer? removals
---@return string? why not
function Generation:approve(policy)
  return approve.run(self, policy)
end

--- What a person asks over the admin pages.
---@param question string see operator.ask
---@param argument? string
---@return operator.Answer
function Generation:ask(question, argument)
  return ask.run(self, question, argument)
end

--- Is nothing in flight?
---@return boolean
function Generation:idle()
  for _, one in ipairs(self.controllers) do
    if not one:idle() then
      return false
    end
  end
  return true
end

--- For readiness and metrics.
---@return operator.Health
function Generation:health()
  return health.of(self)
end

--- Lines for SIGUSR1.
---@return string[]
function Generation:status()
  local interval = self.working and resync_interval(self) or math.huge
  local lines = {
    ("generation %d: %s, %d lists, resync every %s"):format(
      host.options.generation,
      self.working and "working" or (self.synced and "synced" or "starting"),
      self.round,
      interval < math.huge and duration.format(interval) or "never"
    ),
  }
  lines[#lines + 1] = self.gate:status()
  for _, one in ipairs(self.controllers) do
    lines[#lines + 1] = one:status()
  end
  return lines
end

return generation
