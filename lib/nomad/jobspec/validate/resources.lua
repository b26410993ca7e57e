--- The rules for what a task needs of its node: CPU, memory, devices, and for its logs.

local common = require "nomad.jobspec.validate.common"
local placement = require "nomad.jobspec.validate.placement"

local resources = {}

local each = common.each

local function check_cpu(r, res)
  local cores = res.Cores or 0
  local cpu = res.CPU or (res.Cores == nil and 100 or 0)
  if cores > 0 and cpu > 0 then
    r:err(res, "Cores", "excludes CPU")
  end
  if cpu < 1 and cores == 0 then
    r:err(res, "CPU", "%d is too small, at least 1 is allowed", cpu)
  end
end

local function check_amounts(r, res)
  local memory, max = res.MemoryMB or 300, res.MemoryMaxMB or 0
  if memory < 10 then
    r:err(res, "MemoryMB", "%d is too small, at least 10 is allowed", memory)
  end
  if max < memory and max ~= 0 and max ~= -1 then
    r:err(res, "MemoryMaxMB", "must be 0, -1 or at least MemoryMB (%d)", memory)
  end
  if (res.SecretsMB or 0) > memory then
    r:err(res, "SecretsMB", "must not be more than MemoryMB (%d)", memory)
  end
  if (res.DiskMB or 0) ~= 0 then
    r:warn(res, "DiskMB", "is not looked at; EphemeralDisk of the group replaces it")
  end
end

local function check_devices(r, res)
  local names = {}
  for _, device in each(res.Devices) do
    r:want(
      (device.Name or "") ~= "",
      device,
      "Name",
      "is needed: type, vendor/type or vendor/type/model"
    )
    names[device.Name or ""] = true
    placement.constraints(r, device, "device")
    placement.affinities(r, device, "device")
  end
  return names
end

local function check_numa(r, numa, names, enterprise)
  local affinity = numa.Affinity or ""
  local known = affinity == ""
    or affinity == "none"
    or affinity == "prefer"
    or affinity == "require"
  r:want(known, numa, "Affinity", "%q is not allowed, only none, prefer, require", affinity)
  r:want(
    enterprise or affinity == "" or affinity == "none",
    numa,
    "Affinity",
    "other than none needs Nomad Enterprise"
  )
  for i, name in ipairs(numa.Devices or {}) do
    r:want(names[name], numa.Devices, i, "%q is not among the task's Devices", name)
  end
end

---@param r jobspec.Report
---@param res table
---@param enterprise boolean
function resources.check(r, res, enterprise)
  check_cpu(r, res)
  check_amounts(r, res)
  local names = res.Devices and check_devices(r, res) or {}
  if res.NUMA then
    check_numa(r, res.NUMA, names, enterprise)
  end
end

---@param r jobspec.Report
---@param t table the task
---@param logs table? nil: it has none
---@param disk integer MB of the group's disk
function resources.logs(r, t, logs, disk)
  local files, size = logs and logs.MaxFiles or 10, logs and logs.MaxFileSizeMB or 10
  if files >= 1 and size >= 1 and disk > files * size then
    return
  end
  local place = logs or { up = t, key = "LogConfig" }
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
