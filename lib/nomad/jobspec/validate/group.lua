--- The rules for a task group.

local common = require "nomad.jobspec.validate.common"
local connect = require "nomad.jobspec.validate.connect"
local identity = require "nomad.jobspec.validate.identity"
local network = require "nomad.jobspec.validate.network"
local placement = require "nomad.jobspec.validate.placement"
local policy = require "nomad.jobspec.validate.policy"
local service = require "nomad.jobspec.validate.service"
local sidecar = require "nomad.jobspec.validate.sidecar"
local task = require "nomad.jobspec.validate.task"
local volume = require "nomad.jobspec.validate.volume"

local group = {}

local each = common.each

--- How many allocations: what is said, else the scaling's Min, else one.
---@param g table
---@return integer
function group.count(g)
  return g.Count or g.Scaling and g.Scaling.Min or 1
end

local NONE = {}

--- The group's tasks, with those that the server will add, and how many are the group's own.
local function tasks_of(r, job, g)
  local own = g.Tasks or NONE
  if g.Services and common.some(g.Networks) then
    return sidecar.add(r, job, g, own), #own
  end
  return own, #own
end

local function check_twice(r, t, name, names, leader)
  if names[name] and name ~= "" then
    r:err(t, "Name", "%q is there twice in the group", name)
  end
  if leader and t.Leader then
    r:err(t, "Leader", "is there twice in the group")
  end
end

--- The names of the tasks, and whether there are services and networks in them or the group.
local function check_tasks(r, g, tasks, own)
  local names, leader, services, networks = {}, nil, g.Services, g.Networks
  for i, t in each(tasks) do
    local name = t.Name or ""
    if names[name] or leader then
      check_twice(r, t, i <= own and name or "", names, leader)
    end
    names[name] = true
    leader, services = leader or t.Leader, services or t.Services
    networks = networks or t.Resources and t.Resources.Networks
  end
  if not next(names) then
    r:err(g, "Tasks", "is needed, at least one task")
  end
  return names, services, networks
end

local function check_unique(r, s, ids, name, owner)
  local id = name .. "\0" .. owner .. "\0" .. (s.PortLabel or "")
  if ids[id] then
    r:err(s, "Name", "%q with this port is there twice in the group", name)
  end
  ids[id] = true
end

local function check_provider(r, s, first)
  local provider = service.provider(s)
  if first and first ~= provider then
    r:err(
      s,
      "Provider",
      "%s: all services of a group must have the same provider, %s is another's",
      provider,
      first
    )
  end
  return first or provider
end

local function check_services(r, job, g, tasks, names)
  local ids, provider = {}, nil
  for _, t in each(tasks) do
    local own = t.Name or ""
    for _, s in each(t.Services) do
      check_unique(r, s, ids, service.name(s, job, g, own), own)
      provider = check_provider(r, s, provider)
    end
  end
  for _, s in each(g.Services) do
    local name = service.name(s, job, g)
    check_unique(r, s, ids, name, "group")
    provider = check_provider(r, s, provider)
    service.check(r, s, name, connect.check)
    service.group_level(r, names, s)
  end
end

local function only_batch(r, g, key, type)
  r:want(
    type == "batch" or type == "sysbatch",
    g,
    key,
    "is allowed only in batch and sysbatch jobs, not in %s jobs",
    type
  )
end

--- Rules by the field without which they have nothing to say.
local RULES = {
  Affinities = placement.affinities,
  Spreads = placement.spreads,
  RestartPolicy = policy.restart,
  Disconnect = policy.disconnect,
  Constraints = function(r, g)
    placement.constraints(r, g)
  end,
  Consul = function(r, g, _, enterprise)
    identity.consul(r, g, nil, enterprise)
  end,
  MaxRunDuration = function(r, g, type)
    r:want(g.MaxRunDuration > 0, g, "MaxRunDuration", "must be more than 0")
    only_batch(r, g, "MaxRunDuration", type)
  end,
  ShutdownDelay = function(r, g)
    r:want(g.ShutdownDelay >= 0, g, "ShutdownDelay", "must not be negative")
  end,
}

--- The policies that the job may have written too.
local function check_policies(r, job, g, type, update, count)
  if job.Reschedule or g.ReschedulePolicy then
    policy.reschedule(r, job, g, type)
  end
  if job.Migrate or g.Migrate then
    policy.migrate(r, job, g, type)
  end
  if g.Scaling then
    policy.scaling(r, job, g, count)
  end
  if update and (g.Update or job.Update) then
    policy.update(r, job, g, type, update)
  end
end

local function check_own(r, g, type, count, enterprise)
  local name = g.Name or ""
  if name == "" then
    r:err(g, "Name", "is needed")
  elseif name:find("\0", 1, true) then
    r:err(g, "Name", "must have no null character")
  end
  if count < 0 then
    r:err(g, "Count", "must not be negative")
  elseif count > 1 and type == "system" then
    r:err(g, "Count", "must be 0 or 1 in a system job")
  end
  for key in next, g do
    local rule = RULES[key]
    if rule then
      rule(r, g, type, enterprise)
    end
  end
end

---@param r jobspec.Report
---@param g table
---@param around jobspec.validate.Around its job; what concerns the group is put in here
function group.check(r, g, around)
  local job, type, enterprise = around.job, around.type, around.enterprise
  local count, update = group.count(g), policy.update_of(job, g, type)
  local tasks, own = tasks_of(r, job, g)
  local names, services, networks = check_tasks(r, g, tasks, own)
  check_own(r, g, type, count, enterprise)
  check_policies(r, job, g, type, update, count)
  if networks then
    network.check(r, g, tasks)
  end
  if services then
    check_services(r, job, g, tasks, names)
    connect.group(r, job, g, tasks, own)
  end
  around.group, around.update = g, update
  around.disk = g.EphemeralDisk and g.EphemeralDisk.SizeMB or 300
  around.volumes = volume.requests(r, g, type, count, update and update.Canary or 0)
  for _, t in each(tasks) do
    task.check(r, t, around)
  end
end

return group
