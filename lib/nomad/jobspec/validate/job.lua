--- The rules for a job as a whole.

local common = require "nomad.jobspec.validate.common"
local cron = require "operator.cron"
local group = require "nomad.jobspec.validate.group"
local placement = require "nomad.jobspec.validate.placement"
local version = require "nomad.jobspec.version"
local zones = require "nomad.jobspec.validate.zones"

local job = {}

local each = common.each

local TYPES = common.set("service", "batch", "system", "sysbatch")
local MOST_ALLOCATIONS = 50000
local LONGEST_TEXT = 1000

local function check_names(r, j)
  local id, name = j.ID or "", j.Name or j.ID or ""
  r:want(id ~= "", nil, "ID", "is needed")
  r:want(not id:find(" ", 1, true), nil, "ID", "must have no space")
  r:want(not id:find("\0", 1, true), nil, "ID", "must have no null character")
  r:want(name ~= "" or id == "", nil, "Name", "must not be empty")
  r:want(not name:find("\0", 1, true), nil, "Name", "must have no null character")
  r:want(j.Region ~= "" or j.Multiregion, nil, "Region", "must not be empty")
  r:want(j.Namespace ~= "", nil, "Namespace", "must not be empty")
end

local function check_datacenters(r, j, server)
  for i, name in ipairs(j.Datacenters or {}) do
    r:want(name ~= "", j.Datacenters, i, "must not be empty")
  end
  if server and server < version.number("1.5.0") then
    r:want(common.some(j.Datacenters), nil, "Datacenters", "is needed before Nomad 1.5.0")
  end
end

local function check_texts(r, j)
  for _, key in ipairs { "UI", "VersionTag" } do
    local length = #(j[key] and j[key].Description or "")
    r:want(
      length <= LONGEST_TEXT,
      j[key],
      "Description",
      "has %d bytes, at most %d are allowed",
      length,
      LONGEST_TEXT
    )
  end
  r:want(
    (j.Payload or ""):gsub("%s", "") == "",
    nil,
    "Payload",
    "is not allowed, only a dispatch has one"
  )
end

local function check_cron(r, at, field, spec)
  local ok, err = cron.parse(spec)
  r:want(ok, at, field, "%s", err)
end

local function check_crons(r, at, spec, specs)
  if spec ~= "" then
    check_cron(r, at, "Spec", spec)
  end
  for i, value in ipairs(specs) do
    check_cron(r, specs, i, value)
  end
end

local function only_batch(r, key, type)
  r:want(
    type == "batch" or type == "sysbatch",
    nil,
    key,
    "is allowed only in batch and sysbatch jobs, not in %s jobs",
    type
  )
end

local function check_periodic(r, j, type)
  local p = j.Periodic
  if not p or p.Enabled == false then
    return
  end
  only_batch(r, "Periodic", type)
  local spec, specs = p.Spec or "", p.Specs or {}
  local zone, kind = p.TimeZone or "", p.SpecType or "cron"
  r:want(spec == "" or #specs == 0, p, "Spec", "excludes Specs")
  r:want(spec ~= "" or #specs > 0, p, "Specs", "is needed, at least one cron expression")
  r:want(
    zone == "" or zones.known(zone),
    p,
    "TimeZone",
    "%q is no time zone; write it like " .. "UTC or Europe/Berlin",
    zone
  )
  if kind == "cron" then
    check_crons(r, p, spec, specs)
  else
    r:want(kind == "_internal_test", p, "SpecType", "%q is not allowed, only cron", kind)
  end
end

local PAYLOADS = common.set("", "optional", "required", "forbidden")

local function check_parameterized(r, j, type)
  local p = j.ParameterizedJob
  if not p then
    return
  end
  only_batch(r, "ParameterizedJob", type)
  local payload, required = p.Payload or "", {}
  r:want(
    PAYLOADS[payload],
    p,
    "Payload",
    "%q is not allowed, only optional, required, forbidden",
    payload
  )
  for _, key in ipairs(p.MetaRequired or {}) do
    required[key] = true
  end
  for i, key in ipairs(p.MetaOptional or {}) do
    r:want(not required[key], p.MetaOptional, i, "%q is among MetaRequired too", key)
  end
end

local function check_groups(r, j, type, enterprise)
  local names, total = {}, 0
  local around = { job = j, type = type, enterprise = enterprise }
  r:want(common.some(j.TaskGroups), nil, "TaskGroups", "is needed, at least one group")
  for _, g in each(j.TaskGroups) do
    local name = g.Name or ""
    if names[name] and name ~= "" then
      r:err(g, "Name", "%q is there twice in the job", name)
    end
    names[name] = true
    total = total + group.count(g)
    group.check(r, g, around)
  end
  r:want(
    total <= MOST_ALLOCATIONS,
    nil,
    "TaskGroups",
    "the counts make %d, at most %d is allowed (job_max_count)",
    total,
    MOST_ALLOCATIONS
  )
end

---@param r jobspec.Report
---@param j table clean
---@param opts { nomad: string?, enterprise: boolean? }
function job.check(r, j, opts)
  local type, priority = j.Type or "service", j.Priority or 50
  local enterprise = opts.enterprise or false
  check_names(r, j)
  r:want(TYPES[type], nil, "Type", "%q is not allowed, only service, batch, system, sysbatch", type)
  r:want(
    priority >= 0 and priority <= 100,
    nil,
    "Priority",
    "%d is not allowed, only 1 to 100 (0: the server's default)",
    priority
  )
  check_datacenters(r, j, opts.nomad and version.number(opts.nomad))
  placement.constraints(r, j)
  placement.affinities(r, j, type)
  placement.spreads(r, j, type)
  check_texts(r, j)
  check_groups(r, j, type, enterprise)
  check_periodic(r, j, type)
  check_parameterized(r, j, type)
  r:want(
    enterprise or not (j.Multiregion and common.some(j.Multiregion.Regions)),
    nil,
    "Multiregion",
    "needs Nomad Enterprise"
  )
end

return job
