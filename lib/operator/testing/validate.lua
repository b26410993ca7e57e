--- validate: why a server refuses a job, in its own words.

local validate = {}

--- The text of hashicorp/go-multierror.
---@param problems string[]
---@return string
local function multierror(problems)
  local count = #problems == 1 and "1 error occurred:" or #problems .. " errors occurred:"
  local lines = { count }
  for _, problem in ipairs(problems) do
    lines[#lines + 1] = "\t* " .. problem
  end
  return table.concat(lines, "\n") .. "\n\n"
end

validate.multierror = multierror

local TYPES = { service = true, batch = true, system = true, sysbatch = true }

--- What Nomad says of a spec, from what our own reader says.
local function nomads_words(reason)
  if reason:find "fewer than five" or reason:find "is not known" then
    return "missing field(s)"
  end
  local entry, field = reason:match '%("(.-)" is no ([%a-]+)%)'
  return entry and ("syntax error in %s field: '%s'"):format(field, entry) or "syntax error"
end

--- Without the library `operator.cron` only the number of fields is looked at.
---@param cron? { parse: fun(spec: string): any, string? }
---@param spec string
---@return string? problem
local function cron_problem(cron, spec)
  local reason
  if cron then
    local schedule, err = cron.parse(spec)
    reason = not schedule and nomads_words(tostring(err)) or nil
  else
    local _, words = spec:gsub("%S+", "")
    local alias = spec:match "^@%a+$" and spec ~= "@midnight"
    reason = not alias and words < 5 and "missing field(s)" or nil
  end
  return reason and ('Invalid cron spec "%s": %s'):format(spec, reason)
end

local AREAS = " Africa America Antarctica Asia Atlantic Australia Europe Indian Pacific Etc "

--- By its form: the model has no time zone database.
local function is_zone(name)
  local area = name:match "^(%a+)/[%w_+/-]+$"
  return (area and AREAS:find(" " .. area .. " ", 1, true) ~= nil) or name:match "^%a+$" ~= nil
end

local function periodic_problems(periodic, env)
  local problems = {}
  local specs = periodic.Specs or {}
  if periodic.Spec == "" and #specs == 0 then
    problems[1] = "Must specify a spec"
    if not env.modern then
      problems[2] = 'Invalid cron spec "": missing field(s)'
    end
    return problems
  end
  for _, spec in ipairs(#specs > 0 and specs or { periodic.Spec }) do
    problems[#problems + 1] = cron_problem(env.cron, spec)
  end
  if not is_zone(periodic.TimeZone) then
    problems[#problems + 1] = ('Invalid time zone "%s": unknown time zone %s'):format(
      periodic.TimeZone,
      periodic.TimeZone
    )
  end
  return problems
end

local function task_problems(task)
  local problems = {}
  if task.Name == "" then
    problems[#problems + 1] = "Missing task name"
  end
  if task.Driver == "" then
    problems[#problems + 1] = "Missing task driver"
  end
  return problems
end

local function group_problems(group)
  local problems = {}
  local tasks = group.Tasks or {}
  if group.Name == "" then
    problems[#problems + 1] = "Missing task group name"
  end
  if #tasks == 0 then
    problems[#problems + 1] = "Missing tasks for task group"
  end
  for i, task in ipairs(tasks) do
    if task.Name == "" then
      problems[#problems + 1] = ("Task %d missing name"):format(i)
    end
  end
  for _, task in ipairs(tasks) do
    local inner = task_problems(task)
    if #inner > 0 then
      problems[#problems + 1] =
        ("Task %s validation failed: %s"):format(task.Name, multierror(inner))
    end
  end
  return problems
end

local function name_problems(job)
  local problems = {}
  if job.ID:find " " then
    problems[#problems + 1] = "Job ID contains a space"
  end
  if job.ID:find "\0" then
    problems[#problems + 1] = "Job ID contains a null character"
  end
  if job.Name:find "\0" then
    problems[#problems + 1] = "Job Name contains a null character"
  end
  return problems
end

local function shape_problems(job, problems, env)
  if not TYPES[job.Type] then
    problems[#problems + 1] = ('Invalid job type: "%s"'):format(job.Type)
  end
  if job.Priority < 1 or job.Priority > 100 then
    problems[#problems + 1] = (env.modern and "job" or "Job")
      .. " priority must be between [1, 100]"
  end
  if not job.Datacenters then
    problems[#problems + 1] = "Missing job datacenters"
  end
  if not job.TaskGroups then
    problems[#problems + 1] = "Missing job task groups"
  end
end

local function groups_problems(job, problems)
  local seen = {}
  for i, group in ipairs(job.TaskGroups or {}) do
    if group.Name == "" then
      problems[#problems + 1] = ("Job task group %d missing name"):format(i)
    elseif seen[group.Name] then
      problems[#problems + 1] = ("Job task group %d redefines '%s' from group %d"):format(
        i,
        group.Name,
        seen[group.Name]
      )
    end
    seen[group.Name] = seen[group.Name] or i
  end
  for _, group in ipairs(job.TaskGroups or {}) do
    local inner = group_problems(group)
    if #inner > 0 then
      problems[#problems + 1] =
        ("Task group %s validation failed: %s"):format(group.Name, multierror(inner))
    end
  end
end

local function kind_problems(job, problems, env)
  local batch = job.Type == "batch" or job.Type == "sysbatch"
  if job.Periodic and job.Periodic.Enabled then
    if not batch then
      problems[#problems + 1] = 'Periodic can only be used with "batch" or "sysbatch" scheduler'
    end
    local inner = periodic_problems(job.Periodic, env)
    if #inner > 0 then
      problems[#problems + 1] = multierror(inner)
    end
  end
  if job.ParameterizedJob and not batch then
    problems[#problems + 1] =
      'Parameterized job can only be used with "batch" or "sysbatch" scheduler'
  end
end

---@class operator.testing.ValidateEnv
---@field modern boolean
---@field cron? table operator.cron
---@field namespaces table<string, any>

---@param job table canonical
---@param env operator.testing.ValidateEnv
---@return string[] problems
function validate.job(job, env)
  local problems = name_problems(job)
  shape_problems(job, problems, env)
  groups_problems(job, problems)
  kind_problems(job, problems, env)
  if not env.namespaces[job.Namespace] then
    problems[#problems + 1] = ('job "%s" is in nonexistent namespace "%s"'):format(
      job.ID,
      job.Namespace
    )
  end
  return problems
end

--- What a job may not become in place.
---@param old table
---@param new table
---@return string? problem
function validate.update(old, new)
  if old.Type ~= new.Type then
    return ('cannot update job from type "%s" to "%s"'):format(old.Type, new.Type)
  elseif new.Periodic and not old.Periodic then
    return "cannot update non-periodic job to being periodic"
  elseif old.Periodic and not new.Periodic then
    return "cannot update periodic job to being non-periodic"
  elseif new.ParameterizedJob and not old.ParameterizedJob then
    return "cannot update non-parameterized job to being parameterized"
  elseif old.ParameterizedJob and not new.ParameterizedJob then
    return "cannot update parameterized job to being non-parameterized"
  end
end

--- A deprecation that a newer server answers with, "" if there is none.
---@param job table
---@param modern boolean
---@return string
function validate.warnings(job, modern)
  if modern and job.Periodic and job.Periodic.Spec ~= "" then
    return "1 warning:\n\n* cron is deprecated and may be removed in a future release. "
      .. "Use crons instead"
  end
  return ""
end

return validate
