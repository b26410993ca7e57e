--- apply: makes the children of one owner as `desired` says: registers what is missing, updates what differs, removes
--- what is no longer wanted. What does not carry our marks is never touched.

local jobs = require "nomad.jobs"
local child = require "operator.child"
local compare = require "operator.compare"
local failure = require "operator.failure"
local flap = require "operator.flap"
local marks = require "operator.marks"

local apply = {}

--- How often a write is decided anew because somebody else wrote first, before the key goes to its backoff.
local CONFLICTS = 4

---@class operator.ApplyContext
---@field policy operator.Policy
---@field owner string key
---@field block operator.Block what is said goes here
---@field free boolean removals are the owner's own doing and cost no budget
---@field reason string why a child that is no longer wanted is removed: "source stopped"

---@class operator.Apply
---@field private known operator.Known
---@field private budget operator.Budget
---@field private host table
---@field private planned? table[] set: nothing is written, what would be is put here
local Apply = {}
Apply.__index = Apply

--- @param deps { known: operator.Known, budget: operator.Budget, host: table, planned?: table[] }
---@return operator.Apply
function apply.new(deps)
  local options = deps.host.options
  return setmetatable({
    known = deps.known,
    budget = deps.budget,
    host = deps.host,
    planned = deps.planned,
    flap = flap.new(deps.host),
    instance = options.instance,
    dry_run = options.dry_run or deps.planned ~= nil,
  }, Apply)
end

-- "Backup": the policy as a noun that begins a line.
local function noun(policy)
  return (policy.name:gsub("^%l", string.upper))
end

-- Raises unless the live job is this owner's child.
function Apply:check_owned(context, key, live)
  local mark = marks.read(live)
  local id = marks.show(key)
  if not mark then
    failure.fail(
      (
        "job %s exists and is not ours (it has no marks of this operator), so it is left alone; "
        .. "rename it, or let the policy use another ID"
      ):format(id)
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
      noun(context.policy),
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
local function conflict_or_raise(context, err, what)
  if err.code ~= "conflict" then
    failure.raise(err, what)
  end
  context.block:say("debug", tostring(err))
  return false
end

-- What is written again although its owner wants what it wanted before, somebody else has changed. Raises where that
-- goes on and on.
function Apply:slow_down(context, wanted)
  if not context.free and self.known:was(wanted.key, wanted.digest) then
    self.flap:repair(context.policy.name, wanted.key)
  end
end

-- Writes the child. Returns false when somebody else wrote first: read again and decide again.
function Apply:write(context, wanted, live, detail)
  local name, key = context.policy.name, wanted.key
  local op = (live and not live.Stop) and "update" or "create"
  if self.dry_run then
    self:foresee(context, key, op, op .. "d", detail)
    return true
  end
  self:slow_down(context, wanted)
  if op == "create" then
    context.block:say("info", ("Registering %s job"):format(name), { child = key })
  end
  local index = live and live.JobModifyIndex or 0
  local answer, err = jobs.register(wanted.job, { enforce_index = index })
  if not answer then
    return conflict_or_raise(context, err, ("%s could not be %sd"):format(marks.show(key), op))
  end
  self.known:saw(key, marks.read(wanted.job), answer.JobModifyIndex, false)
  self.known:synced(key, wanted.digest)
  self.host.count("writes_total", 1, { policy = name, verb = op })
  say_done(context, key, op .. "d", detail)
  if (answer.Warnings or "") ~= "" then
    context.block:say("debug", "Nomad warns: " .. answer.Warnings:gsub("%s+", " "))
  end
  return true
end

-- What is different about the live child, in words; nil: nothing. The hash tells of fields that were taken away.
local function drift(wanted, live, mark)
  local difference = compare.first_difference(wanted.job, live, { "Meta.operator-*" })
  if difference then
    return compare.describe(difference)
  elseif live.Stop then
    return "was stopped"
  elseif mark.hash and mark.hash ~= wanted.digest then
    return "changed"
  end
  return nil
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
    self.known:saw(wanted.key, mark, live.JobModifyIndex, live.Stop == true)
    detail = drift(wanted, live, mark)
    if not detail then
      self.known:synced(wanted.key, wanted.digest)
      return false
    end
  end
  return self:write(context, wanted, live, detail) or nil
end

-- One child that should exist. Returns whether it was written.
function Apply:ensure(context, wanted)
  local wrote = false
  if not self.known:in_sync(wanted.key, wanted.digest, context.policy.name, context.owner) then
    local lock <close> = self.host.lock(wanted.key) -- luacheck: ignore 211
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

-- Takes the removal out of the budget, where it costs something. Raises when that is used up.
function Apply:pay(context, key)
  local policy = context.policy
  if context.free or (self.dry_run and not self.planned) then
    return
  end
  local paid, why = self.budget:take(policy.name, self.known:count(policy.name), policy.max_delete)
  if not paid then
    self.host.count("sweep_refused_total", 1, { policy = policy.name })
    failure.fail(("%s is not removed (%s): %s"):format(marks.show(key), context.reason, why))
  end
end

-- Stops the live child. Returns false on a conflict.
function Apply:stop(context, key, live)
  local policy = context.policy
  self:pay(context, key)
  if self.dry_run then
    self:foresee(context, key, "remove", "removed", context.reason)
    return true
  end
  local answer, err = jobs.stop(live, { enforce_index = live.JobModifyIndex })
  if not answer then
    if not context.free then
      self.budget:give_back(policy.name)
    end
    return conflict_or_raise(context, err, ("%s could not be removed"):format(marks.show(key)))
  end
  self.known:saw(key, marks.read(live), answer.JobModifyIndex, true)
  if policy.purge then
    self:purge(key)
  end
  self.host.count("writes_total", 1, { policy = policy.name, verb = "remove" })
  say_done(context, key, "removed", context.reason)
  return true
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
    return false
  end
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
    local wanted = child.new(value, context.policy.name, context.owner, self.host.options)
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
    elseif not first or (first.held and not result.held) then
      first = result
    else
      context.block:say(result.held and "debug" or "error", tostring(result))
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
