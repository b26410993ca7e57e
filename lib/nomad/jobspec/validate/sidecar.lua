--- The tasks that the server adds for sidecars and gateways: they are checked as a person's own tasks are, with what
--- SidecarTask says laid over the usual one.

local common = require "nomad.jobspec.validate.common"
local service = require "nomad.jobspec.validate.service"
local text = require "nomad.jobspec.validate.text"

local sidecar = {}

local each = common.each

local LAID_OVER = { "CPU", "Cores", "MemoryMB", "MemoryMaxMB", "DiskMB", "SecretsMB" }

--- What a block says that is not zero is laid over; before that it gets the defaults of any other.
local function resources_of(over)
  local res = { CPU = 250, MemoryMB = over.MemoryMB and 128 or 300 }
  if over.CPU == nil and over.Cores == nil then
    res.CPU = 100
  end
  for _, key in ipairs(LAID_OVER) do
    if over[key] and over[key] ~= 0 then
      res[key] = over[key]
    end
  end
  for _, key in ipairs { "Networks", "Devices" } do
    res[key] = common.some(over[key]) and over[key] or nil
  end
  return res
end

local function logs_of(over)
  local logs = { MaxFiles = 10, MaxFileSizeMB = 10 }
  for _, key in ipairs { "MaxFiles", "MaxFileSizeMB" } do
    local value = over and over[key] or logs[key]
    logs[key] = value > 0 and value or 2
  end
  return logs
end

local function task_of(prefix, name, over)
  local made = {
    Name = prefix .. "-" .. name,
    Driver = "docker",
    Kind = prefix .. ":" .. name,
    Resources = { CPU = 250, MemoryMB = 128 },
    LogConfig = { MaxFiles = 2, MaxFileSizeMB = 2 },
  }
  if over then
    made.Name = (over.Name or "") ~= "" and over.Name or made.Name
    made.Resources = resources_of(over.Resources or {})
    made.LogConfig = logs_of(over.LogConfig)
    made.KillTimeout, made.ShutdownDelay = over.KillTimeout, over.ShutdownDelay
    made.VolumeMounts, made.Identities = over.VolumeMounts, over.Identities
  end
  return made
end

local function prefix_of(c)
  if c.SidecarService then
    return "connect-proxy"
  elseif c.Native or not c.Gateway then
    return nil
  end
  return c.Gateway.Ingress and "connect-ingress"
    or c.Gateway.Terminating and "connect-terminating"
    or c.Gateway.Mesh and "connect-mesh"
end

--- Says where the mistakes in a task of the server's come from.
local function tell(r, made, c)
  r:lies(made, { up = c, key = "SidecarTask" })
  r:lies(made.Resources, { up = made, key = "Resources" })
  r:lies(made.LogConfig, { up = made, key = "LogConfig" })
end

--- A group's tasks with those that the server adds. The group has services and networks.
---@param r jobspec.Report
---@param job table
---@param group table
---@param own table[]
---@return table[]
function sidecar.add(r, job, group, own)
  local kinds, tasks = {}, own
  for _, t in each(own) do
    kinds[t.Kind or ""] = true
  end
  for _, s in each(group.Services) do
    local prefix = s.Connect and prefix_of(s.Connect)
    if prefix then
      local name = text.fill(service.name(s, job, group), {
        NOMAD_JOB_NAME = job.Name or job.ID,
        NOMAD_JOB_ID = job.ID,
        NOMAD_GROUP_NAME = group.Name,
        NOMAD_REGION = job.Region or "global",
        NOMAD_NAMESPACE = job.Namespace or "default",
      })
      if not kinds[prefix .. ":" .. name] then
        local made = task_of(prefix, name, s.Connect.SidecarTask)
        tell(r, made, s.Connect)
        tasks = tasks == own and table.move(own, 1, #own, 1, {}) or tasks
        tasks[#tasks + 1] = made
      end
    end
  end
  return tasks
end

return sidecar
