--- implied: constraints that a server adds because of what a group uses: signals, services, secrets, bridges.

local tools = require "nomad.jobspec.canonical.tools"

local implied = {}

local CNI_PLUGINS = { "bridge", "firewall", "host-local", "loopback", "portmap" }

local function semver(attribute, range)
  return { LTarget = ("${attr.%s}"):format(attribute), RTarget = range, Operand = "semver" }
end

-- Adds it, unless there is the same one already.
local function add(object, constraint)
  for _, one in ipairs(tools.each(object.Constraints)) do
    if
      one.LTarget == constraint.LTarget
      and (one.RTarget or "") == constraint.RTarget
      and one.Operand == constraint.Operand
    then
      return
    end
  end
  tools.append(object, "Constraints", constraint)
end

-- Adds it, unless the job itself says something of the same attribute.
local function add_unless_constrained(object, constraint)
  for _, one in ipairs(tools.each(object.Constraints)) do
    if one.LTarget == constraint.LTarget then
      return
    end
  end
  tools.append(object, "Constraints", constraint)
end

local function cluster_attribute(kind, cluster)
  if cluster == nil or cluster == "" or cluster == "default" then
    return kind .. ".version"
  end
  return ("%s.%s.version"):format(kind, cluster)
end

-- Tasks of the group that have the field, by their names.
local function tasks_with(group, name)
  local found = {}
  for _, task in ipairs(tools.each(group.Tasks)) do
    if task[name] then
      found[#found + 1] = task
    end
  end
  table.sort(found, function(a, b)
    return (a.Name or "") < (b.Name or "")
  end)
  return found
end

local function add_vault(group)
  for _, task in ipairs(tasks_with(group, "Vault")) do
    local attribute = cluster_attribute("vault", task.Vault.Cluster)
    local range = attribute == "vault.version" and ">= 0.6.1" or ">= 1.11.0"
    add_unless_constrained(group, semver(attribute, range))
  end
end

-- The providers of secrets of each group, in the order of their first use.
local function secret_providers(job)
  local list = {}
  for _, group in ipairs(tools.each(job.TaskGroups)) do
    local seen = {}
    for _, task in ipairs(tools.each(group.Tasks)) do
      for _, secret in ipairs(tools.each(task.Secrets)) do
        local provider = secret.Provider or ""
        if not seen[provider] then
          list[#list + 1], seen[provider] = provider, true
        end
      end
    end
  end
  return list
end

-- Nomad asks every group for the providers of all groups.
local function add_secrets(group, providers)
  for _, provider in ipairs(providers) do
    add_unless_constrained(group, {
      LTarget = ("${attr.plugins.secrets.%s.version}"):format(provider),
      RTarget = "",
      Operand = "is_set",
    })
  end
end

local function add_numa(group)
  for _, task in ipairs(tools.each(group.Tasks)) do
    local numa = task.Resources.NUMA
    if numa and numa.Affinity ~= "none" then
      add(group, semver("nomad.version", ">= 1.6.3-dev"))
      add(group, { LTarget = "${attr.kernel.name}", RTarget = "linux", Operand = "=" })
      return
    end
  end
end

local function signals_of(task, signals)
  if task.Vault and task.Vault.ChangeMode == "signal" then
    signals[task.Vault.ChangeSignal] = true
  end
  if (task.KillSignal or "") ~= "" then
    signals[task.KillSignal] = true
  end
  for _, template in ipairs(tools.each(task.Templates)) do
    if template.ChangeMode == "signal" then
      signals[template.ChangeSignal] = true
    end
  end
end

local function add_signals(group)
  local signals, list = {}, {}
  for _, task in ipairs(tools.each(group.Tasks)) do
    signals_of(task, signals)
  end
  for signal in pairs(signals) do
    list[#list + 1] = signal
  end
  if #list > 0 then
    table.sort(list)
    add(group, {
      LTarget = "${attr.os.signals}",
      RTarget = table.concat(list, ","),
      Operand = "set_contains",
    })
  end
end

local function services_of(group)
  local list = {}
  for _, service in ipairs(tools.each(group.Services)) do
    list[#list + 1] = service
  end
  for _, task in ipairs(tools.each(group.Tasks)) do
    for _, service in ipairs(tools.each(task.Services)) do
      list[#list + 1] = service
    end
  end
  return list
end

local function add_native_services(group)
  local used, checked = false, false
  for _, service in ipairs(services_of(group)) do
    if service.Provider == "nomad" then
      used, checked = true, checked or #(service.Checks or {}) > 0
    end
  end
  if used then
    add(group, { LTarget = "${attr.nomad.service_discovery}", RTarget = "true", Operand = "=" })
  end
  if checked then
    add(group, semver("nomad.version", ">= 1.4.0"))
  end
end

local function is_consul(service)
  return service.Provider == "consul"
end

local function add_for_each(object)
  for _, service in ipairs(tools.each(object.Services)) do
    if is_consul(service) then
      local attribute = cluster_attribute("consul", service.Cluster)
      add_unless_constrained(object, semver(attribute, ">= 1.8.0"))
    end
  end
end

local function add_consul_services(group, at_least)
  if at_least "1.8.0" then
    add_for_each(group)
    for _, task in ipairs(tools.each(group.Tasks)) do
      add_for_each(task)
    end
    return
  end
  for _, service in ipairs(services_of(group)) do
    if is_consul(service) then
      local range = at_least "1.7.0" and ">= 1.8.0" or ">= 1.7.0"
      add_unless_constrained(group, semver("consul.version", range))
    end
  end
end

local function add_bridge(group)
  for _, network in ipairs(tools.each(group.Networks)) do
    if network.Mode == "bridge" then
      for _, plugin in ipairs(CNI_PLUGINS) do
        add_unless_constrained(group, semver("plugins.cni.version." .. plugin, ">= 0.4.0"))
      end
      return
    end
  end
end

local function is_transparent(service)
  local sidecar = service.Connect and service.Connect.SidecarService
  return sidecar and sidecar.Proxy and sidecar.Proxy.TransparentProxy
end

local function add_transparent_proxy(group)
  for _, service in ipairs(tools.each(group.Services)) do
    if is_transparent(service) then
      add_unless_constrained(group, semver("plugins.cni.version.consul-cni", ">= 1.4.2"))
      add_unless_constrained(group, semver("nomad.version", ">= 1.8.0-dev"))
      return
    end
  end
end

local function add_schedule(group)
  if #tasks_with(group, "Schedule") > 0 then
    add_unless_constrained(group, semver("nomad.version", ">= 1.8.0-dev"))
  end
end

--- The constraints follow each other in this order.
---@param job table changed in place
---@param at_least fun(version: string): boolean
function implied.add_constraints(job, at_least)
  local providers = secret_providers(job)
  for _, group in ipairs(tools.each(job.TaskGroups)) do
    add_vault(group)
    add_secrets(group, providers)
    add_numa(group)
    add_signals(group)
    add_native_services(group)
    add_consul_services(group, at_least)
    if at_least "1.8.0" then
      add_bridge(group)
      add_transparent_proxy(group)
      add_schedule(group)
    end
  end
end

-- A service of Consul whose identity is given has a name for it made of its own.
local function name_identity(service)
  local identity = service.Identity
  if not identity or not is_consul(service) then
    return identity ~= nil
  end
  local name = ("%s-%s"):format(service.Name, service.PortLabel or "")
  if (service.TaskName or "") ~= "" then
    name = service.TaskName .. "-" .. name
  end
  identity.Name, identity.ServiceName = "consul-service_" .. name, service.Name
  return true
end

local function has_identities(group)
  local has = false
  for _, service in ipairs(services_of(group)) do
    has = name_identity(service) or has
  end
  for _, task in ipairs(tools.each(group.Tasks)) do
    has = has or #(task.Identities or {}) > 0
  end
  return has
end

--- A group whose tasks or services have identities of their own needs clients that know them. (What a server's own
--- configuration adds for Consul and Vault is not known here.)
---@param job table changed in place
function implied.add_identities(job)
  for _, group in ipairs(tools.each(job.TaskGroups)) do
    if has_identities(group) then
      tools.append(group, "Constraints", semver("nomad.version", ">= 1.7.0-a"))
    end
  end
end

local function add_partition(object)
  local consul = object.Consul
  if consul and (consul.Partition or "") ~= "" then
    local cluster = consul.Cluster == "default" and "" or (consul.Cluster .. ".")
    tools.append(object, "Constraints", {
      LTarget = ("${attr.consul.%spartition}"):format(cluster),
      RTarget = consul.Partition,
      Operand = "=",
    })
  end
end

--- Groups and tasks that name a partition of Consul are bound to it.
---@param job table changed in place
function implied.add_partitions(job)
  for _, group in ipairs(tools.each(job.TaskGroups)) do
    add_partition(group)
    for _, task in ipairs(tools.each(group.Tasks)) do
      add_partition(task)
    end
  end
end

return implied
