--- apply: makes the children of one owner as `desired` says: registers what is missing, updates what differs, removes
--- what is no longer wanted. What does not carry our marks is never touched.

local nomad = require "nomad"
local agent = require "nomad.agent"
local jobs = require "nomad.jobs"
local ahead = require "operator.ahead"
local changes = require "operator.changes"
local check = require "operator.check"
local child = require "operator.child"
local counters = require "operator.counters"
local echo = require "operator.echo"
local failure = require "operator.failure"
local flap = require "operator.flap"
local fresh = require "operator.fresh"
local ignore = require "operator.ignore"
local marks = require "operator.marks"
local removal = require "operator.removal"
local shape = require "operator.shape"

local apply = {}

---@class operator.ApplyContext
---@field policy operator.Policy
---@field owner string key
---@field block operator.Block what is said goes here
---@field free boolean removals are the owner's own doing and cost no budget
---@field news boolean an event has just told of the owner's change
---@field decision operator.Decision what this was decided on
---@field reason string why a child that is no longer wanted is removed: "source stopped"

---@class operator.Apply
---@field known operator.Known
---@field budget operator.Budget
---@field hold operator.Hold
---@field rights operator.Rights
---@field echo operator.Echo
---@field ahead operator.Ahead
---@field host table
---@field instance string
---@field dry_run boolean
---@field planned? table[] set: nothing is written, what would be is put here
---@field private checker operator.Check
---@field private flap operator.Flap
---@field writes operator.Counters by verb: "create", "update", "remove"
---@field private superseded? boolean
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
    writes = counters.new(deps.host, "writes_total", "verb"),
    flap = flap.new(deps.host),
    checker = check.new({ host = deps.host, version = agent.version }),
    echo = echo.new(),
    ahead = ahead.new(deps.host, deps.known),
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

--- Says in the block what was done with a child.
---@param context operator.ApplyContext
---@param key string of the child
---@param words string "created"
---@param detail? string
function Apply.say_done(context, key, words, detail)
  detail = detail and " (" .. detail .. ")" or ""
  local message = context.policy:noun() .. " " .. words .. ": " .. marks.show(key) .. detail
  context.block:say("info", message, { child = key })
end

-- What would be done: said in the block, or noted for `plan`.
function Apply:foresee(context, key, op, words, detail)
  if not self.planned then
    self.say_done(context, key, "would be " .. words, detail)
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

-- Raises quietly where Nomad would refuse any write in the namespace.
function Apply:check_hold(context, namespace)
  self.hold:check(namespace, context.policy.name, context.owner)
  self.rights:check(namespace)
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
  self:check_hold(context, wanted.namespace)
  local index = live and live.JobModifyIndex or 0
  local text = wanted.text
  if text then
    return jobs.register_text(text, wanted.namespace, index)
  end
  local job = live and ignore.keep(wanted.job, live, context.policy.ignored) or wanted.job
  return jobs.register(job, { enforce_index = index })
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
    self.known:doubt(key, self.echo:last(key))
    failure.again(("%s was written by somebody else meanwhile"):format(marks.show(key)))
  end
end

--- New scripts have taken over: what these ones want is not begun any more.
function Apply:give_up()
  self.superseded = true
end

--- Raises where new scripts have taken over.
function Apply:check_current()
  if self.superseded then
    error(nomad.error { code = "cancelled", message = "new scripts have taken over" }, 0)
  end
end

-- Writes the child. Returns false when somebody else wrote first: read again and decide again.
function Apply:write(context, wanted, live, detail)
  self:check_current()
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
  self.hold:passed(wanted.namespace)
  if op == "create" then
    context.block:say("info", "Registering " .. name .. " job", { child = key })
  end
  self.known:wrote(key, name, context.owner, wanted.digest, answer.JobModifyIndex)
  self.writes:add(name, op)
  self.say_done(context, key, op .. "d", detail)
  self:check_last(key, answer)
  if (answer.Warnings or "") ~= "" then
    context.block:say("debug", "Nomad warns: " .. answer.Warnings:gsub("%s+", " "))
  end
  return true
end

--- The child as it is. An answer that is older than what was seen of it is asked for again, and waited for; what is
--- older even then is the truth: the indexes went back.
---@async
---@param key string
---@return table? job
---@return host.nomad.Error?
function Apply:read(key)
  local namespace, id = marks.split(key)
  local job, err = jobs.get(namespace, id)
  local newest = self.known:newest(key)
  if job and newest and job.JobModifyIndex < newest then
    job, err = jobs.get(namespace, id, fresh.at(newest))
    if job then
      self.known:compare_index(key, job.JobModifyIndex, newest)
    end
  end
  return job, err
end

-- One look at a child that should exist, and the write if it needs one. Returns whether it wrote; nil: a conflict.
function Apply:ensure_once(context, wanted)
  local live, err = self:read(wanted.key)
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
      return removal.replace(self, context, wanted, live, reshaped) or nil
    end
    detail = changes.drift(live, wanted, mark, context.policy.uncompared)
    if not detail then
      self.known:synced(wanted.key, wanted.digest, live.JobModifyIndex)
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
    for _ = 1, removal.CONFLICTS do
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

-- Everything that desired returned, complete, in order and by key. Raises before anything is written.
function Apply:prepare(context, desired)
  local list = {}
  for i, value in ipairs(desired) do
    local wanted = child.new(value, context.policy, context.owner, self.host.options, self.checker)
    if list[wanted.key] then
      failure.fail(("desired returned job %s twice"):format(marks.show(wanted.key)))
    end
    list[i], list[wanted.key] = wanted, wanted
  end
  return list
end

-- One step. Its failure does not keep the others from being made: the first is kept, the others are said. Returns
-- whether it wrote.
local function try(self, context, step, argument, first)
  local ok, result = pcall(step, self, context, argument)
  if ok then
    return result, first
  elseif not failure.is(result) then
    error(result, 0)
  elseif not first or (failure.is_silent(first) and not failure.is_silent(result)) then
    return false, result
  end
  context.block:say(failure.is_silent(result) and "debug" or "error", tostring(result))
  return false, first
end

--- Makes the owner's children as `desired`. One child that fails does not keep the others from being made; the first
--- error is raised at the end.
---@async
---@param context operator.ApplyContext
---@param desired any[] what the policy returned
---@return integer writes
---@return operator.WantedChild[]
function Apply:sync(context, desired)
  local list = self:prepare(context, desired)
  local writes = 0
  local wrote, first
  for _, one in ipairs(list) do
    wrote, first = try(self, context, self.ensure, one, first)
    writes = writes + (wrote and 1 or 0)
  end
  for _, key in ipairs(self.known:of(context.policy.name, context.owner, list)) do
    wrote, first = try(self, context, removal.remove, key, first)
    writes = writes + (wrote and 1 or 0)
  end
  if first then
    error(first, 0)
  end
  return writes, list
end

return apply
