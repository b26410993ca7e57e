--- The rules for Consul's service mesh: sidecars, native services, gateways, upstreams.

local common = require "nomad.jobspec.validate.common"
local network = require "nomad.jobspec.validate.network"
local service = require "nomad.jobspec.validate.service"
local text = require "nomad.jobspec.validate.text"

local connect = {}

local each = common.each

--- Whether exactly one of three is there.
local function one_of(a, b, c)
  return (a and 1 or 0) + (b and 1 or 0) + (c and 1 or 0) == 1
end

local function check_transparent(r, tp)
  local want = "%q is no user ID, only 0 to 65535"
  r:want((tp.UID or "") == "" or text.unsigned(tp.UID, 16), tp, "UID", want, tp.UID)
  for i, uid in ipairs(tp.ExcludeUIDs or {}) do
    r:want(text.unsigned(uid, 16), tp.ExcludeUIDs, i, want, uid)
  end
  for i, cidr in ipairs(tp.ExcludeOutboundCIDRs or {}) do
    r:want(text.cidr(cidr), tp.ExcludeOutboundCIDRs, i, "%q is no network like 10.0.0.0/8", cidr)
  end
end

local function check_gateway_proxy(r, proxy)
  local kind = proxy.EnvoyDNSDiscoveryType or ""
  r:want(
    kind == "" or kind == "STRICT_DNS" or kind == "LOGICAL_DNS",
    proxy,
    "EnvoyDNSDiscoveryType",
    "%q is not allowed, only STRICT_DNS, LOGICAL_DNS",
    kind
  )
  for _, address in pairs(proxy.EnvoyGatewayBindAddresses or {}) do
    r:want((address.Address or "") ~= "", address, "Address", "is needed")
    r:want((address.Port or 0) > 0 or address.Port == -1, address, "Port", "is needed")
  end
end

local function check_ingress_service(r, s, protocol)
  local name, hosts = s.Name or "", common.some(s.Hosts)
  r:want(name ~= "", s, "Name", "is needed")
  if protocol == "tcp" then
    r:want(name ~= "*", s, "Name", "* is not allowed with protocol tcp")
    r:want(not hosts, s, "Hosts", "is not allowed with protocol tcp")
  else
    r:want(name ~= "*" or not hosts, s, "Hosts", "is not allowed with the name *")
  end
end

local PROTOCOLS = common.set("tcp", "http", "http2", "grpc")

local function check_ingress(r, ingress)
  r:want(common.some(ingress.Listeners), ingress, "Listeners", "is needed, at least one")
  for _, listener in each(ingress.Listeners) do
    local protocol = (listener.Protocol or "") ~= "" and listener.Protocol or "tcp"
    r:want((listener.Port or 0) > 0, listener, "Port", "is needed, more than 0")
    r:want(
      PROTOCOLS[protocol],
      listener,
      "Protocol",
      "%q is not allowed, only tcp, http, http2, grpc",
      protocol
    )
    r:want(common.some(listener.Services), listener, "Services", "is needed, at least one")
    for _, s in each(listener.Services) do
      check_ingress_service(r, s, protocol)
    end
  end
end

local function check_terminating(r, terminating)
  r:want(common.some(terminating.Services), terminating, "Services", "is needed, at least one")
  for _, s in each(terminating.Services) do
    local function has(key)
      return (s[key] or "") ~= ""
    end
    r:want(has "Name", s, "Name", "is needed")
    r:want(
      has "CAFile" or not (has "CertFile" or has "KeyFile" or has "SNI"),
      s,
      "CAFile",
      "is needed with CertFile, KeyFile or SNI"
    )
    r:want(has "CertFile" == has "KeyFile", s, "KeyFile", "and CertFile go together")
  end
end

local function check_gateway(r, gateway)
  if gateway.Proxy then
    check_gateway_proxy(r, gateway.Proxy)
  end
  if gateway.Ingress then
    check_ingress(r, gateway.Ingress)
  end
  if gateway.Terminating then
    check_terminating(r, gateway.Terminating)
  end
  r:want(
    one_of(gateway.Ingress, gateway.Terminating, gateway.Mesh),
    gateway,
    nil,
    "must have exactly one of Ingress, Terminating, Mesh"
  )
end

--- The rules that look only at the service.
---@param r jobspec.Report
---@param s table
function connect.check(r, s)
  local c = s.Connect
  if not c then
    return
  end
  local sidecar = c.SidecarService
  r:want(
    one_of(sidecar, c.Native, c.Gateway),
    c,
    nil,
    "must have exactly one of Native, SidecarService, Gateway"
  )
  local proxy = sidecar and sidecar.Proxy
  if proxy and proxy.TransparentProxy then
    check_transparent(r, proxy.TransparentProxy)
  end
  if c.Native then
    r:want((s.PortLabel or "") ~= "", s, "PortLabel", "is needed by a native service")
  end
  if c.Gateway then
    check_gateway(r, c.Gateway)
  end
end

local function lower_only(r, at, field, name)
  r:want(name == name:lower(), at, field, "%q must have no capital letters with a sidecar", name)
end

local function check_upstreams(r, proxy, listeners)
  for _, up in each(proxy.Upstreams) do
    local path = up.LocalBindSocketPath or ""
    local listener = path ~= "" and path
      or ("%s\0%d"):format(up.LocalBindAddress or "", up.LocalBindPort or 0)
    r:want(
      not listeners[listener],
      up,
      path ~= "" and "LocalBindSocketPath" or "LocalBindPort",
      "is the address of another upstream in the group too"
    )
    listeners[listener] = true
  end
end

local function reserved_label(group, label)
  for _, net in each(group.Networks) do
    for _, port in each(net.ReservedPorts) do
      if (port.Label or "") == label then
        return true
      end
    end
  end
  return false
end

local function has_dns(net)
  local dns = net.DNS
  return dns and (common.some(dns.Servers) or common.some(dns.Searches) or common.some(dns.Options))
end

local function check_transparent_group(r, group, tp)
  for _, net in each(group.Networks) do
    r:want(tp.NoDNS or not has_dns(net), tp, "NoDNS", "must be true when the network has DNS")
  end
  for i, label in ipairs(tp.ExcludeInboundPorts or {}) do
    r:want(
      text.unsigned(label, 16) or reserved_label(group, label),
      tp.ExcludeInboundPorts,
      i,
      "%q is no number and no reserved port of the group",
      label
    )
  end
end

local function native_task(r, group, tasks, own, s)
  local wanted = s.TaskName or ""
  if wanted == "" then
    r:want(
      own == 1 and common.some(group.Networks),
      s,
      "TaskName",
      "is needed by a native service in a group of several tasks, or without a network"
    )
    return
  end
  for _, t in each(tasks) do
    if t.Name == wanted then
      return
    end
  end
  r:err(s, "TaskName", "there is no task %q in the group", wanted)
end

--- A check that is open through the sidecar needs to know the service's port.
local function check_exposed(r, group, s)
  for _, check in each(s.Checks) do
    local kind = (check.Type or ""):lower()
    if
      check.Expose
      and (kind == "http" or kind == "grpc")
      and (check.Path or ""):sub(1, 1) == "/"
    then
      local label = s.PortLabel or ""
      r:want(
        network.number(group, label) > 0 or (text.integer(label) or 0) > 0,
        check,
        "Expose",
        "needs a service whose PortLabel is a number or the label of a reserved port"
      )
    end
  end
end

local function check_sidecar(r, group, s, name)
  network.namespaced(r, group, "a sidecar", false)
  lower_only(r, s, "Name", name)
  lower_only(r, group, "Name", group.Name or "")
  check_exposed(r, group, s)
end

--- What a sidecar has of its own: its proxy; says whether that is a transparent one.
local function check_proxy(r, group, proxy, listeners)
  if not proxy then
    return false
  end
  check_upstreams(r, proxy, listeners)
  if proxy.TransparentProxy then
    check_transparent_group(r, group, proxy.TransparentProxy)
  end
  return proxy.TransparentProxy ~= nil
end

--- What one service with Connect asks of its group; says whether it has a transparent proxy.
local function check_service(r, job, group, tasks, own, s, listeners)
  local c = s.Connect
  if c.SidecarService then
    check_sidecar(r, group, s, service.name(s, job, group))
    return check_proxy(r, group, c.SidecarService.Proxy, listeners)
  elseif c.Native then
    native_task(r, group, tasks, own, s)
  elseif c.Gateway then
    network.namespaced(r, group, "a gateway", true)
    r:want(
      not c.Gateway.Mesh or (s.PortLabel or "") ~= "",
      s,
      "PortLabel",
      "is needed by a mesh gateway"
    )
  end
  return false
end

--- The rules that look at the group around its services.
---@param r jobspec.Report
---@param job table
---@param group table
---@param tasks table[]
---@param own integer how many of them are not the server's
function connect.group(r, job, group, tasks, own)
  local listeners, blocks, transparent = {}, 0, false
  for _, s in each(group.Services) do
    if s.Connect then
      blocks = blocks + 1
      transparent = check_service(r, job, group, tasks, own, s, listeners) or transparent
    end
  end
  r:want(
    not transparent or blocks == 1,
    group,
    "Services",
    "a transparent proxy excludes other services with Connect in the group"
  )
end

return connect
