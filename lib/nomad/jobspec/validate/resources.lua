--- The rules for what a task needs of its node: CPU, memory, devices, and for its logs.

local common = require "nomad.jobspec.validate.common"
local placement = require "nomad.jobspec.validate.placement"

local resources = {}

local each = common.each

local function check_cpu(r, at, res)
  local cores = res.Cores or 0
  local cpu = res.CPU or (res.Cores == nil and 100 or 0)
  r:want(cores <= 0 or cpu <= 0, at, "Cores", "excludes CPU")
  r:want(cpu >= 1 or cores ~= 0, at, "CPU", "%d is too small, at least 1 is allowed", cpu)
end

local function check_amounts(r, at, res)
  local memory, max, secrets = res.MemoryMB or 300, res.MemoryMaxMB or 0, res.SecretsMB or 0
  r:want(memory >= 10, at, "MemoryMB", "%d is too small, at least 10 is allowed", memory)
  r:want(
    max == 0 or max == -1 or max >= memory,
    at,
    "MemoryMaxMB",
    "must be 0, -1 or at least MemoryMB (%d)",
    memory
  )
  r:want(secrets <= memory, at, "SecretsMB", "must not be more than MemoryMB (%d)", memory)
  if (res.DiskMB or 0) ~= 0 then
    r:warn(at, "DiskMB", "is not looked at; EphemeralDisk of the group replaces it")
  end
end

local function check_devices(r, at, res)
  local names = {}
  for _, device, place in each(at, "Devices", res.Devices) do
    r:want(
      (device.Name or "") ~= "",
      place,
      "Name",
      "is needed: type, vendor/type or vendor/type/model"
    )
    names[device.Name or ""] = true
    placement.constraints(r, place, device, "device")
    placement.affinities(r, place, device, "device")
  end
  return names
end

local function check_numa(r, at, numa, names, enterprise)
  local place, affinity = { up = at, key = "NUMA" }, numa.Affinity or ""
  local known = affinity == ""
    or affinity == "none"
    or affinity == "prefer"
    or affinity == "require"
  r:want(known, place, "Affinity", "%q is not allowed, only none, prefer, require", affinity)
  r:want(
    enterprise or affinity == "" or affinity == "none",
    place,
    "Affinity",
    "other than none needs Nomad Enterprise"
  )
  for i, name in ipairs(numa.Devices or {}) do
    r:want(
      names[name],
      { up = place, key = "Devices" },
      i,
      "%q is not among the task's Devices",
      name
    )
  end
end

---@param r jobspec.Report
---@param at jobspec.Place the task's
---@param res table
---@param enterprise boolean
function resources.check(r, at, res, enterprise)
  local place = { up = at, key = "Resources" }
  check_cpu(r, place, res)
  check_amounts(r, place, res)
  local names = check_devices(r, place, res)
  if res.NUMA then
    check_numa(r, place, res.NUMA, names, enterprise)
  end
end

---@param r jobspec.Report
---@param at jobspec.Place the task's
---@param logs table?
---@param disk integer MB of the group's disk
function resources.logs(r, at, logs, disk)
  local files, size = logs and logs.MaxFiles or 10, logs and logs.MaxFileSizeMB or 10
  if files >= 1 and size >= 1 and disk > files * size then
    return
  end
  local place = { up = at, key = "LogConfig" }
  r:want(files >= 1, place, "MaxFiles", "%d is too small, at least 1 is allowed", files)
  r:want(size >= 1, place, "MaxFileSizeMB", "%d is too small, at least 1 is allowed", size)
  r:want(
    disk > files * size,
    place,
    nil,
    "%d files of %d MB do not fit the group's disk of %d MB",
    files,
    size,
    disk
  )
end

return resources
