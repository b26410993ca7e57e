--- removal: how a child goes. It is read, must still be this owner's, costs the budget where its owner did not ask for
--- it, and is stopped under check-and-set; then its runs are stopped and it is purged, as the policy says.

local jobs = require "nomad.jobs"
local failure = require "operator.failure"
local marks = require "operator.marks"
local runs = require "operator.runs"

local removal = {}

--- How often a write is decided anew because somebody else wrote first, before the key goes to its backoff.
removal.CONFLICTS = 4

--- Errors after which a write may have been made all the same.
local UNANSWERED = { cut = true, timeout = true, idle = true, server = true, not_nomad = true }

local function purge(apply, key)
  local namespace, id = marks.split(key)
  local purged, err = jobs.deregister(namespace, id, { purge = true })
  if not purged then
    failure.raise(err, ("%s is stopped, but could not be purged"):format(marks.show(key)))
  end
  apply.known:forget(key)
end

local function stop_runs(apply, context, key)
  apply.known:settle(key, true)
  local stopped, err = runs.stop(key)
  if stopped > 0 then
    apply.say_done(
      context,
      key,
      ("%d %s stopped"):format(stopped, stopped == 1 and "run" or "runs")
    )
  end
  if err then
    failure.raise(err, ("the runs of %s could not be stopped"):format(marks.show(key)))
  end
  apply.known:settle(key, false)
end

local function pay(apply, context, key, reason)
  local policy = context.policy
  if context.free or (apply.dry_run and not apply.planned) then
    return nil
  end
  local children = apply.known:count(policy.name)
  local paid, result = apply.budget:take(policy.name, children, key, policy.max_delete)
  if not paid then
    apply.host.count("sweep_refused_total", 1, { policy = policy.name })
    failure.fail(("%s is not removed (%s): %s"):format(marks.show(key), reason, result))
  end
  return result
end

local function send_stop(apply, context, key, live, time)
  local doomed = time and marks.swept(live, time) or live
  local listening <close> = apply.echo:listen(key) -- luacheck: ignore 211
  local answer, err = jobs.stop(doomed, { enforce_index = live.JobModifyIndex })
  if answer then
    apply.hold:passed((marks.split(key)))
    apply.known:saw(key, marks.read(live), answer.JobModifyIndex, true)
    apply:check_last(key, answer)
    return true
  elseif not context.free then
    -- Without an answer nobody knows: it stays paid, and the next try is free.
    apply.budget:give_back(context.policy.name, key, time, UNANSWERED[err.code])
  end
  local what = ("%s could not be removed"):format(marks.show(key))
  return apply:conflict_or_raise(context, key, err, what)
end

--- A child of another shape: purged and made anew, where the policy wants that.
---@async
---@param apply operator.Apply
---@param context operator.ApplyContext
---@param wanted operator.WantedChild
---@param live table the job as it is
---@param change string what cannot be changed in place
---@return boolean done false: somebody else wrote first
function removal.replace(apply, context, wanted, live, change)
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
  if not apply.dry_run then
    apply:check_hold(context, (marks.split(key)))
  end
  local time = not live.Stop and pay(apply, context, key, detail) or nil
  if apply.dry_run then
    apply:foresee(context, key, "update", "updated", detail)
    return true
  elseif not live.Stop and not send_stop(apply, context, key, live, time) then
    return false
  end
  purge(apply, key)
  if not apply:write(context, wanted, nil, nil) then
    return false
  end
  context.block:say("info", ("It replaces the one before (%s)"):format(change), { child = key })
  return true
end

local function stop(apply, context, key, live)
  apply:check_current()
  local policy = context.policy
  if not apply.dry_run then
    apply:check_hold(context, (marks.split(key)))
  end
  local time = pay(apply, context, key, context.reason)
  if apply.dry_run then
    apply:foresee(context, key, "remove", "removed", context.reason)
    return true
  elseif not send_stop(apply, context, key, live, time) then
    return false
  end
  apply.writes:add(policy.name, "remove")
  apply.say_done(context, key, "removed", context.reason)
  if policy.stop_runs then
    stop_runs(apply, context, key)
  end
  -- What the budget paid for stays, stopped: it is what a restart counts.
  if policy.purge and not time then
    purge(apply, key)
  end
  return true
end

-- The child as it is, or was a moment ago: see operator.ahead.
local function read(apply, key)
  local live = apply.ahead:take(key)
  if live then
    return live
  end
  return apply:read(key)
end

local function remove_once(apply, context, key)
  local live, err = read(apply, key)
  if not live and err.code ~= "not_found" then
    failure.raise(err)
  end
  local mark = live and marks.read(live)
  if
    not mark
    or mark.instance ~= apply.instance
    or mark.policy ~= context.policy.name
    or mark.owner ~= context.owner
  then
    apply.known:forget(key) -- gone, or no longer this owner's
    return false
  elseif live.Stop then
    apply.known:saw(key, mark, live.JobModifyIndex, true)
    if context.policy.stop_runs and not apply.dry_run then
      stop_runs(apply, context, key)
    end
    return false
  end
  apply:check_still(context, key, live)
  return stop(apply, context, key, live) or nil
end

--- One child that should not exist any more.
---@async
---@param apply operator.Apply
---@param context operator.ApplyContext
---@param key string of the child
---@return boolean stopped
function removal.remove(apply, context, key)
  local lock <close> = apply.host.lock(key) -- luacheck: ignore 211
  for _ = 1, removal.CONFLICTS do
    local stopped = remove_once(apply, context, key)
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

return removal
