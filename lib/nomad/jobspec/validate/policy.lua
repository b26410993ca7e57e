--- The rules for a group's policies: update, restart, reschedule, migrate, disconnect, scaling.

local common = require "nomad.jobspec.validate.common"
local defaults = require "nomad.jobspec.defaults"

local policy = {}

local SECOND = 1000000000

--- A policy as the server has it: the group's fields over the job's over the default's.
local function layers(default, job, group)
  local policy_of = {}
  for key, value in next, default do
    local own, from_job = group and group[key], job and job[key]
    if own ~= nil then
      value = own
    elseif from_job ~= nil then
      value = from_job
    end
    policy_of[key] = value
  end
  return policy_of
end

--- What a policy's rules report with: a problem is the job's where the job wrote the field and the group did not.
local function reporter(r, group, key, job_policy, own, job_key)
  return function(ok, field, text, ...)
    if ok then
      return true
    end
    local place = own or { up = group, key = key }
    if job_policy and job_policy[field] ~= nil and not (own and own[field] ~= nil) then
      place = { key = job_key or key }
    end
    r:err(place, field, text, ...)
    return false
  end
end

--- A job's update block that says nothing but zeros is not handed on to its groups.
local function empty_update(update)
  for key, default in pairs(defaults.UPDATE) do
    local value = update[key]
    if value == nil and default ~= false then
      return false
    elseif value and value ~= 0 and value ~= "" then
      return false
    end
  end
  return true
end

--- The update policy that a group ends up with; nil: none.
---@param job table
---@param group table
---@param type string
---@return table?
function policy.update_of(job, group, type)
  local own, from_job = group.Update, job.Update
  if own then
    return layers(defaults.UPDATE, from_job, own)
  elseif from_job and not empty_update(from_job) then
    return layers(defaults.UPDATE, from_job)
  elseif not from_job and (type == "service" or type == "system") then
    return defaults.UPDATE
  end
end

---@param r jobspec.Report
---@param job table
---@param group table
---@param type string
---@param u table what update_of gave
function policy.update(r, job, group, type, u)
  if (group.Update or job.Update) and type ~= "service" and type ~= "system" then
    r:err(
      group.Update and group or nil,
      "Update",
      "is not allowed in %s jobs, only in service and system jobs",
      type
    )
  end
  local want = reporter(r, group, "Update", job.Update, group.Update)
  local kind = u.HealthCheck
  want(
    kind == "checks" or kind == "task_states" or kind == "manual",
    "HealthCheck",
    "%q is not allowed, only checks, task_states, manual",
    kind
  )
  want(u.MaxParallel >= 0, "MaxParallel", "must not be negative")
  want(u.Canary >= 0, "Canary", "must not be negative")
  want(u.Canary ~= 0 or not u.AutoPromote, "AutoPromote", "needs a Canary above 0")
  want(u.MinHealthyTime >= 0, "MinHealthyTime", "must not be negative")
  want(u.HealthyDeadline > 0, "HealthyDeadline", "must be more than 0")
  want(u.ProgressDeadline >= 0, "ProgressDeadline", "must not be negative")
  want(
    u.MinHealthyTime < u.HealthyDeadline,
    "MinHealthyTime",
    "must be less than HealthyDeadline (%t)",
    u.HealthyDeadline
  )
  want(
    u.ProgressDeadline == 0 or u.HealthyDeadline < u.ProgressDeadline,
    "HealthyDeadline",
    "must be less than ProgressDeadline (%t)",
    u.ProgressDeadline
  )
  want(u.Stagger > 0, "Stagger", "must be more than 0")
end

---@param r jobspec.Report
---@param group table
---@param type string
function policy.restart(r, group, type)
  local default = (type == "service" or type == "system") and defaults.RESTART_SERVICE
    or defaults.RESTART_BATCH
  local written = group.RestartPolicy
  if not written then
    return
  end
  local p = layers(default, written)
  local known = p.Mode == "delay" or p.Mode == "fail"
  r:want(known, written, "Mode", "%q is not allowed, only delay and fail", p.Mode)
  r:want(
    p.Attempts ~= 0 or p.Mode == "fail" or not known,
    written,
    "Attempts",
    "is 0, which means something only with Mode fail"
  )
  r:want(p.Interval >= 5 * SECOND, written, "Interval", "must be at least 5s")
  r:want(
    p.Attempts * p.Delay <= p.Interval,
    written,
    "Attempts",
    "%d restarts with a Delay of %t do not fit an Interval of %t",
    p.Attempts,
    p.Delay,
    p.Interval
  )
end

--- 2 to the power of i as Go makes an integer of it.
local function power(i)
  return i < 63 and 1 << i or math.mininteger
end

--- So many steps no server takes in the time of a request.
local TOO_MANY = 100000000

local function exponential_fits(p)
  if p.Attempts > TOO_MANY then
    return false
  end
  local total = 0
  -- From 64 doublings on the delay is 0 by overflow, and nothing changes any more.
  for i = 0, math.min(p.Attempts, 130) - 1 do
    local delay = power(i) * p.Delay
    if delay > p.MaxDelay then
      total = total + p.MaxDelay
    else
      total = delay
    end
    if total >= p.Interval then
      return false
    end
  end
  return true
end

local function fibonacci_fits(p)
  local before, last = p.Delay, p.Delay
  for i = 2, p.Attempts - 1 do
    local delay = last + before
    if delay > p.MaxDelay then
      -- From here on it grows by the same step each time.
      return p.Interval >= p.MaxDelay * (p.Attempts - i)
    elseif last > p.Interval then
      return false
    end
    before, last = last, delay
  end
  return p.Interval >= last
end

local FITS = {
  constant = function(p)
    return p.Interval >= p.Attempts * p.Delay
  end,
  exponential = exponential_fits,
  fibonacci = fibonacci_fits,
}

--- The delays by themselves.
local function reschedule_delays(want, p)
  local ok = want(p.Delay >= 5 * SECOND, "Delay", "must be at least 5s")
  ok = want(
    FITS[p.DelayFunction],
    "DelayFunction",
    "%q is not allowed, only constant, exponential, fibonacci",
    p.DelayFunction
  ) and ok
  if p.DelayFunction ~= "constant" then
    ok = want(p.MaxDelay >= 5 * SECOND, "MaxDelay", "must be at least 5s") and ok
    ok = want(p.MaxDelay >= p.Delay, "MaxDelay", "must not be less than Delay (%t)", p.Delay) and ok
  end
  return ok
end

local function reschedule(want, p)
  if p.Attempts > 0 then
    want(p.Interval > 0, "Interval", "is needed with Attempts")
    want(not p.Unlimited, "Unlimited", "excludes Attempts")
  end
  local ok = reschedule_delays(want, p)
  if not p.Unlimited then
    want(p.Interval >= 15 * SECOND, "Interval", "must be at least 15s")
    if ok then
      want(
        FITS[p.DelayFunction](p),
        "Interval",
        "of %t is too short for %d attempts with these delays",
        p.Interval,
        p.Attempts
      )
    end
  end
end

---@param r jobspec.Report
---@param job table
---@param group table
---@param type string
function policy.reschedule(r, job, group, type)
  if type == "system" or type == "sysbatch" then
    r:err(group, "ReschedulePolicy", "is not allowed in %s jobs, nor is the job's Reschedule", type)
    return
  end
  local p = layers(
    defaults.RESCHEDULE[type] or defaults.NO_RESCHEDULE,
    job.Reschedule,
    group.ReschedulePolicy
  )
  if p.Attempts > 0 or p.Unlimited then
    reschedule(
      reporter(r, group, "ReschedulePolicy", job.Reschedule, group.ReschedulePolicy, "Reschedule"),
      p
    )
  end
end

---@param r jobspec.Report
---@param job table
---@param group table
---@param type string
function policy.migrate(r, job, group, type)
  if type ~= "service" then
    r:err(group, "Migrate", "is not allowed in %s jobs, nor is the job's", type)
    return
  end
  local p = layers(defaults.MIGRATE, job.Migrate, group.Migrate)
  local want = reporter(r, group, "Migrate", job.Migrate, group.Migrate)
  local kind = p.HealthCheck
  want(
    kind == "checks" or kind == "task_states" or kind == "" and p.MaxParallel <= 0,
    "HealthCheck",
    "%q is not allowed, only checks and task_states",
    kind
  )
  want(p.MaxParallel >= 0, "MaxParallel", "must not be negative")
  want(p.MinHealthyTime >= 0, "MinHealthyTime", "must not be negative")
  want(p.HealthyDeadline >= 0, "HealthyDeadline", "must not be negative")
  want(
    p.MinHealthyTime <= p.HealthyDeadline,
    "MinHealthyTime",
    "must not be more than HealthyDeadline (%t)",
    p.HealthyDeadline
  )
end

---@param r jobspec.Report
---@param group table
---@param type string
function policy.disconnect(r, group, type)
  local d = group.Disconnect
  if not d then
    return
  end
  if d.StopOnClientAfter then
    r:want(d.StopOnClientAfter >= 0, d, "StopOnClientAfter", "must not be negative")
    r:want(
      type == "service" or type == "batch",
      d,
      "StopOnClientAfter",
      "is allowed only in service and batch jobs"
    )
    r:want((d.LostAfter or 0) == 0, d, "StopOnClientAfter", "excludes LostAfter")
  end
  r:want((d.LostAfter or 0) >= 0, d, "LostAfter", "must not be negative")
end

--- A multiregion job's regions say how many.
local function counted_elsewhere(job)
  local multi = job.Multiregion
  return multi and common.some(multi.Regions) and (job.Region or "global") == "global"
end

---@param r jobspec.Report
---@param job table
---@param group table
---@param count integer
function policy.scaling(r, job, group, count)
  local s = group.Scaling
  local min, max = s.Min or count, s.Max or -1
  local kind = s.Type or ""
  r:want(
    kind == "" or kind == "horizontal",
    s,
    "Type",
    "%q is not allowed here, only horizontal",
    kind
  )
  r:want(max >= 0, s, "Max", "is needed, and must not be negative")
  r:want(max < 0 or max >= min, s, "Max", "must not be less than Min (%d)", min)
  r:want(min >= 0, s, "Min", "must not be negative")
  r:want(max < 0 or max >= count, s, "Max", "must not be less than Count (%d)", count)
  local elsewhere = count == 0 and counted_elsewhere(job)
  r:want(count >= min or elsewhere, s, "Min", "must not be more than Count (%d)", count)
end

return policy
