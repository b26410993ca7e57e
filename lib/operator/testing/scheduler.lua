--- scheduler: what a cluster does by itself after a job was changed: plans, runs, finishes, is stable, launches.

local scheduler = {}

--- Seconds after the change. Short, so that a spec sees a running job soon, but never in the same turn.
local PLAN, COMPLETE, REPORT = 0.005, 0.01, 0.02
local STABLE = 10

---@class operator.testing.Scheduler
---@field state operator.testing.State
---@field batch_seconds number how long a run of a batch job takes; negative: it never ends
---@field cron? table operator.cron: with it periodic jobs are launched at their times
---@field launch fun(job: table, at: integer)? makes a periodic run
---@field package finished table<string, boolean>
local Scheduler = {}
Scheduler.__index = Scheduler

---@param state operator.testing.State
---@param options { batch_seconds?: number, cron?: table, launch?: fun(job: table, at: integer) }
---@return operator.testing.Scheduler
function scheduler.new(state, options)
  return setmetatable({
    state = state,
    batch_seconds = options.batch_seconds or 1,
    cron = options.cron,
    launch = options.launch,
    finished = {},
  }, Scheduler)
end

function Scheduler:later(seconds, fn)
  if self.state.clock.after then
    self.state.clock.after(seconds, fn)
  else
    fn()
  end
end

--- The job as it is now, if it is still the same one and the same version.
local function same(state, job)
  local now = state:job(job.Namespace, job.ID)
  return now and now.CreateIndex == job.CreateIndex and now.Version == job.Version and now or nil
end

local function run_key(job)
  return ("%s\0%s\0%d\0%d"):format(job.Namespace, job.ID, job.CreateIndex, job.Version)
end

--- One commit: the evaluation, and the job if its status changes by it.
function Scheduler:commit(event_type, eval, job, changes)
  local state = self.state
  local index = state:next_index()
  local list = {}
  if eval then
    eval = state.with(eval, { ModifyIndex = index })
    state:put_eval(eval, index)
    list[1] = state:eval_event(eval, event_type, index)
  end
  if job then
    changes.ModifyIndex = index
    job = state.with(job, changes)
    state:put_job(job, index)
    list[#list + 1] = state:job_event(job, event_type, index)
  end
  if #list > 0 then
    state:publish(index, list)
  end
  state:notify()
  return eval, job
end

function Scheduler:plan(eval, job, fresh)
  local now = same(self.state, job)
  if not now or self.finished[run_key(job)] then
    return
  end
  if now.Stop then
    if now.Status == "running" then
      self:commit("PlanResult", eval, now, { Status = "pending" })
    end
  elseif now.Status == "pending" then
    self:commit("PlanResult", eval, now, { Status = "running" })
  elseif fresh then
    self:commit("PlanResult", eval)
  end
end

function Scheduler:finish(job)
  local now = same(self.state, job)
  if now and not now.Stop and now.Status ~= "dead" then
    self.finished[run_key(job)] = true
    self:commit("AllocationUpdated", nil, now, { Status = "dead" })
  end
end

function Scheduler:stabilise(job)
  local now = same(self.state, job)
  if now and not now.Stop and not now.Stable and now.Status == "running" then
    self:commit("PlanResult", nil, now, { Stable = true })
  end
end

--- What clients report once a job runs.
function Scheduler:report(job, fresh)
  self:later(REPORT, function()
    if same(self.state, job) then
      self.state:bump "allocs"
    end
  end)
  if job.Type == "batch" and self.batch_seconds >= 0 and not self.finished[run_key(job)] then
    self:later(self.batch_seconds, function()
      self:finish(job)
    end)
  elseif job.Type == "service" and fresh then
    self:later(STABLE, function()
      self:stabilise(job)
    end)
  end
end

function Scheduler:complete(eval, job)
  local now = job and same(self.state, job)
  local done = self.state.with(eval, {
    Status = "complete",
    ModifyTime = self.state:nanoseconds(),
  })
  local over = now
    and now.Status ~= "dead"
    and (now.Stop or self.finished[run_key(now)])
    and not (now.Type == "system" or now.Periodic)
  self:commit("EvaluationUpdated", done, over and now or nil, { Status = "dead" })
end

--- Works on an evaluation that was just made.
---@param eval table
---@param job? table nil: the job is gone
---@param fresh boolean the specification changed
function Scheduler:evaluate(eval, job, fresh)
  if job then
    self:later(PLAN, function()
      self:plan(eval, job, fresh)
    end)
  end
  self:later(COMPLETE, function()
    self:complete(eval, job)
  end)
  if job and not job.Stop then
    self:report(job, fresh)
  end
end

local function has_run(state, parent)
  for _, job in ipairs(state:list(parent.Namespace)) do
    if job.ParentID == parent.ID and job.Status ~= "dead" then
      return true
    end
  end
  return false
end

--- When a periodic job is due next.
---@param periodic table
---@return integer? seconds since the epoch
function Scheduler:next_launch(periodic)
  local specs = periodic.Spec ~= "" and { periodic.Spec } or periodic.Specs or {}
  local soonest = math.huge
  for _, spec in ipairs(specs) do
    local schedule = self.cron.parse(spec)
    local at = schedule and schedule:next(self.state.clock.now())
    soonest = math.min(soonest, at or math.huge)
  end
  return soonest < math.huge and math.tointeger(soonest // 1) or nil
end

--- Launches a periodic job at its times, for as long as it stays as it is.
---@param job table
function Scheduler:track(job)
  if not (self.cron and self.launch and self.state.clock.after) or job.Stop then
    return
  end
  local soonest = job.Periodic and self:next_launch(job.Periodic)
  if not soonest then
    return
  end
  self.state.clock.after(soonest - self.state.clock.now(), function()
    local now = self.state:job(job.Namespace, job.ID)
    if not now or now.JobModifyIndex ~= job.JobModifyIndex then
      return
    end
    if not (now.Periodic.ProhibitOverlap and has_run(self.state, now)) then
      self.launch(now, soonest)
    end
    self:track(now)
  end)
end

return scheduler
