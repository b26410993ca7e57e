--- resources: the defaults of what a task or group asks for: processor, memory, networks, devices, logs.

local json = require "host.json"
local tools = require "nomad.jobspec.canonical.tools"

local resources = {}

-- The agent does not pass the device's name on. Servers before 1.6 made lists of nothing.
local function canonicalize_network(self, at_least)
  self.Device = nil
  if self.DNS and not at_least "1.6.0" then
    for _, name in ipairs { "Servers", "Searches", "Options" } do
      self.DNS[name] = self.DNS[name] or json.array {}
    end
  end
  tools.drop_empty(self, "DynamicPorts", "ReservedPorts")
end

--- The agent's part.
---@param list? table[]
---@param at_least fun(version: string): boolean
function resources.networks(list, at_least)
  for _, network in ipairs(tools.each(list)) do
    canonicalize_network(network, at_least)
  end
end

--- The server's part: every port is of a host network.
---@param list? table[]
function resources.name_host_networks(list)
  for _, network in ipairs(tools.each(list)) do
    for _, name in ipairs { "DynamicPorts", "ReservedPorts" } do
      for _, port in ipairs(tools.each(network[name])) do
        tools.fill_empty(port, "HostNetwork", "default")
      end
    end
  end
end

--- The agent's part. Who asks for cores asks for no share of a processor.
---@param self? table
---@param at_least fun(version: string): boolean
---@return table
function resources.canonicalize(self, at_least)
  self = self or {}
  if self.Cores == nil then
    tools.fill(self, { Cores = 0, CPU = 100 })
  end
  tools.fill(self, { CPU = 0, MemoryMB = 300 })
  self.DiskMB = nil -- the agent does not pass it on
  tools.drop_empty(self, "Networks", "Devices")
  resources.networks(self.Networks, at_least)
  for _, device in ipairs(tools.each(self.Devices)) do
    tools.fill(device, { Count = 1 })
    tools.drop_empty(device, "Constraints", "Affinities")
    for _, affinity in ipairs(tools.each(device.Affinities)) do
      tools.fill(affinity, { Weight = 50 })
    end
  end
  if self.NUMA then
    tools.fill_empty(self.NUMA, "Affinity", "none")
    tools.drop_empty(self.NUMA, "Devices")
  end
  return self
end

---@param self? table
---@return table
function resources.logs(self)
  return tools.fill(self or {}, { MaxFiles = 10, MaxFileSizeMB = 10, Disabled = false })
end

--- Mounts without a volume are dropped.
---@param list? table[]
---@return table[]?
function resources.mounts(list)
  if not list then
    return nil
  end
  for i = #list, 1, -1 do
    if list[i].Volume == nil then
      table.remove(list, i)
    else
      tools.fill(list[i], { PropagationMode = "private", ReadOnly = false, SELinuxLabel = "" })
    end
  end
  return list
end

return resources
