--- reconcile: one key's work, from current state: read the object, ask `desired` (or `reconcile`), apply, and note what
--- was seen. Runs in a task of its own.

local nomad = require "nomad"
local decision = require "operator.decision"
local failure = require "operator.failure"
local fresh = require "operator.fresh"
local keys = require "operator.keys"
local marks = require "operator.marks"

local reconcile = {}

local DONE = { kind = "done" }

-- Is the object one that the policy watches? A child may say that its owner is of another topic, which its policy
-- watched before.
local function is_watched(controller, key, object)
  local policy = controller.policy
  return object ~= nil
    and keys.topic(key) == policy.topic.name
    and controller:covers(object)
    and policy.filter:match(object)
end

-- The object as it is now, and whether the policy watches it. nil: it does not exist. Raises where that is not known.
local function read(controller, item)
  local newest = controller.objects:version(item.key)
  if item.object and (not newest or controller:version(item.key, item.object) >= newest) then
    local matches = item.matches
    if matches == nil then
      matches = is_watched(controller, item.key, item.object)
    end
    return item.object, matches
  end
  local job, err = controller.reads:get(item.key, fresh.at(item.index))
  newest = controller.objects:version(item.key)
  if job and newest and controller:version(item.key, job) < newest then
    job, err = controller.reads:get(item.key, fresh.at(newest))
  end
  if not job and err.code ~= "not_found" then
    failure.raise(err)
  end
  return job, is_watched(controller, item.key, job)
end

-- Has an event just said that the object is gone? Its children go too, if it is so: they are read meanwhile.
local function look_ahead(controller, item)
  local policy = controller.policy
  local announced = item.live
    and not item.object
    and item.cause.kind == "event"
    and controller.topic.gone[item.cause.type]
  if announced and policy.desired and not policy.keep_on_stop then
    return controller.apply.ahead:begin(policy.name, item.key)
  end
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

local PURE = "desired only decides what should exist, it may not call Nomad; "
  .. "use reconcile for that"

local function ask_desired(policy, job, ctx)
  local guard <close> = nomad.forbid(PURE) -- luacheck: ignore 211
  local desired = policy.desired(job, ctx)
  if type(desired) ~= "table" then
    failure.fail(
      ("desired of policy %s (%s) returned a %s; expected a list of jobs, {} for none"):format(
        policy.name,
        policy.source,
        type(desired)
      )
    )
  end
  return desired
end

-- Did the job itself change since it was worked last? Then what follows is its owner's will.
local function own_change(controller, item, job)
  if item.live then
    return true
  end
  local before = controller.objects:worked(item.key)
  return before ~= nil and before ~= (job and controller:version(item.key, job))
end

-- A stopped owner's children, where the policy keeps them: they stay as they are.
local function keep(controller, item, block)
  local policy = controller.policy
  if item.cause.kind == "event" then
    for _, child in ipairs(controller.known:of(policy.name, item.key)) do
      block:say("info", ("%s kept: %s (source stopped)"):format(policy:noun(), marks.show(child)))
    end
  end
end

-- What exists because of the job, made so.
local function sync(controller, item, block, ctx, job, matches, made)
  local policy = controller.policy
  if policy.keep_on_stop and matches and job.Stop then
    keep(controller, item, block)
    return
  end
  local writes, children = controller.apply:sync({
    policy = policy,
    owner = item.key,
    block = block,
    free = own_change(controller, item, job),
    reason = reason_of(job, matches),
    news = item.live and item.cause.kind == "event",
    decision = made,
  }, matches and ask_desired(policy, job, ctx) or {})
  if writes == 0 and item.cause.kind == "event" then
    for _, child in ipairs(children) do
      block:say("info", ("%s unchanged: %s"):format(policy:noun(), marks.show(child.key)))
    end
  end
end

-- Notes what was worked, so that the same news is not worked again.
local function note(controller, key, job, matches)
  if not job or (not matches and not controller.known:has(controller.policy.name, key)) then
    controller:forget(key)
    return
  end
  controller.objects:done(key, controller:version(key, job))
end

-- Where the list says nothing of meta (Nomad 1.4) a child is known only once it was read: then its owner is looked at.
-- What an event or a list brings with it is known before it is worked.
local function learn(controller, key, job)
  local mark = marks.policy(job) and keys.topic(key) == "Job" and marks.read(job)
  if
    mark
    and mark.instance == controller.host.options.instance
    and not controller.known:whose(key)
  then
    controller.known:saw(key, mark, job.JobModifyIndex, job.Stop == true)
    controller.found(mark, key)
  end
end

local function work(controller, item, block)
  local policy = controller.policy
  local made = policy.desired and decision.begin(controller, item)
  local reading <close> = look_ahead(controller, item) -- luacheck: ignore 211
  local job, matches = read(controller, item)
  if job and job ~= item.object then
    learn(controller, item.key, job)
  end
  local ctx = controller.make_context(block, item.key, item.cause)
  local result
  if made then
    made:on(job)
    sync(controller, item, block, ctx, job, matches, made)
  elseif matches then
    result = policy.reconcile(job, ctx)
  end
  note(controller, item.key, job, matches)
  local delay = type(result) == "table" and result.after or nil
  if ctx.requeue then
    delay = math.min(delay or math.huge, math.max(0, ctx.requeue - ctx.now))
  end
  return delay and { kind = "after", delay = delay } or DONE
end

--- Works one item of the queue. Raises what ends it (see operator.failure).
---@async
---@param controller operator.Controller
---@param item operator.Item
---@param block operator.Block
---@return operator.Outcome
function reconcile.run(controller, item, block)
  if controller.scope:is_lost(marks.split(item.key)) then
    block:say("debug", "The token no longer sees the namespace: everything stays as it is")
    return DONE
  end
  return work(controller, item, block)
end

return reconcile
