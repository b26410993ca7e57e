--- canonical: what Nomad's servers make of a job that they are sent, and how they write it out. Jobs, groups, tasks,
--- resources, templates and schedules get their defaults; services, networks and the like stay as they were sent.

local fields = require "operator.testing.fields"
local json = require "host.json"

local canonical = {}

local NULL = json.null

local function copy(value)
  if type(value) ~= "table" then
    return value
  end
  local out = json.is_array(value) and json.array {} or {}
  for k, v in pairs(value) do
    out[k] = copy(v)
  end
  return out
end

local function is_blank(value)
  return value == nil or value == NULL or (type(value) == "table" and next(value) == nil)
end

--- The struct with its defaults; unknown fields are dropped, as Go's decoder does.
local function filled(given, struct)
  local out = {}
  for name, default in pairs(struct) do
    local value = given[name]
    if value == NULL then
      value = nil
    end
    if default == NULL then
      -- Nomad keeps no difference between an empty list or map and none.
      out[name] = not is_blank(value) and copy(value) or nil
      if value == false then
        out[name] = false
      end
    elseif value == nil then
      out[name] = copy(default)
    elseif type(default) == "table" and not json.is_array(default) then
      out[name] = filled(value, default)
    else
      out[name] = copy(value)
    end
  end
  return out
end

local function laid_over(base, over)
  local out = copy(base)
  for k, v in pairs(over or {}) do
    if v ~= NULL then
      out[k] = copy(v)
    end
  end
  return out
end

local function given_table(...)
  local out = {}
  for _, part in ipairs { ... } do
    if type(part) == "table" then
      out = laid_over(out, part)
    end
  end
  return out
end

local function kind_of(job_type)
  return (job_type == "batch" or job_type == "sysbatch") and "batch" or "service"
end

local function task_of(given, restart, structs)
  local task = filled(given, structs.task)
  task.RestartPolicy = given_table(restart, given.RestartPolicy)
  if given.Config ~= nil and given.Config ~= NULL then
    task.Config = copy(given.Config)
  end
  for i, template in ipairs(task.Templates or {}) do
    task.Templates[i] = filled(template, structs.template)
  end
  return task
end

local function group_of(given, job, structs)
  local kind = kind_of(job.Type)
  local group = filled(given, structs.group)
  local restart = given_table(structs.restart[kind], given.RestartPolicy)
  group.RestartPolicy = restart
  if job.Type == "service" or job.Type == "batch" then
    group.ReschedulePolicy =
      given_table(structs.reschedule[kind], job.Reschedule, given.ReschedulePolicy)
  end
  if job.Type == "service" then
    group.Migrate = given_table(structs.migrate, job.Migrate, given.Migrate)
  end
  if structs.update.types[job.Type] then
    group.Update = given_table(structs.update.group, job.Update, given.Update)
  else
    group.Update = nil
  end
  group.Tasks = group.Tasks and json.array {}
  for i, task in ipairs(group.Tasks and given.Tasks or {}) do
    group.Tasks[i] = task_of(task, restart, structs)
  end
  return group
end

--- The server shows only these two of the job's own update block; the rest is in its groups.
local function job_update(job, structs)
  local update = copy(structs.update.none)
  if structs.update.types[job.Type] then
    local given = given_table(structs.update.group, job.Update)
    update.MaxParallel, update.Stagger = given.MaxParallel, given.Stagger
  end
  return update
end

local RUNTIME = {
  "CreateIndex",
  "ModifyIndex",
  "JobModifyIndex",
  "SubmitTime",
  "Version",
  "Status",
  "StatusDescription",
  "Stable",
  "NomadTokenID",
  "ParentID",
  "Dispatched",
  "VersionTag",
  "DispatchIdempotencyToken",
  "Payload",
}

---@class operator.testing.Canonical
---@field structs table
---@field modern boolean
local Canonical = {}
Canonical.__index = Canonical

---@param modern boolean 1.11's structs, else 1.4's
---@return operator.testing.Canonical
function canonical.new(modern)
  return setmetatable({ structs = fields.of(modern), modern = modern }, Canonical)
end

--- Empty texts and zeros that stand for the default.
function Canonical:fill_empty(job)
  job.Name = job.Name == "" and job.ID or job.Name
  job.Region = job.Region == "" and "global" or job.Region
  job.Priority = job.Priority == 0 and 50 or job.Priority
  if self.modern then
    job.Datacenters = job.Datacenters or json.array { "*" }
    job.NodePool = job.NodePool == "" and "default" or job.NodePool
  end
end

--- A job as a server keeps it. Runtime fields of the request do not count.
---@param given table
---@param namespace string
---@return table job without nulls: an absent field is null
function Canonical:job(given, namespace)
  local structs = self.structs
  local source = laid_over({}, given)
  for _, name in ipairs(RUNTIME) do
    source[name] = nil
  end
  local job = filled(source, structs.job)
  job.Namespace = namespace
  self:fill_empty(job)
  local whole = setmetatable({ Type = job.Type }, { __index = source })
  for i, group in ipairs(job.TaskGroups or {}) do
    job.TaskGroups[i] = group_of(group, whole, structs)
  end
  job.Update = job_update(whole, structs)
  if source.Periodic then
    job.Periodic = filled(source.Periodic, structs.periodic)
  end
  if source.ParameterizedJob then
    job.ParameterizedJob = filled(source.ParameterizedJob, structs.parameterized)
  end
  return job
end

local function with_nulls(value, struct)
  local out = {}
  for name, default in pairs(struct) do
    local held = value[name]
    if held == nil then
      out[name] = NULL
    elseif type(default) == "table" and default ~= NULL and not json.is_array(default) then
      out[name] = with_nulls(held, default)
    else
      out[name] = held
    end
  end
  return out
end

local function each(list, fn)
  local out = json.array {}
  for i, item in ipairs(list or {}) do
    out[i] = fn(item)
  end
  return out
end

--- The job as Nomad writes it: every field is there, null where it has no value.
---@param job table
---@return table
function Canonical:written(job)
  local structs = self.structs
  local out = with_nulls(job, structs.job)
  out.TaskGroups = each(job.TaskGroups, function(group)
    local shown = with_nulls(group, structs.group)
    shown.Tasks = each(group.Tasks, function(task)
      local t = with_nulls(task, structs.task)
      t.Templates = task.Templates
        and each(task.Templates, function(template)
          return with_nulls(template, structs.template)
        end)
      t.Templates = t.Templates or NULL
      return t
    end)
    return shown
  end)
  if job.ParameterizedJob then
    out.ParameterizedJob = with_nulls(job.ParameterizedJob, structs.parameterized)
  end
  return out
end

local function equal(a, b)
  if a == b then
    return true
  end
  if type(a) ~= "table" or type(b) ~= "table" then
    return false
  end
  for k, v in pairs(a) do
    if not equal(v, b[k]) then
      return false
    end
  end
  for k in pairs(b) do
    if a[k] == nil then
      return false
    end
  end
  return true
end

canonical.equal = equal
canonical.copy = copy

local NOT_SPEC = {}
for _, name in ipairs(RUNTIME) do
  NOT_SPEC[name] = true
end

--- True when the job says something else than the other, runtime fields apart. `Stop` counts.
---@param a table
---@param b table
---@return boolean
function canonical.spec_changed(a, b)
  for _, pair in ipairs { { a, b }, { b, a } } do
    for name, value in pairs(pair[1]) do
      if not NOT_SPEC[name] and not equal(value, pair[2][name]) then
        return true
      end
    end
  end
  return false
end

return canonical
