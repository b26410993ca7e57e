--- group: the defaults of jobs and task groups that the agent fills in when it gets a job, and what they inherit from
--- the job (Nomad's api package, and the conversion behind it).

local json = require "host.json"
local defaults = require "nomad.jobspec.defaults"
local resources = require "nomad.jobspec.canonical.resources"
local service = require "nomad.jobspec.canonical.service"
local task = require "nomad.jobspec.canonical.task"
local tools = require "nomad.jobspec.canonical.tools"

local group = {}

local function weigh(list)
  for _, item in ipairs(tools.each(list)) do
    tools.fill(item, { Weight = 50 })
  end
end

--- Affinities and spreads that say no weight weigh 50.
---@param object table a job, group or task
function group.weigh(object)
  weigh(object.Affinities)
  weigh(object.Spreads)
end

local function is_empty_update(update)
  for _, value in pairs(update) do
    if value ~= 0 and value ~= "" and value ~= false then
      return false
    end
  end
  return true
end

-- What of the job's `update` is the group's too.
local function inherit_update(self, job)
  if job.Update and (self.Update or not is_empty_update(job.Update)) then
    self.Update = tools.merged(job.Update, self.Update)
  end
  if self.Update then
    tools.fill(self.Update, defaults.UPDATE)
  end
end

local function has_no_reschedule(job, at_least)
  return job.Type == "system" or (job.Type == "sysbatch" and at_least "1.11.0")
end

local function inherit_reschedule(self, job, at_least)
  self.ReschedulePolicy = tools.merged(job.Reschedule, self.ReschedulePolicy)
  if not self.ReschedulePolicy and has_no_reschedule(job, at_least) then
    return
  end
  local policy = defaults.RESCHEDULE[job.Type] or defaults.NO_RESCHEDULE
  self.ReschedulePolicy = tools.fill(self.ReschedulePolicy or {}, policy)
end

local function inherit_migrate(self, job)
  self.Migrate = tools.merged(job.Migrate, self.Migrate)
  if self.Migrate or job.Type == "service" then
    self.Migrate = tools.fill(self.Migrate or {}, defaults.MIGRATE)
  end
end

local function set_restart(self, job)
  local lasting = job.Type == "service" or job.Type == "system"
  self.RestartPolicy = tools.fill(
    self.RestartPolicy or {},
    lasting and defaults.RESTART_SERVICE or defaults.RESTART_BATCH
  )
end

local function set_consul(self, job, at_least)
  if not self.Consul and not at_least "1.10.0" then
    self.Consul = {}
  end
  if self.Consul then
    tools.fill_empty(self.Consul, "Namespace", job.ConsulNamespace or "")
    tools.fill_empty(self.Consul, "Cluster", "default")
  end
end

--- The defaults of a scaling policy.
---@param self table
---@param count integer of the group
function group.scaling(self, count)
  tools.fill(self, { Enabled = true, Min = count, Max = -1 })
  tools.fill_empty(self, "Type", "horizontal")
end

local KNOWN_VOLUMES = { host = true, csi = true }

-- Volumes of a type that Nomad does not know are dropped without a word.
local function keep_known_volumes(self)
  tools.drop_empty(self, "Volumes")
  for name, volume in pairs(self.Volumes or {}) do
    if not KNOWN_VOLUMES[volume.Type] then
      self.Volumes[name] = nil
    end
  end
end

local function set_disconnect(self, at_least)
  if self.Disconnect then
    tools.fill(self.Disconnect, { Replace = true })
    tools.fill_empty(self.Disconnect, "Reconcile", "best_score")
  end
  if at_least "1.10.0" then
    self.StopAfterClientDisconnect, self.MaxClientDisconnect = nil, nil
    self.PreventRescheduleOnLost = nil
  end
end

local function canonicalize_group(self, job, at_least)
  tools.fill(self, { Name = "", Count = self.Scaling and self.Scaling.Min or 1 })
  if self.Scaling then
    group.scaling(self.Scaling, self.Count)
  end
  self.EphemeralDisk = tools.fill(self.EphemeralDisk or {}, {
    Sticky = false,
    Migrate = false,
    SizeMB = 300,
  })
  set_consul(self, job, at_least)
  inherit_update(self, job)
  inherit_reschedule(self, job, at_least)
  inherit_migrate(self, job)
  set_restart(self, job)
  set_disconnect(self, at_least)
  keep_known_volumes(self)
  tools.drop_empty(self, "Networks", "Services", "Spreads", "Tasks")
  group.weigh(self)
  for _, spread in ipairs(tools.each(self.Spreads)) do
    tools.drop_empty(spread, "SpreadTarget")
  end
  resources.networks(self.Networks, at_least)
  for _, one in ipairs(tools.each(self.Tasks)) do
    task.canonicalize(one, self, job, at_least)
  end
  for _, one in ipairs(tools.each(self.Services)) do
    service.canonicalize(one, nil, self, job, at_least)
  end
end

local function canonicalize_periodic(self)
  tools.fill(self, {
    Enabled = true,
    Spec = "",
    Specs = json.array {},
    SpecType = "cron",
    ProhibitOverlap = false,
  })
  tools.fill_empty(self, "TimeZone", "UTC")
end

local function canonicalize_multiregion(self)
  self.Strategy = tools.fill(self.Strategy or {}, { MaxParallel = 0, OnFailure = "" })
  tools.drop_empty(self, "Regions")
  for _, region in ipairs(tools.each(self.Regions)) do
    tools.fill(region, { Count = 1, Datacenters = json.array {}, Meta = {} })
  end
end

-- The groups have the whole of it; the job keeps two fields, for show.
local function keep_job_update(self)
  local update = self.Update
  self.Update = nil
  if update and update.MaxParallel > 0 then
    self.Update = { Stagger = update.Stagger, MaxParallel = update.MaxParallel }
  end
end

local function updates(job, at_least)
  return job.Type == "service" or (job.Type == "system" and at_least "1.11.0")
end

--- What the agent makes of a job before it goes to a server.
---@param self table of read.lua; changed in place
---@param at_least fun(version: string): boolean
function group.canonicalize_job(self, at_least)
  tools.fill(self, { ID = "", Type = "service", Priority = 50 })
  tools.fill(self, { Name = self.ID })
  if self.Periodic then
    canonicalize_periodic(self.Periodic)
  end
  if self.Update or updates(self, at_least) then
    self.Update = tools.fill(self.Update or {}, defaults.UPDATE)
  end
  if self.Multiregion then
    canonicalize_multiregion(self.Multiregion)
  end
  tools.drop_empty(self, "TaskGroups", "Spreads")
  for _, one in ipairs(tools.each(self.TaskGroups)) do
    canonicalize_group(one, self, at_least)
  end
  group.weigh(self)
  if self.UI then
    tools.drop_empty(self.UI, "Links")
  end
  keep_job_update(self)
end

return group
