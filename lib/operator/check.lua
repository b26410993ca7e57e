--- check: a job that `desired` returned is valid before it is sent. A child that differs from one that was valid only
--- in its name and in what Nomad takes as it comes (meta, environment, the driver's configuration) is not looked at
--- again.
---
--- The validator and the schema behind it are there only while jobs have to be looked at.

local json = require "host.json"
local failure = require "operator.failure"
local validator = require "operator.validator"

local check = {}

--- Shapes that are remembered; then all are forgotten.
local MAX_SHAPES = 1024
--- Problems that a message names.
local MAX_PROBLEMS = 3
--- What a server may allow beyond the validator's bound: its job_max_priority.
local MAX_PRIORITY = 32766

---@class operator.Check
---@field private deps operator.CheckDeps
---@field private validator operator.Validator
---@field private valid table<string, boolean> digests of shapes
---@field private casts table<jobspec.Cast, { matters?: integer[], valid: table<string, boolean>, count: integer }>
---@field private count integer
---@field private version? string|false the server's, once it was asked for; false: it does not say
---@field private said table<string, boolean> warnings
local Check = {}
Check.__index = Check

---@class operator.CheckDeps
---@field host table log, timer
---@field version fun(): string?, host.nomad.Error? asks the server for its version

---@param deps operator.CheckDeps
---@return operator.Check
function check.new(deps)
  return setmetatable({
    deps = deps,
    validator = validator.new(deps.host),
    valid = {},
    casts = {},
    count = 0,
    said = {},
  }, Check)
end

local function is_plain(text)
  return type(text) == "string" and #text <= 128 and text:find "^%w[%w_.-]*$" ~= nil
end

-- A map of strings with plain keys, as meta and environments are.
local function is_plain_map(map)
  if type(map) ~= "table" then
    return map == nil
  end
  for key, value in pairs(map) do
    if type(value) ~= "string" or not is_plain(key) then
      return false
    end
  end
  return true
end

-- What a driver's configuration may hold: what JSON can say.
local function is_data(value, depth)
  local kind = type(value)
  if kind ~= "table" then
    return kind == "string" or kind == "boolean" or math.type(value) == "integer"
  elseif depth > 8 then
    return false
  end
  for key, item in pairs(value) do
    if type(key) ~= "string" and math.type(key) ~= "integer" or not is_data(item, depth + 1) then
      return false
    end
  end
  return json.is_array(value) or value[1] == nil
end

local function is_config(value)
  return value == nil or (type(value) == "table" and not json.is_array(value) and is_data(value, 1))
end

local function without(object, ...)
  local copy = {}
  for name, value in pairs(object) do
    copy[name] = value
  end
  for i = 1, select("#", ...) do
    copy[select(i, ...)] = nil
  end
  return copy
end

local function task_shape(task)
  if
    type(task) ~= "table"
    or task.Services ~= nil
    or not (is_plain_map(task.Env) and is_plain_map(task.Meta))
    or not is_config(task.Config)
  then
    return nil
  end
  local shape = without(task, "Env", "Meta", "Config")
  shape.Has = task.Config ~= nil
  return shape
end

local function group_shape(group)
  if type(group) ~= "table" or group.Services ~= nil or type(group.Tasks) ~= "table" then
    return nil
  end
  local shape = without(group, "Tasks")
  shape.Tasks = {}
  for i, task in ipairs(group.Tasks) do
    local one = task_shape(task)
    if not one then
      return nil
    end
    shape.Tasks[i] = one
  end
  return shape
end

-- The job without what cannot make it invalid; nil where that is not so simple (services have names made of the job's).
local function job_shape(job)
  if
    not is_plain(job.ID)
    or not (job.Name == nil or is_plain(job.Name))
    or not is_plain_map(job.Meta)
    or type(job.TaskGroups) ~= "table"
  then
    return nil
  end
  local shape = without(job, "ID", "Name", "Namespace", "Meta", "TaskGroups")
  shape.TaskGroups = {}
  for i, group in ipairs(job.TaskGroups) do
    local one = group_shape(group)
    if not one then
      return nil
    end
    shape.TaskGroups[i] = one
  end
  return shape
end

-- Equal for jobs that are valid alike; nil: the job has to be looked at.
local function digest_of(job)
  local shape = job_shape(job)
  local ok, digest = pcall(json.digest, shape)
  return shape and ok and digest or nil
end

-- What the cluster decides is left to the cluster.
local function is_ours(problem, job)
  local priority = job.Priority
  return problem.level == "error"
    and not (
      problem.path == "Priority"
      and math.type(priority) == "integer"
      and priority > 0
      and priority <= MAX_PRIORITY
    )
end

local function refuse(job, policy, problems)
  local words = {}
  for i = 1, math.min(#problems, MAX_PROBLEMS) do
    local problem = problems[i]
    words[i] = problem.path ~= "" and ("%s: %s"):format(problem.path, problem.message)
      or problem.message
  end
  local more = #problems - #words
  failure.fail(
    ("policy %s returned job %s, which Nomad would not take: %s%s"):format(
      policy,
      type(job.ID) == "string" and job.ID or "without an ID",
      table.concat(words, "; "),
      more > 0 and ("; and %d more"):format(more) or ""
    )
  )
end

-- The placeholders of a template that can make a job of it invalid; nil where each job has to be looked at.
local function mattering(cast)
  local strings, wholes = cast:placeholders()
  local fills, matters = {}, {}
  for _, index in ipairs(strings) do
    fills[index] = "a"
  end
  for i, index in ipairs(wholes) do
    fills[index], matters[i] = "a", -index
  end
  local shape = digest_of(cast:job(fills))
  if not shape then
    return nil
  end
  for _, index in ipairs(strings) do
    fills[index] = "b"
    if digest_of(cast:job(fills)) ~= shape then
      matters[#matters + 1] = index
    end
    fills[index] = "a"
  end
  return matters
end

-- What is known of a template's jobs.
function Check:casts_of(cast)
  local known = self.casts[cast]
  if not known then
    known = { matters = mattering(cast), valid = {}, count = 0 }
    self.casts[cast] = known
  end
  return known
end

--- Is the job one of a template that is valid, because one with the same values was in all places that matter?
---@param made jobspec.CastJob
---@return boolean
function Check:has_passed(made)
  local known, head = self:casts_of(made.cast), made.head
  return known.matters ~= nil
    and is_plain(head.ID)
    and (head.Name == nil or head.Name == head.ID or is_plain(head.Name))
    and known.valid[made:key(known.matters)] == true
end

-- The job is valid, and is sent as it is.
function Check:remember_cast(made)
  local known = made and self:casts_of(made.cast)
  if not known or not known.matters then
    return
  elseif known.count >= MAX_SHAPES then
    known.valid, known.count = {}, 0
  end
  known.valid[made:key(known.matters)], known.count = true, known.count + 1
end

function Check:remember(digest)
  if self.count >= MAX_SHAPES then
    self.valid, self.count = {}, 0
  end
  self.valid[digest], self.count = true, self.count + 1
end

local function has_unknown(problems)
  for _, problem in ipairs(problems) do
    if problem.message:find("unknown field", 1, true) then
      return true
    end
  end
  return false
end

-- A server that is newer than the schema may know a field that the schema does not: it is asked for its version, once,
-- where that matters.
function Check:validate(job)
  local opts = { floats = true, enterprise = true, nomad = self.version or nil }
  local problems, clean = self.validator:validate(job, opts)
  if self.version == nil and has_unknown(problems) then
    self.version = self.deps.version() or false
    opts.nomad = self.version or nil
    problems, clean = self.validator:validate(job, opts)
  end
  return problems, clean
end

-- Fields that only a newer server can know are sent as they are, and named once.
function Check:warn(policy, problem)
  local text = ("policy %s: %s: %s"):format(policy, problem.path, problem.message)
  if problem.message:find("unknown field", 1, true) and not self.said[text] then
    self.said[text] = true
    self.deps.host.log("warn", text)
  end
end

--- Raises a permanent failure that names the policy, the path and what is allowed.
---@async
---@param job table what `desired` returned, rendered
---@param policy string its name
---@param made? jobspec.CastJob the same job
---@return table job as it is to be sent: durations are numbers, names have their case
function Check:job(job, policy, made)
  local digest = digest_of(job)
  if digest and self.valid[digest] then
    self:remember_cast(made)
    return job
  end
  local all, clean = self:validate(job)
  local problems = {}
  for _, problem in ipairs(all) do
    if is_ours(problem, job) then
      problems[#problems + 1] = problem
    elseif problem.level == "warning" then
      self:warn(policy, problem)
    end
  end
  if #problems > 0 then
    refuse(job, policy, problems)
  elseif digest and clean == job then
    self:remember(digest)
    self:remember_cast(made)
  end
  return clean or job
end

return check
