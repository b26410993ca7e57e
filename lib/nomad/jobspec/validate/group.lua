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

--- The group's tasks as { task, place }, with those that the server will add.
local function tasks_of(at, job, g)
  local tasks = {}
  for _, t, place in each(at, "Tasks", g.Tasks) do
    tasks[#tasks + 1] = { t, place }
  end
  local own = #tasks
  sidecar.add(at, job, g, tasks)
  return tasks, own
end

local function check_names(r, at, g, tasks)
  local name = g.Name or ""
  r:want(name ~= "", at, "Name", "is needed")
  r:want(not name:find("\0", 1, true), at, "Name", "must have no null character")
  r:want(#tasks > 0, at, "Tasks", "is needed, at least one task")
  local names, leader = {}, nil
  for _, pair in ipairs(tasks) do
    local own = pair[1].Name or ""
    if own ~= "" and not pair[3] then
      r:want(not names[own], pair[2], "Name", "%q is there twice in the group", own)
    end
    names[own] = true
    r:want(not (leader and pair[1].Leader), pair[2], "Leader", "is there twice in the group")
    leader = leader or pair[1].Leader
  end
  return names
end

local function check_unique(r, place, s, ids, name, owner)
  local id = table.concat({ name, owner, s.PortLabel or "" }, "\0")
  r:want(not ids[id], place, "Name", "%q with this port is there twice in the group", name)
  ids[id] = true
end

local function check_provider(r, place, s, first)
  local provider = service.provider(s)
  r:want(
    not first or first == provider,
    place,
    "Provider",
    "%s: all services of a group must have the same provider, %s is another's",
    provider,
    first
  )
  return first or provider
end

local function check_services(r, at, job, g, tasks, names)
  local ids, provider = {}, nil
  for _, pair in ipairs(tasks) do
    local own = pair[1].Name or ""
    for _, s, place in each(pair[2], "Services", pair[1].Services) do
      check_unique(r, place, s, ids, service.name(s, job, g, own), own)
      provider = check_provider(r, place, s, provider)
    end
  end
  for _, s, place in each(at, "Services", g.Services) do
    local name = service.name(s, job, g)
    check_unique(r, place, s, ids, name, "group")
    provider = check_provider(r, place, s, provider)
    service.check(r, place, s, name, connect.check)
    service.group_level(r, place, names, s)
  end
end

--- Rules by the field without which they have nothing to say.
local RULES = {
  Affinities = placement.affinities,
  Spreads = placement.spreads,
  RestartPolicy = policy.restart,
  Disconnect = policy.disconnect,
  Constraints = function(r, at, g)
    placement.constraints(r, at, g)
  end,
}

--- The policies that the job may have written too.
local function check_policies(r, at, job, g, type, update, count)
  policy.reschedule(r, at, job, g, type)
  policy.migrate(r, at, job, g, type)
  policy.scaling(r, at, job, g, count)
  if update and (g.Update or job.Update) then
    policy.update(r, at, job, g, type, update)
  end
end

---@param r jobspec.Report
---@param at jobspec.Place
---@param g table
---@param job table
---@param type string
---@param enterprise boolean
function group.check(r, at, g, job, type, enterprise)
  local count, update = group.count(g), policy.update_of(job, g, type)
  local tasks, own = tasks_of(at, job, g)
  local names = check_names(r, at, g, tasks)
  r:want(count >= 0, at, "Count", "must not be negative")
  r:want(type ~= "system" or count <= 1, at, "Count", "must be 0 or 1 in a system job")
  r:want((g.ShutdownDelay or 0) >= 0, at, "ShutdownDelay", "must not be negative")
  for key in next, g do
    local rule = RULES[key]
    if rule then
      rule(r, at, g, type)
    end
  end
  check_policies(r, at, job, g, type, update, count)
  network.check(r, at, g, tasks)
  check_services(r, at, job, g, tasks, names)
  connect.group(r, at, job, g, tasks, own)
  identity.consul(r, at, g, nil, enterprise)
  local around = {
    job = job,
    type = type,
    group = g,
    update = update,
    enterprise = enterprise,
    disk = g.EphemeralDisk and g.EphemeralDisk.SizeMB or 300,
    volumes = volume.requests(r, at, g, type, count, update and update.Canary or 0),
  }
  for _, pair in ipairs(tasks) do
    task.check(r, pair[2], pair[1], around)
  end
end

return group
