--- apply: makes the children of one owner as `desired` says: registers what is missing, updates what differs, removes
--- what is no longer wanted. What does not carry our marks is never touched.

local json = require "host.json"
local jobs = require "nomad.jobs"
local jobspec = require "nomad.jobspec"
local compare = require "operator.compare"
local failure = require "operator.failure"
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
  return setmetatable({
    known = deps.known, budget = deps.budget, host = deps.host, planned = deps.planned,
    instance = deps.host.options.instance, dry_run = deps.host.options.dry_run or deps.planned ~= nil,
  }, Apply)
end

local function title(policy)
  return (policy.name:gsub("^%l", string.upper))
end

local function may_cross(pairs_allowed, from, to)
  for _, pair in ipairs(pairs_allowed or {}) do
    if pair == from .. ":" .. to then
      return true
    end
  end
  return false
end

-- A job as desired returned it, made complete: namespace, marks. Raises what is wrong with it.
function Apply:prepare(context, value)
  local job, err = value, nil
  if jobspec.is_rendering(value) then
    job, err = value.template:resolve(value)
    if not job then
      failure.raise(err)
    end
  elseif type(value) ~= "table" then
    failure.fail(("desired returned a %s in its list; expected jobs (template:render(…) or a JSON job spec)")
      :format(type(value)))
  end
  if type(job.ID) ~= "string" or job.ID == "" then
    failure.fail("desired returned a job without an ID")
  end
  local copy = {}
  for name, field in pairs(job) do
    copy[name] = field
  end
  local home = marks.split(context.owner)
  if copy.Namespace == nil or copy.Namespace == "" then
    copy.Namespace = home
  elseif copy.Namespace ~= home and not may_cross(self.host.options.cross_namespace, home, copy.Namespace) then
    failure.fail(("job %s would go to namespace %s, but its owner is in %s; allow it with -allow-cross-namespace %s:%s")
      :format(copy.ID, copy.Namespace, home, home, copy.Namespace))
  end
  local region = self.host.options.region
  if copy.Region == "global" then
    copy.Region = nil -- HCL's default, which Nomad reads as the agent's own
  end
  if type(copy.Multiregion) == "table" then
    failure.fail(("job %s is multiregion; one operator serves one region"):format(copy.ID))
  elseif copy.Region and copy.Region ~= "" and copy.Region ~= region then
    failure.fail(("job %s asks for region %s; one operator serves one region, here %s"):format(
      copy.ID, copy.Region, region or "the agent's own (set -region)"))
  end
  local key = marks.key(copy.Namespace, copy.ID)
  if key == context.owner then
    failure.fail(("desired returned the owner itself (%s); a child needs an ID of its own"):format(copy.ID))
  end
  local digest = json.digest(copy)
  marks.put(copy, self.instance, context.policy.name, context.owner, digest)
  return { job = copy, key = key, digest = digest }
end

function Apply:is_ours(mark)
  return mark ~= nil and mark.instance == self.instance
end

-- Raises unless the live job is this owner's child.
function Apply:check_owned(context, child, live)
  local mark = marks.read(live)
  if not mark then
    failure.fail(("job %s exists and is not ours (it has no marks of this operator), so it is left alone; "
      .. "rename it, or let the policy use another ID"):format(marks.show(child.key)))
  elseif mark.instance ~= self.instance then
    failure.fail(("job %s belongs to operator instance %s, this one is %s; it is left alone"):format(
      marks.show(child.key), mark.instance, self.instance))
  elseif mark.policy ~= context.policy.name or mark.owner ~= context.owner then
    failure.fail(("job %s already belongs to %s of policy %s; two owners cannot have one child, the first keeps it")
      :format(marks.show(child.key), marks.show(mark.owner), mark.policy))
  end
  return mark
end

function Apply:plan(action)
  if self.planned then
    self.planned[#self.planned + 1] = action
  end
end

-- Writes the child. Returns false when somebody else wrote first: read again and decide again.
function Apply:write(context, child, live, difference)
  local name, block = context.policy.name, context.block
  local revived = live ~= nil and live.Stop == true
  local verb = (live and not revived) and "updated" or "created"
  local why = difference and (" (" .. compare.describe(difference) .. ")") or (revived and " (was stopped)" or "")
  if self.dry_run then
    self:plan({ op = verb == "updated" and "update" or "create", policy = name, owner = context.owner, child = child.key,
      detail = difference and compare.describe(difference) or revived and "was stopped" or nil })
    block:say("info", ("%s would be %s: %s%s"):format(title(context.policy), verb, marks.show(child.key), why))
    return true
  end
  if verb == "created" then
    block:say("info", ("Registering %s job"):format(name), { child = child.key })
  end
  local answer, err = jobs.register(child.job, { enforce_index = live and live.JobModifyIndex or 0 })
  if not answer then
    if err.code == "conflict" then
      block:say("debug", tostring(err))
      return false
    end
    failure.raise(err, ("%s could not be %s"):format(marks.show(child.key), verb))
  end
  self.known:saw(child.key, marks.read(child.job), answer.JobModifyIndex, false)
  self.known:synced(child.key, child.digest)
  self.host.count("writes_total", 1, { policy = name, verb = verb })
  block:say("info", ("%s %s: %s%s"):format(title(context.policy), verb, marks.show(child.key), why),
    { child = child.key })
  if type(answer.Warnings) == "string" and answer.Warnings ~= "" then
    block:say("debug", "Nomad warns: " .. answer.Warnings:gsub("%s+", " "))
  end
  return true
end

-- What is different about the live child, if anything. The hash tells of fields that were taken away.
local function drift(child, live, mark)
  local difference = compare.first_difference(child.job, live, { "Meta.operator-*" })
  if not difference and mark.hash and mark.hash ~= child.digest then
    return { path = "", text = "changed" }
  end
  return difference
end

-- One child that should exist.
function Apply:ensure(context, child)
  if self.known:in_sync(child.key, child.digest) then
    self.host.count("writes_suppressed_total", 1, { policy = context.policy.name })
    return false
  end
  local lock <close> = self.host.lock(child.key)
  local namespace, id = marks.split(child.key)
  for _ = 1, CONFLICTS do
    local live, err = jobs.get(namespace, id)
    if not live and err.code ~= "not_found" then
      failure.raise(err)
    end
    local difference
    if live then
      local mark = self:check_owned(context, child, live)
      self.known:saw(child.key, mark, live.JobModifyIndex, live.Stop == true)
      difference = drift(child, live, mark)
      if not live.Stop and not difference then
        self.known:synced(child.key, child.digest)
        self.host.count("writes_suppressed_total", 1, { policy = context.policy.name })
        return false
      end
    end
    if self:write(context, child, live, difference) then
      return true
    end
  end
  failure.retry(("job %s changes faster than it can be written; somebody else writes it too"):format(
    marks.show(child.key)))
end

-- May this child be removed? Says why not.
function Apply:may_remove(context, key)
  if context.free then
    return true
  end
  local allowed, why = self.budget:allows(context.policy.name, self.known:count(context.policy.name),
    context.policy.max_delete)
  if not allowed then
    self:plan({ op = "refuse", policy = context.policy.name, owner = context.owner, child = key, detail = context.reason })
    self.host.count("sweep_refused_total", 1, { policy = context.policy.name })
    failure.fail(("%s is not removed (%s): %s"):format(marks.show(key), context.reason, why))
  end
  return true
end

-- Stops the live child. Returns false on a conflict.
function Apply:stop(context, key, live)
  local policy, block = context.policy, context.block
  if self.dry_run then
    self:plan({ op = "remove", policy = policy.name, owner = context.owner, child = key, detail = context.reason })
    block:say("info", ("%s would be removed: %s (%s)"):format(title(policy), marks.show(key), context.reason))
    if self.planned and not context.free then
      self.budget:take(policy.name)
    end
    return true
  end
  local answer, err = jobs.stop(live, { enforce_index = live.JobModifyIndex })
  if not answer then
    if err.code == "conflict" then
      return false
    end
    failure.raise(err, ("%s could not be removed"):format(marks.show(key)))
  end
  if not context.free then
    self.budget:take(policy.name)
  end
  self.known:saw(key, marks.read(live), answer.JobModifyIndex, true)
  if policy.purge then
    local namespace, id = marks.split(key)
    local purged, why = jobs.deregister(namespace, id, { purge = true })
    if not purged then
      failure.raise(why, ("%s is stopped, but could not be purged"):format(marks.show(key)))
    end
    self.known:forget(key)
  end
  self.host.count("writes_total", 1, { policy = policy.name, verb = "removed" })
  block:say("info", ("%s removed: %s (%s)"):format(title(policy), marks.show(key), context.reason), { child = key })
  return true
end

-- One child that should not exist any more.
function Apply:remove(context, key)
  local lock <close> = self.host.lock(key)
  local namespace, id = marks.split(key)
  for _ = 1, CONFLICTS do
    local live, err = jobs.get(namespace, id)
    if not live then
      if err.code ~= "not_found" then
        failure.raise(err)
      end
      self.known:forget(key)
      return false
    end
    local mark = marks.read(live)
    if not self:is_ours(mark) or mark.policy ~= context.policy.name or mark.owner ~= context.owner then
      self.known:forget(key)
      return false
    elseif live.Stop then
      self.known:saw(key, mark, live.JobModifyIndex, true)
      return false
    end
    if self:may_remove(context, key) and self:stop(context, key, live) then
      return true
    end
  end
  failure.retry(("job %s changes faster than it can be stopped; somebody else writes it too"):format(marks.show(key)))
end

--- Makes the owner's children as `desired`. One child that fails does not keep the others from being made; the first
--- error is raised at the end.
---@async
---@param context operator.ApplyContext
---@param desired any[] what the policy returned
---@return integer writes
---@return string[] children that are wanted
function Apply:sync(context, desired)
  local wanted, order, names = {}, {}, {}
  for _, value in ipairs(desired) do
    local child = self:prepare(context, value)
    if wanted[child.key] then
      failure.fail(("desired returned job %s twice"):format(marks.show(child.key)))
    end
    wanted[child.key] = true
    order[#order + 1], names[#names + 1] = child, child.key
  end
  local writes, first = 0, nil
  local function try(step, argument)
    local ok, result = pcall(step, self, context, argument)
    if ok then
      writes = writes + (result and 1 or 0)
    elseif not failure.is(result) then
      error(result, 0)
    elseif first then
      context.block:say("error", tostring(result))
    else
      first = result
    end
  end
  for _, child in ipairs(order) do
    try(self.ensure, child)
  end
  for _, key in ipairs(self.known:of(context.policy.name, context.owner)) do
    if not wanted[key] then
      try(self.remove, key)
    end
  end
  if first then
    error(first, 0)
  end
  return writes, names
end

return apply
