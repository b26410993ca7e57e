--- apply: makes the children of one owner as `desired` says: registers what is missing, updates what differs, removes
--- what is no longer wanted. What does not carry our marks is never touched.

local nomad = require "nomad"
local agent = require "nomad.agent"
local jobs = require "nomad.jobs"
local changes = require "operator.changes"
local check = require "operator.check"
local child = require "operator.child"
local echo = require "operator.echo"
local failure = require "operator.failure"
local flap = require "operator.flap"
local ignore = require "operator.ignore"
local marks = require "operator.marks"
local runs = require "operator.runs"
local shape = require "operator.shape"

local apply = {}

--- How often a write is decided anew because somebody else wrote first, before the key goes to its backoff.
local CONFLICTS = 4

--- Errors after which a write may have been made all the same.
local UNANSWERED = { cut = true, timeout = true, idle = true, server = true, not_nomad = true }

---@class operator.ApplyContext
---@field policy operator.Policy
---@field owner string key
---@field block operator.Block what is said goes here
---@field free boolean removals are the owner's own doing and cost no budget
---@field news boolean an event has just told of the owner's change
---@field decision operator.Decision what this was decided on
---@field reason string why a child that is no longer wanted is removed: "source stopped"

---@class operator.Apply
---@field private known operator.Known
---@field private budget operator.Budget
---@field private hold operator.Hold
---@field private rights operator.Rights
---@field private checker operator.Check
---@field private host table
---@field private planned? table[] set: nothing is written, what would be is put here
local Apply = {}
Apply.__index = Apply

---@class operator.ApplyDeps
---@field known operator.Known
---@field budget operator.Budget
---@field hold operator.Hold
---@field rights operator.Rights
---@field host table
---@field planned? table[]

---@param deps operator.ApplyDeps
---@return operator.Apply
function apply.new(deps)
  local options = deps.host.options
  return setmetatable({
    known = deps.known,
    budget = deps.budget,
    hold = deps.hold,
    rights = deps.rights,
    host = deps.host,
    planned = deps.planned,
    flap = flap.new(deps.host),
    checker = check.new({ host = deps.host, version = agent.version }),
    echo = echo.new(),
    instance = options.instance,
    dry_run = options.dry_run or deps.planned ~= nil,
  }, Apply)
end

-- Raises unless the live job is this owner's child, or says itself that it may become it.
function Apply:check_owned(context, key, live)
  local mark = marks.read(live)
  local id = marks.show(key)
  if not mark then
    if marks.may_adopt(live, context.policy.name) then
      return { adopted = true }
    end
    failure.fail(
      (
        "job %s exists and is not ours (it has no marks of this operator), so it is left alone; "
        .. "rename it, or let the policy use another ID, "
        .. 'or let it be taken over with %s = "%s" in its own meta'
      ):format(id, marks.ADOPT, context.policy.name)
    )
  elseif mark.instance ~= self.instance then
    failure.fail(
      ("job %s belongs to operator instance %s, and this one is %s; it is left alone"):format(
        id,
        mark.instance,
        self.instance
      )
    )
  elseif mark.policy ~= context.policy.name or mark.owner ~= context.owner then
    failure.fail(
      (
        "job %s already belongs to %s of policy %s; "
        .. "two owners cannot have one child, the first keeps it"
      ):format(id, marks.show(mark.owner), mark.policy)
    )
  end
  return mark
end

local function say_done(context, key, words, detail)
  context.block:say(
    "info",
    ("%s %s: %s%s"):format(
      context.policy:noun(),
      words,
      marks.show(key),
      detail and (" (" .. detail .. ")") or ""
    ),
    { child = key }
  )
end

-- What would be done: said in the block, or noted for `plan`.
function Apply:foresee(context, key, op, words, detail)
  if not self.planned then
    say_done(context, key, "would be " .. words, detail)
    return
  end
  self.planned[#self.planned + 1] = {
    op = op,
    policy = context.policy.name,
    owner = context.owner,
    child = key,
    detail = detail,
  }
end

-- A write was refused: false for a conflict, which is decided anew; anything else is raised.
function Apply:conflict_or_raise(context, key, err, what)
  if err.code ~= "conflict" then
    self.hold:refused(err, marks.split(key), context.policy.name, context.owner)
    failure.raise(err, what)
  end
  context.block:say("debug", tostring(err))
  return false
end

-- Raises quietly where Nomad would refuse any write.
function Apply:check_hold(context, key)
  self.hold:check((marks.split(key)), context.policy.name, context.owner)
  self.rights:check((marks.split(key)))
end

-- Somebody else wrote the live job since we last found it right, or the decision is old: the owner may have changed. As
-- the live job was read before the owner is read again, and is written under check-and-set, an old one undoes nothing.
function Apply:check_still(context, key, live)
  local sure = self.known:right_at(key, live.JobModifyIndex) and context.decision:is_fresh()
  if not sure and not context.decision:still() then
    failure.again(("%s has changed meanwhile"):format(marks.show(context.owner)))
  end
end

-- Sends the wanted job, with what others own as it is live.
function Apply:register(context, wanted, live)
  self:check_hold(context, wanted.key)
  local options = { enforce_index = live and live.JobModifyIndex or 0 }
  if wanted.text then
    return jobs.register_text(wanted.text, wanted.namespace, options)
  end
  local job = live and ignore.keep(wanted.job, live, context.policy.ignored) or wanted.job
  return jobs.register(job, options)
end

-- What is written again although its owner wants what it wanted before, somebody else has changed. Raises where that
-- goes on and on.
function Apply:slow_down(context, wanted)
  if not context.free and self.known:was(wanted.key, wanted.digest) then
    self.flap:repair(context.policy.name, wanted.key)
  end
end

-- The write was made. Raises quietly where the stream has shown a later one of somebody else.
function Apply:check_last(key, answer)
  if self.echo:is_newer(key, answer.JobModifyIndex) then
    self.known:doubt(key)
    failure.again(("%s was written by somebody else meanwhile"):format(marks.show(key)))
  end
end

--- New scripts have taken over: what these ones want is not begun any more.
function Apply:give_up()
  self.superseded = true
end

local function check_current(self)
  if self.superseded then
    error(nomad.error { code = "cancelled", message = "new scripts have taken over" }, 0)
  end
end

-- Writes the child. Returns false when somebody else wrote first: read again and decide again.
function Apply:write(context, wanted, live, detail)
  check_current(self)
  local name, key = context.policy.name, wanted.key
  local op = (live and not live.Stop) and "update" or "create"
  if self.dry_run then
    self:foresee(context, key, op, op .. "d", detail)
    return true
  end
  self:slow_down(context, wanted)
  local listening <close> = self.echo:listen(key) -- luacheck: ignore 211
  local answer, err = self:register(context, wanted, live)
  if not answer then
    local what = ("%s could not be %sd"):format(marks.show(key), op)
    return self:conflict_or_raise(context, key, err, what)
  end
  self.hold:passed((marks.split(key)))
  if op == "create" then
    context.block:say("info", ("Registering %s job"):format(name), { child = key })
  end
  self.known:saw(key, { policy = name, owner = context.owner }, answer.JobModifyIndex, false)
  self.known:synced(key, wanted.digest)
  self.host.count("writes_total", 1, { policy = name, verb = op })
  say_done(context, key, op .. "d", detail)
  self:check_last(key, answer)
  if (answer.Warnings or "") ~= "" then
    context.block:say("debug", "Nomad warns: " .. answer.Warnings:gsub("%s+", " "))
  end
  return true
end

-- One look at a child that should exist, and the write if it needs one. Returns whether it wrote; nil: a conflict.
function Apply:ensure_once(context, wanted)
  local live, err = jobs.get(marks.split(wanted.key))
  if not live and err.code ~= "not_found" then
    failure.raise(err)
  end
  local detail
  if live then
    local mark = self:check_owned(context, wanted.key, live)
    if not mark.adopted then
      self.known:saw(wanted.key, mark, live.JobModifyIndex, live.Stop == true)
    end
    local reshaped = shape.change(live, wanted.job)
    if reshaped then
      self:check_still(context, wanted.key, live)
      return self:replace(context, wanted, live, reshaped) or nil
    end
    detail = changes.drift(live, wanted, mark, context.policy.uncompared)
    if not detail then
      self.known:synced(wanted.key, wanted.digest)
      return false
    end
    self:check_still(context, wanted.key, live)
  end
  return self:write(context, wanted, live, detail) or nil
end

-- Is the child most likely new: its owner has just changed, and no list or event has shown it? Then it is made
-- without a look. Where there is such a job all the same, Nomad refuses that (EnforceIndex 0), and it is looked at.
function Apply:is_new(context, wanted)
  return context.news and not self.dry_run and self.known:whose(wanted.key) == nil
end

-- One child that should exist. Returns whether it was written.
function Apply:ensure(context, wanted)
  local wrote = false
  if not self.known:in_sync(wanted.key, wanted.digest, context.policy.name, context.owner) then
    local lock <close> = self.host.lock(wanted.key) -- luacheck: ignore 211
    if self:is_new(context, wanted) and self:write(context, wanted, nil, nil) then
      return true
    end
    for _ = 1, CONFLICTS do
      wrote = self:ensure_once(context, wanted)
      if wrote ~= nil then
        break
      end
    end
  end
  if wrote == nil then
    failure.retry(
      ("job %s changes faster than it can be written; somebody else writes it too"):format(
        marks.show(wanted.key)
      )
    )
  elseif not wrote then
    self.host.count("writes_suppressed_total", 1, { policy = context.policy.name })
  end
  return wrote
end

-- Takes the removal out of the budget, where it costs something. Raises when that is used up. Returns the time to mark
-- the stop with, if it cost something.
function Apply:pay(context, key, reason)
  local policy = context.policy
  if context.free or (self.dry_run and not self.planned) then
    return nil
  end
  local children = self.known:count(policy.name)
  local paid, result = self.budget:take(policy.name, children, key, policy.max_delete)
  if not paid then
    self.host.count("sweep_refused_total", 1, { policy = policy.name })
    failure.fail(("%s is not removed (%s): %s"):format(marks.show(key), reason, result))
  end
  return result
end

-- Sends the stop, and takes it back out of the budget where it is refused. Returns false on a conflict.
function Apply:send_stop(context, key, live, time)
  local doomed = time and marks.swept(live, time) or live
  local listening <close> = self.echo:listen(key) -- luacheck: ignore 211
  local answer, err = jobs.stop(doomed, { enforce_index = live.JobModifyIndex })
  if answer then
    self.hold:passed((marks.split(key)))
    self.known:saw(key, marks.read(live), answer.JobModifyIndex, true)
    self:check_last(key, answer)
    return true
  elseif not context.free then
    -- Without an answer nobody knows: it stays paid, and the next try is free.
    self.budget:give_back(context.policy.name, key, time, UNANSWERED[err.code])
  end
  local what = ("%s could not be removed"):format(marks.show(key))
  return self:conflict_or_raise(context, key, err, what)
end

-- A child of another shape: purged and made anew, where the policy wants that. Returns false on a conflict.
function Apply:replace(context, wanted, live, change)
  local key, detail = wanted.key, "replaced, " .. change
  if not context.policy.replace then
    failure.fail(
      (
        "job %s cannot become what the policy wants (%s): Nomad does not change that in place; "
        .. "say replace = true in the policy to have it purged and made anew, "
        .. "or let the policy use another ID"
      ):format(marks.show(key), change)
    )
  end
  if not self.dry_run then
    self:check_hold(context, key)
  end
  local time = not live.Stop and self:pay(context, key, detail) or nil
  if self.dry_run then
    self:foresee(context, key, "update", "updated", detail)
    return true
  elseif not live.Stop and not self:send_stop(context, key, live, time) then
    return false
  end
  self:purge(key)
  if not self:write(context, wanted, nil, nil) then
    return false
  end
  context.block:say("info", ("It replaces the one before (%s)"):format(change), { child = key })
  return true
end

-- Stops the live child. Returns false on a conflict.
function Apply:stop(context, key, live)
  check_current(self)
  local policy = context.policy
  if not self.dry_run then
    self:check_hold(context, key)
  end
  local time = self:pay(context, key, context.reason)
  if self.dry_run then
    self:foresee(context, key, "remove", "removed", context.reason)
    return true
  elseif not self:send_stop(context, key, live, time) then
    return false
  end
  self.host.count("writes_total", 1, { policy = policy.name, verb = "remove" })
  say_done(context, key, "removed", context.reason)
  if policy.stop_runs then
    self:stop_runs(context, key)
  end
  -- What the budget paid for stays, stopped: it is what a restart counts.
  if policy.purge and not time then
    self:purge(key)
  end
  return true
end

-- The runs of a stopped child. Until they are known to be stopped the child is not done with.
function Apply:stop_runs(context, key)
  self.known:settle(key, true)
  local stopped, err = runs.stop(key)
  if stopped > 0 then
    say_done(context, key, ("%d %s stopped"):format(stopped, stopped == 1 and "run" or "runs"))
  end
  if err then
    failure.raise(err, ("the runs of %s could not be stopped"):format(marks.show(key)))
  end
  self.known:settle(key, false)
end

function Apply:purge(key)
  local namespace, id = marks.split(key)
  local purged, err = jobs.deregister(namespace, id, { purge = true })
  if not purged then
    failure.raise(err, ("%s is stopped, but could not be purged"):format(marks.show(key)))
  end
  self.known:forget(key)
end

-- One look at a child that should not exist. Returns whether it was stopped; nil: a conflict.
function Apply:remove_once(context, key)
  local live, err = jobs.get(marks.split(key))
  if not live and err.code ~= "not_found" then
    failure.raise(err)
  end
  local mark = live and marks.read(live)
  if
    not mark
    or mark.instance ~= self.instance
    or mark.policy ~= context.policy.name
    or mark.owner ~= context.owner
  then
    self.known:forget(key) -- gone, or no longer this owner's
    return false
  elseif live.Stop then
    self.known:saw(key, mark, live.JobModifyIndex, true)
    if context.policy.stop_runs and not self.dry_run then
      self:stop_runs(context, key)
    end
    return false
  end
  self:check_still(context, key, live)
  return self:stop(context, key, live) or nil
end

-- One child that should not exist any more. Returns whether it was stopped.
function Apply:remove(context, key)
  local lock <close> = self.host.lock(key) -- luacheck: ignore 211
  for _ = 1, CONFLICTS do
    local stopped = self:remove_once(context, key)
    if stopped ~= nil then
      return stopped
    end
  end
  failure.retry(
    ("job %s changes faster than it can be stopped; somebody else writes it too"):format(
      marks.show(key)
    )
  )
end

-- Everything that desired returned, complete. Raises before anything is written.
function Apply:prepare(context, desired)
  local list, keys = {}, {}
  for i, value in ipairs(desired) do
    local wanted = child.new(value, context.policy, context.owner, self.host.options, self.checker)
    if keys[wanted.key] then
      failure.fail(("desired returned job %s twice"):format(marks.show(wanted.key)))
    end
    list[i], keys[wanted.key] = wanted, true
  end
  return list, keys
end

--- Makes the owner's children as `desired`. One child that fails does not keep the others from being made; the first
--- error is raised at the end.
---@async
---@param context operator.ApplyContext
---@param desired any[] what the policy returned
---@return integer writes
---@return string[] keys of the children that are wanted
function Apply:sync(context, desired)
  local list, wanted = self:prepare(context, desired)
  local writes, first, keys = 0, nil, {}
  local function try(step, argument)
    local ok, result = pcall(step, self, context, argument)
    if ok then
      writes = writes + (result and 1 or 0)
    elseif not failure.is(result) then
      error(result, 0)
    elseif not first or (failure.is_silent(first) and not failure.is_silent(result)) then
      first = result
    else
      context.block:say(failure.is_silent(result) and "debug" or "error", tostring(result))
    end
  end
  for i, one in ipairs(list) do
    keys[i] = one.key
    try(self.ensure, one)
  end
  for _, key in ipairs(self.known:of(context.policy.name, context.owner)) do
    if not wanted[key] then
      try(self.remove, key)
    end
  end
  if first then
    error(first, 0)
  end
  return writes, keys
end

return apply
