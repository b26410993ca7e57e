--- server: what a server makes of a job before it looks at what the job implies (Nomad's structs package). It is done
--- twice: once before, and once when the job is written, so that what was added has its defaults too.

local json = require "host.json"
local resources = require "nomad.jobspec.canonical.resources"
local tools = require "nomad.jobspec.canonical.tools"

local server = {}

local function drop_empty_lists(self)
  tools.drop_empty(self, "Meta", "Constraints", "Affinities", "Spreads")
end

local function canonicalize_check(self, owner)
  tools.drop_empty(self, "Args", "Header")
  for key, values in pairs(self.Header or {}) do
    if values ~= json.null and #values == 0 then
      self.Header[key] = json.null
    end
  end
  -- Go quotes the name as Lua would not.
  tools.fill_empty(self, "Name", ('service: "%s" check'):format(owner.Name:gsub('[\\"]', "\\%0")))
  tools.fill_empty(self, "TaskName", owner.TaskName or "")
end

-- `task` is "group" for the services of a group.
local function canonicalize_service(self, job, group, task)
  tools.drop_empty(self, "Tags", "CanaryTags", "Checks", "TaggedAddresses")
  if task ~= "group" then
    tools.fill_empty(self, "TaskName", task)
  end
  self.Name = tools.replace_env(self.Name, {
    JOB = job.Name,
    TASKGROUP = group.Name,
    TASK = task,
    BASE = ("%s-%s-%s"):format(job.Name, group.Name, task),
  })
  for _, check in ipairs(tools.each(self.Checks)) do
    canonicalize_check(check, self)
  end
  if self.Provider == "nomad" then
    self.Namespace = job.Namespace
  elseif self.Provider == "consul" then
    tools.fill_empty(self, "Namespace", "default")
  end
end

local function canonicalize_identity(self)
  tools.fill_empty(self, "Name", "default")
  if self.Name == "default" then
    self.Audience = json.array { "nomadproject.io" }
  end
  self.ChangeSignal = self.ChangeSignal and self.ChangeSignal:upper()
end

-- The default identity has a place of its own.
local function canonicalize_identities(self)
  local default
  for i, identity in ipairs(tools.each(self.Identities)) do
    canonicalize_identity(identity)
    if identity.Name == "default" then
      self.Identity, default = identity, i
    end
  end
  if default then
    table.remove(self.Identities, default)
  end
  self.Identity = self.Identity or {}
  canonicalize_identity(self.Identity)
end

local function scaling_target(job, group, task)
  return {
    Namespace = job.Namespace,
    Job = job.ID,
    Group = group.Name,
    Task = task and task.Name,
  }
end

local function upper_signals(self)
  for _, template in ipairs(tools.each(self.Templates)) do
    template.ChangeSignal = template.ChangeSignal:upper()
  end
  if self.Vault then
    self.Vault.ChangeSignal = self.Vault.ChangeSignal:upper()
    tools.fill_empty(self.Vault, "ChangeMode", "restart")
  end
end

--- Also for tasks that a server adds by itself.
---@param self table
---@param job table
---@param group table
---@param at_least fun(version: string): boolean
function server.canonicalize_task(self, job, group, at_least)
  drop_empty_lists(self)
  tools.drop_empty(self, "Config", "Env", "VolumeMounts")
  for _, service in ipairs(tools.each(self.Services)) do
    canonicalize_service(service, job, group, self.Name or "")
  end
  tools.drop_empty(self.Resources, "Networks", "Devices")
  resources.name_host_networks(self.Resources.Networks)
  self.RestartPolicy = self.RestartPolicy or tools.merged(group.RestartPolicy)
  if (self.KillTimeout or 0) == 0 then
    self.KillTimeout = 5 * tools.SECOND
  end
  for _, policy in ipairs(tools.each(self.ScalingPolicies)) do
    if at_least "1.9.0" then
      tools.fill_empty(policy, "Type", "horizontal")
    end
    policy.Target = scaling_target(job, group, self)
  end
  upper_signals(self)
  if at_least "1.7.0" then
    canonicalize_identities(self)
  end
end

local function canonicalize_group(self, job, at_least)
  drop_empty_lists(self)
  if self.Scaling then
    tools.fill_empty(self.Scaling, "Type", "horizontal")
    self.Scaling.Target = scaling_target(job, self)
  end
  for _, service in ipairs(tools.each(self.Services)) do
    canonicalize_service(service, job, self, "group")
  end
  resources.name_host_networks(self.Networks)
  for _, task in ipairs(tools.each(self.Tasks)) do
    server.canonicalize_task(task, job, self, at_least)
  end
end

---@param self table changed in place
---@param at_least fun(version: string): boolean
function server.canonicalize(self, at_least)
  drop_empty_lists(self)
  if at_least "1.5.0" and #(self.Datacenters or {}) == 0 then
    self.Datacenters = json.array { "*" }
  end
  for _, group in ipairs(tools.each(self.TaskGroups)) do
    canonicalize_group(group, self, at_least)
  end
  if self.ParameterizedJob then
    tools.fill_empty(self.ParameterizedJob, "Payload", "optional")
  end
end

return server
