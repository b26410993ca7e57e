--- jobs: what the servers do with requests that change jobs: register, stop, purge, run, dispatch, collect.

local canonical = require "operator.testing.canonical"
local json = require "host.json"
local validate = require "operator.testing.validate"

local jobs = {}

---@class operator.testing.Jobs
---@field state operator.testing.State
---@field scheduler operator.testing.Scheduler
---@field modern boolean 1.11 or newer, else 1.4
---@field cron? table
local Jobs = {}
Jobs.__index = Jobs

---@param state operator.testing.State
---@param scheduler operator.testing.Scheduler
---@param options { modern: boolean, cron?: table }
---@return operator.testing.Jobs
function jobs.new(state, scheduler, options)
  return setmetatable({
    state = state,
    scheduler = scheduler,
    modern = options.modern,
    cron = options.cron,
  }, Jobs)
end

---@class operator.testing.Refusal
---@field status integer
---@field text string

local function refuse(text, status)
  return nil, { status = status or 500, text = text }
end

--- The job that a request would make, or why it is refused.
---@param given table
---@param namespace string
---@return table? job
---@return operator.testing.Refusal? refusal
---@return string[]? problems
function Jobs:admit(given, namespace)
  local job = self.state.canonical:job(given, namespace)
  if job.Region ~= "global" or job.Multiregion then
    return refuse "No path to region"
  end
  local problems = validate.job(job, {
    modern = self.modern,
    cron = self.cron,
    namespaces = self.state.namespaces,
  })
  if #problems > 0 then
    return nil, { status = 500, text = validate.multierror(problems) }, problems
  end
  return job
end

--- Answers why the index does not fit, in Nomad's words.
local function enforce(old, index)
  local text
  if old and index == 0 then
    text = "job already exists"
  elseif old and index ~= old.JobModifyIndex then
    text = ("job exists with conflicting job modify index: %d"):format(old.JobModifyIndex)
  elseif not old and index ~= 0 then
    text = "job does not exist"
  end
  return text and ("Enforcing job modify index %d: %s"):format(index, text)
end

--- Jobs that are only started by something else have no evaluation of their own.
local function waits(job)
  return job.Periodic ~= nil or (job.ParameterizedJob ~= nil and not job.Dispatched)
end

local function status_of(job, old)
  if waits(job) or job.Type == "system" or job.Type == "sysbatch" then
    return job.Stop and "dead" or "running"
  end
  return old and old.Status or "pending"
end

local function registered(index, eval, job_index, warnings)
  return {
    EvalCreateIndex = eval and eval.CreateIndex or 0,
    EvalID = eval and eval.ID or "",
    Index = index,
    JobModifyIndex = job_index,
    KnownLeader = false,
    LastContact = 0,
    NextToken = "",
    Warnings = warnings,
  }
end

--- An identical job: no version and no Job event, but an evaluation. 1.11.3 answers with the ModifyIndex.
function Jobs:reregister(old, warnings)
  local state = self.state
  local shown = self.modern and old.ModifyIndex or old.JobModifyIndex
  if waits(old) then
    return registered(self.modern and shown or 0, nil, shown, warnings)
  end
  local index = state:next_index()
  local eval_index = not self.modern and old.JobModifyIndex or nil
  local eval = state:new_eval(old, "job-register", index, eval_index)
  state:put_eval(eval, index)
  local list = { state:eval_event(eval, "EvaluationUpdated", index) }
  local job = old
  if old.Status == "dead" and old.Type ~= "system" then
    job = state.with(old, { Status = "pending", ModifyIndex = index })
    state:put_job(job, index)
    list[2] = state:job_event(job, "EvaluationUpdated", index)
  end
  state:publish(index, list)
  state:notify()
  self.scheduler:evaluate(eval, job, false)
  return registered(index, eval, shown, warnings)
end

--- 1.4 makes the evaluation of a dispatch in a commit of its own.
function Jobs:evaluate_apart(job)
  local state = self.state
  local index = state:next_index()
  local eval = state:new_eval(job, "job-register", index, job.JobModifyIndex)
  state:put_eval(eval, index)
  state:publish(index, { state:eval_event(eval, "EvaluationUpdated", index) })
  state:notify()
  self.scheduler:evaluate(eval, job, true)
  return eval
end

--- Stores a changed job and sends its two lines: the job, then its evaluation.
function Jobs:commit(job, old, event_type, trigger)
  local state = self.state
  local index = job.JobModifyIndex
  state:put_job(job, index)
  state:publish(index, { state:job_event(job, event_type, index) })
  if waits(job) then
    state:notify()
    self.scheduler:track(job)
    return nil
  end
  if job.Dispatched and not old and not self.modern then
    return self:evaluate_apart(job)
  end
  local eval = state:new_eval(job, trigger, index, index)
  state:put_eval(eval, index)
  local list = { state:eval_event(eval, event_type, index) }
  local revived = old and old.Status == "dead" and job.Status == "dead" and job.Type ~= "system"
  if revived then
    job = state.with(job, { Status = "pending" })
    state:put_job(job, index)
    list[2] = state:job_event(job, event_type, index)
  end
  state:publish(index, list)
  state:notify()
  self.scheduler:evaluate(eval, job, true)
  return eval
end

local function update_problem(job, old, options)
  local problem = options.enforce and enforce(old, options.index or 0)
  return problem or (old and validate.update(old, job))
end

---@class operator.testing.RegisterOptions
---@field enforce? boolean
---@field index? integer

---@param given table
---@param namespace string
---@param options operator.testing.RegisterOptions
---@return table? answer
---@return operator.testing.Refusal?
function Jobs:register(given, namespace, options)
  local job, refusal = self:admit(given, namespace)
  if not job then
    return nil, refusal
  end
  local state = self.state
  local old = state:job(namespace, job.ID)
  local problem = update_problem(job, old, options)
  if problem then
    return refuse(problem)
  end
  local warnings = validate.warnings(job, self.modern)
  if old and not canonical.spec_changed(old, job) then
    return self:reregister(old, warnings)
  end
  local index = state:next_index()
  job.CreateIndex, job.Version, job.ParentID = index, 0, ""
  if old then
    job.CreateIndex, job.Version, job.ParentID = old.CreateIndex, old.Version + 1, old.ParentID
  end
  job.ModifyIndex, job.JobModifyIndex = index, index
  job.SubmitTime = state:nanoseconds()
  job.Status = status_of(job, old)
  local eval = self:commit(job, old, "JobRegistered", "job-register")
  return registered(index, eval, index, warnings)
end

local function deregistered(index, eval)
  return {
    EvalCreateIndex = index,
    EvalID = eval and eval.ID or "",
    Index = index,
    JobModifyIndex = index,
    KnownLeader = false,
    LastContact = 0,
    NextToken = "",
    VolumeEvalID = "",
    VolumeEvalIndex = 0,
  }
end

--- Only an evaluation: all that older servers tell of a purge.
function Jobs:farewell(job, event_type, index)
  local state = self.state
  local eval = state:new_eval(job, "job-deregister", index, index)
  state:put_eval(eval, index)
  state:publish(index, { state:eval_event(eval, event_type, index) })
  self.scheduler:evaluate(eval, nil, false)
  return eval
end

--- A job that is not there: 1.4 makes an evaluation for it all the same, newer ones do nothing.
function Jobs:deregister_missing(namespace, id)
  if self.modern then
    return deregistered(0)
  end
  local index = self.state:next_index()
  local ghost = { ID = id, Namespace = namespace, Type = "service", Priority = 50 }
  local eval = self:farewell(ghost, "JobDeregistered", index)
  self.state:notify()
  return deregistered(index, eval)
end

function Jobs:purge(job)
  local state = self.state
  local index = state:next_index()
  state:remove_job(job, index)
  if self.modern then
    state:publish(index, { state:job_event(job, "JobDeregistered", index, true) })
  end
  local eval
  if not waits(job) then
    eval = self:farewell(job, "JobDeregistered", index)
  end
  state:notify()
  return deregistered(index, eval)
end

---@param namespace string
---@param id string
---@param purge boolean
---@return table answer
function Jobs:deregister(namespace, id, purge)
  local state = self.state
  local old = state:job(namespace, id)
  if not old then
    return self:deregister_missing(namespace, id)
  elseif purge then
    return self:purge(old)
  end
  local index = state:next_index()
  local job = state.with(old, {
    Stop = true,
    Version = old.Version + 1,
    ModifyIndex = index,
    JobModifyIndex = index,
    SubmitTime = state:nanoseconds(),
  })
  job.Status = status_of(job, old)
  local eval = self:commit(job, old, "JobDeregistered", "job-deregister")
  return deregistered(index, eval)
end

--- A run of a periodic or parameterized job: it inherits the whole job, its meta too.
function Jobs:child(parent, id, changes, trigger)
  local state = self.state
  local index = state:next_index()
  local job = state.with(parent, changes)
  job.ID, job.Name, job.ParentID = id, id, parent.ID
  job.CreateIndex, job.ModifyIndex, job.JobModifyIndex = index, index, index
  -- The version is the parent's.
  job.Stable, job.Status = false, "pending"
  job.SubmitTime = state:nanoseconds()
  return index, self:commit(job, nil, "JobRegistered", trigger)
end

--- Makes a run of a periodic job.
---@param parent table
---@param at integer
---@return table answer
function Jobs:run(parent, at)
  local id = ("%s/periodic-%d"):format(parent.ID, at)
  local state = self.state
  if state:job(parent.Namespace, id) then
    local answer = self:reregister(state:job(parent.Namespace, id), "")
    return {
      EvalID = answer.EvalID,
      EvalCreateIndex = answer.EvalCreateIndex,
      Index = answer.Index,
    }
  end
  local template = canonical.copy(parent)
  template.Periodic = nil
  local index, eval = self:child(template, id, {}, "periodic-job")
  return { EvalID = eval.ID, EvalCreateIndex = index, Index = index }
end

---@param namespace string
---@param id string
---@return table? answer
---@return operator.testing.Refusal?
function Jobs:force(namespace, id)
  local parent = self.state:job(namespace, id)
  if not parent then
    return refuse "job not found"
  elseif not parent.Periodic then
    return refuse "can't force launch non-periodic job"
  elseif parent.Stop then
    return refuse(
      ('force launch for job "%s" failed: can\'t force run non-tracked job "%s" (%s)'):format(
        id,
        id,
        namespace
      )
    )
  end
  return self:run(parent, math.tointeger(self.state.clock.now() // 1))
end

local function as_set(...)
  local set = {}
  for _, list in ipairs { ... } do
    for _, name in ipairs(list) do
      set[name] = true
    end
  end
  return set
end

local function meta_problem(config, meta)
  local allowed = as_set(config.MetaRequired or {}, config.MetaOptional or {})
  local unknown, missing = {}, {}
  for name in pairs(meta) do
    if not allowed[name] then
      unknown[#unknown + 1] = name
    end
  end
  for _, name in ipairs(config.MetaRequired or {}) do
    if meta[name] == nil then
      missing[#missing + 1] = name
    end
  end
  table.sort(unknown)
  if #unknown > 0 then
    return ("Dispatch request included unpermitted metadata keys: [%s]"):format(
      table.concat(unknown, " ")
    )
  elseif #missing > 0 then
    return ("Dispatch did not provide required meta keys: [%s]"):format(table.concat(missing, " "))
  end
end

local function dispatch_problem(parent, request)
  local config = parent.ParameterizedJob
  local payload = request.Payload or ""
  if payload == "" and config.Payload == "required" then
    return "Payload is not provided but required by parameterized job"
  elseif payload ~= "" and config.Payload == "forbidden" then
    return "Payload provided but forbidden by parameterized job"
  end
  return meta_problem(config, request.Meta or {})
end

---@param namespace string
---@param id string
---@param request table
---@return table? answer
---@return operator.testing.Refusal?
function Jobs:dispatch(namespace, id, request)
  local state = self.state
  local parent = state:job(namespace, id)
  if not parent then
    return refuse "parameterized job not found"
  elseif not parent.ParameterizedJob or parent.Dispatched then
    return refuse(('Specified job "%s" is not a parameterized job'):format(id))
  elseif parent.Stop then
    return refuse(('Specified job "%s" is stopped'):format(id))
  end
  local problem = dispatch_problem(parent, request)
  if problem then
    return refuse(problem)
  end
  local meta = canonical.copy(parent.Meta or {})
  for k, v in pairs(request.Meta or {}) do
    meta[k] = v
  end
  local child = ("%s/dispatch-%d-%08x"):format(
    id,
    math.tointeger(state.clock.now() // 1),
    state.random:bits() & 0xffffffff
  )
  local changes = {
    Dispatched = true,
    Meta = next(meta) and meta or nil,
    Payload = request.Payload,
  }
  local index, eval = self:child(parent, child, changes, "job-register")
  return {
    DispatchedJobID = child,
    EvalCreateIndex = eval.CreateIndex,
    EvalID = eval.ID,
    Index = eval.CreateIndex,
    JobCreateIndex = index,
  }
end

--- Removes what is dead and will not run again.
function Jobs:collect()
  local state = self.state
  local gone = {}
  for _, job in ipairs(state:list()) do
    local over = job.Stop or (job.Type == "batch" and not waits(job))
    if job.Status == "dead" and over then
      gone[#gone + 1] = job
    end
  end
  if #gone == 0 then
    return
  end
  local index = state:next_index()
  local list = {}
  for _, job in ipairs(gone) do
    state:remove_job(job, index)
    if self.modern then
      list[#list + 1] = state:job_event(job, "JobBatchDeregistered", index, true)
    else
      local eval = state:new_eval(job, "job-deregister", index)
      state:put_eval(eval, index)
      list[#list + 1] = state:eval_event(eval, "JobBatchDeregistered", index)
      self.scheduler:evaluate(eval, nil, false)
    end
  end
  state:publish(index, list)
  state:notify()
end

--- The job as a client that reads it gets it: no field for what is null.
---@param job table
---@return table
function Jobs:seen(job)
  return json.decode(self.state:text(job))
end

return jobs
