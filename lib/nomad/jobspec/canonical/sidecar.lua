--- sidecar: the tasks, ports and proxies that a server adds to groups whose services use Consul Connect.

local json = require "host.json"
local resources = require "nomad.jobspec.canonical.resources"
local server = require "nomad.jobspec.canonical.server"
local tools = require "nomad.jobspec.canonical.tools"

local sidecar = {}

local SECOND = tools.SECOND

local function kind_of(prefix, service)
  return prefix .. ":" .. service
end

-- What ${…} in the name of a service may stand for when it is registered.
local function environment(job, group, at_least)
  local values = {
    NOMAD_GROUP_NAME = group.Name,
    NOMAD_JOB_ID = job.ID,
    NOMAD_JOB_NAME = job.Name,
    NOMAD_ALLOC_INDEX = "0",
    NOMAD_REGION = at_least "1.5.0" and job.Region or nil,
  }
  for key, value in pairs(tools.merged(job.Meta, group.Meta) or {}) do
    for _, name in ipairs { key:upper(), key } do
      values["NOMAD_META_" .. name:gsub("[^%w_%.]", "_")] = value
    end
  end
  return values
end

local function find_task(group, kind)
  for _, task in ipairs(group.Tasks or {}) do
    if task.Kind == kind then
      return task
    end
  end
  return nil
end

local function guess_driver(group, at_least)
  local drivers = {}
  for _, task in ipairs(group.Tasks or {}) do
    drivers[task.Driver or ""] = true
  end
  return drivers.podman and not drivers.docker and at_least "1.6.0" and "podman" or "docker"
end

local function envoy_config(image)
  return {
    image = image,
    args = json.array {
      "-c",
      "${NOMAD_SECRETS_DIR}/envoy_bootstrap.json",
      "-l",
      "${meta.connect.log_level}",
      "--concurrency",
      "${meta.connect.proxy_concurrency}",
      "--disable-hot-restart",
    },
  }
end

local function new_task(prefix, service, driver, image)
  return {
    Name = ("%s-%s"):format(prefix, service),
    Kind = kind_of(prefix, service),
    Driver = driver,
    Config = envoy_config(image),
    ShutdownDelay = 5 * SECOND,
    LogConfig = { MaxFiles = 2, MaxFileSizeMB = 2 },
    Resources = { CPU = 250, MemoryMB = 128 },
    Constraints = json.array {
      { LTarget = "${attr.consul.version}", RTarget = ">= 1.8.0", Operand = "semver" },
      { LTarget = "${attr.consul.grpc}", RTarget = "0", Operand = ">" },
    },
  }
end

local function merge_resources(own, other)
  for name, value in pairs(other) do
    local is_number = type(value) == "number"
    if (is_number and value ~= 0) or name == "Networks" or name == "Devices" then
      own[name] = value
    end
  end
end

local PLAIN = { "Name", "User", "KillSignal" }
local POINTERS = { "KillTimeout", "ShutdownDelay" }

local function merge_config(task, over)
  if (over.Driver or "") ~= "" and over.Driver ~= task.Driver then
    task.Driver, task.Config = over.Driver, over.Config
  else
    task.Config = tools.merged(task.Config, over.Config)
  end
end

local function merge_logs(own, other)
  for _, name in ipairs { "MaxFiles", "MaxFileSizeMB" } do
    own[name] = other[name] > 0 and other[name] or own[name]
  end
end

-- What the job says of the task in its `sidecar_task`.
local function merge_into(task, over, at_least)
  for _, name in ipairs(PLAIN) do
    task[name] = (over[name] or "") ~= "" and over[name] or task[name]
  end
  merge_config(task, over)
  merge_logs(task.LogConfig, over.LogConfig)
  task.Env = tools.merged(task.Env, over.Env)
  task.Meta = tools.merged(task.Meta, over.Meta)
  merge_resources(task.Resources, over.Resources)
  for _, name in ipairs(POINTERS) do
    task[name] = over[name] or task[name]
  end
  if at_least "1.8.0" then
    task.VolumeMounts = over.VolumeMounts or task.VolumeMounts
    task.Identities = over.Identities or task.Identities
  end
end

local function inject_port(group, label)
  local network = group.Networks[1]
  for _, port in ipairs(tools.each(network.DynamicPorts)) do
    if port.Label == label then
      return
    end
  end
  tools.append(network, "DynamicPorts", { Label = label, To = -1 })
end

local function add_sidecar(job, group, service, at_least)
  local block = service.Connect
  local prefix = "connect-proxy"
  local task = find_task(group, kind_of(prefix, service.Name))
  if not task then
    task =
      new_task(prefix, service.Name, guess_driver(group, at_least), "${meta.connect.sidecar_image}")
    task.Lifecycle = { Hook = "prestart", Sidecar = true }
    tools.append(group, "Tasks", task)
  end
  if block.SidecarTask then
    merge_into(task, block.SidecarTask, at_least)
  end
  server.canonicalize_task(task, job, group, at_least)
  local label = block.SidecarService.Port or ""
  inject_port(group, label ~= "" and label or ("%s-%s"):format(prefix, service.Name))
end

local function mark_native(group, service)
  local name = service.TaskName or ""
  local tasks = group.Tasks or {}
  for _, task in ipairs(tasks) do
    if task.Name == name or (name == "" and #tasks == 1) then
      task.Kind = kind_of("connect-native", service.Name)
      service.TaskName = task.Name
      return
    end
  end
end

local function is_default(proxy)
  return not proxy
    or not (
      proxy.EnvoyGatewayNoDefaultBind
      or proxy.EnvoyGatewayBindTaggedAddresses
      or next(proxy.EnvoyGatewayBindAddresses or {})
    )
end

local function address(port)
  return { Address = "0.0.0.0", Port = port }
end

local function ingress_addresses(ingress)
  local addresses = {}
  for _, listener in ipairs(tools.each(ingress.Listeners)) do
    for _, service in ipairs(tools.each(listener.Services)) do
      addresses[service.Name or ""] = address(listener.Port)
    end
  end
  return addresses
end

local function bind_addresses(gateway)
  if gateway.Ingress then
    return ingress_addresses(gateway.Ingress)
  elseif gateway.Terminating then
    return { default = address(-1) }
  elseif gateway.Mesh then
    return { wan = address(-1), lan = address(-1) }
  end
  return nil
end

-- A proxy that suits the network, unless the job says how it binds.
local function gateway_proxy(gateway, mode, at_least)
  if not is_default(gateway.Proxy) then
    return gateway.Proxy
  end
  local old = gateway.Proxy or {}
  local proxy = {
    ConnectTimeout = old.ConnectTimeout or 5 * SECOND,
    EnvoyDNSDiscoveryType = old.EnvoyDNSDiscoveryType,
    Config = old.Config,
  }
  if mode == "bridge" or (mode:find "^cni/" and at_least "1.11.0") then
    proxy.EnvoyGatewayBindAddresses = bind_addresses(gateway)
    proxy.EnvoyGatewayNoDefaultBind = proxy.EnvoyGatewayBindAddresses ~= nil
  end
  return proxy
end

local function gateway_prefix(gateway)
  if gateway.Mesh then
    return "connect-mesh"
  end
  return gateway.Ingress and "connect-ingress" or "connect-terminating"
end

local function customizes_tls(gateway)
  local tls = gateway.Ingress and gateway.Ingress.TLS
  return tls
    and (
      (tls.TLSMinVersion or "") ~= ""
      or (tls.TLSMaxVersion or "") ~= ""
      or #(tls.CipherSuites or {}) > 0
    )
end

local function new_gateway_task(group, service, mode, at_least)
  local gateway = service.Connect.Gateway
  local task = new_task(
    gateway_prefix(gateway),
    service.Name,
    guess_driver(group, at_least),
    "${meta.connect.gateway_image}"
  )
  if mode == "host" then
    task.Config.network_mode = "host"
  end
  if customizes_tls(gateway) then
    tools.append(task, "Constraints", {
      LTarget = "${attr.consul.version}",
      RTarget = ">= 1.11.2",
      Operand = "semver",
    })
  end
  return task
end

local function has_gateway_task(group, service)
  for _, prefix in ipairs { "connect-ingress", "connect-terminating", "connect-mesh" } do
    if find_task(group, kind_of(prefix, service.Name)) then
      return true
    end
  end
  return false
end

local function add_gateway(job, group, service, at_least)
  local gateway = service.Connect.Gateway
  local mode = group.Networks[1].Mode or ""
  gateway.Proxy = gateway_proxy(gateway, mode, at_least)
  if gateway.Terminating and (service.PortLabel or "") == "" then
    service.PortLabel = "connect-terminating-" .. service.Name
    inject_port(group, service.PortLabel)
  end
  if gateway.Mesh then
    inject_port(group, ("connect-mesh-%s-lan"):format(service.Name))
  end
  if not has_gateway_task(group, service) then
    local task = new_gateway_task(group, service, mode, at_least)
    tools.append(group, "Tasks", task)
    if service.Connect.SidecarTask then
      merge_into(task, service.Connect.SidecarTask, at_least)
    end
    server.canonicalize_task(task, job, group, at_least)
  end
end

local function add_for_service(job, group, service, at_least, values)
  local block = service.Connect
  if block.SidecarService then
    service.Name = tools.replace_env(service.Name, values)
    add_sidecar(job, group, service, at_least)
  elseif block.Native then
    mark_native(group, service)
  elseif block.Gateway then
    service.Name = tools.replace_env(service.Name, values)
    add_gateway(job, group, service, at_least)
  end
end

--- Where the name that the new task should have is taken, Nomad makes one with random letters: that one job has no
--- canonical form, and here the task keeps the name.
---@param job table changed in place
---@param at_least fun(version: string): boolean
function sidecar.add(job, at_least)
  for _, group in ipairs(tools.each(job.TaskGroups)) do
    if group.Networks then
      local values = environment(job, group, at_least)
      for _, service in ipairs(tools.each(group.Services)) do
        if service.Connect then
          add_for_service(job, group, service, at_least, values)
        end
      end
      resources.name_host_networks { group.Networks[1] }
    end
  end
end

return sidecar
