--- connect: the defaults of a service's `connect` block that the agent fills in.

local json = require "host.json"
local resources = require "nomad.jobspec.canonical.resources"
local tools = require "nomad.jobspec.canonical.tools"

local connect = {}

-- The names that these had before 1.5 still count, where they are used.
local function canonicalize_expose(proxy)
  local expose = proxy.ExposeConfig or proxy.Expose
  if expose then
    tools.drop_empty(expose, "Path")
    expose.Paths = expose.Path or expose.Paths or json.array {}
  end
  proxy.Expose = expose
end

local TRANSPARENT = {
  "ExcludeInboundPorts",
  "ExcludeOutboundPorts",
  "ExcludeOutboundCIDRs",
  "ExcludeUIDs",
}

local function canonicalize_proxy(self)
  canonicalize_expose(self)
  tools.drop_empty(self, "Upstreams", "Config")
  if self.TransparentProxy then
    tools.drop_empty(self.TransparentProxy, table.unpack(TRANSPARENT))
  end
  for _, upstream in ipairs(tools.each(self.Upstreams)) do
    tools.drop_empty(upstream, "Config")
  end
end

local function canonicalize_sidecar_service(self)
  tools.drop_empty(self, "Tags", "Meta")
  if self.Proxy then
    canonicalize_proxy(self.Proxy)
  end
end

local function canonicalize_sidecar_task(self, at_least)
  tools.drop_empty(self, "Config", "Env", "Meta")
  self.Resources = resources.canonicalize(self.Resources, at_least)
  self.LogConfig = resources.logs(self.LogConfig)
  self.VolumeMounts = resources.mounts(self.VolumeMounts)
  tools.drop_empty(self, "VolumeMounts")
  tools.fill(self, { KillTimeout = 5 * tools.SECOND, ShutdownDelay = 0 })
end

local function canonicalize_ingress(self)
  tools.drop_empty(self, "Listeners")
  for _, listener in ipairs(tools.each(self.Listeners)) do
    tools.fill_empty(listener, "Protocol", "tcp")
    tools.drop_empty(listener, "Services")
  end
end

local function canonicalize_gateway(self)
  if self.Proxy then
    tools.fill(self.Proxy, { ConnectTimeout = 5 * tools.SECOND, EnvoyGatewayBindAddresses = {} })
    tools.drop_empty(self.Proxy, "Config")
  end
  if self.Ingress then
    canonicalize_ingress(self.Ingress)
  end
  if self.Terminating then
    tools.drop_empty(self.Terminating, "Services")
  end
end

--- The agent's part.
---@param self table
---@param at_least fun(version: string): boolean
function connect.canonicalize(self, at_least)
  if self.SidecarService then
    canonicalize_sidecar_service(self.SidecarService)
  end
  if self.SidecarTask then
    canonicalize_sidecar_task(self.SidecarTask, at_least)
  end
  if self.Gateway then
    canonicalize_gateway(self.Gateway)
  end
end

return connect
