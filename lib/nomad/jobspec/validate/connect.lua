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

local function check_transparent(r, at, proxy)
  local tp = proxy.TransparentProxy
  local place = { up = at, key = "TransparentProxy" }
  local want = "%q is no user ID, only 0 to 65535"
  r:want((tp.UID or "") == "" or text.unsigned(tp.UID, 16), place, "UID", want, tp.UID)
  for i, uid in ipairs(tp.ExcludeUIDs or {}) do
    r:want(text.unsigned(uid, 16), { up = place, key = "ExcludeUIDs" }, i, want, uid)
  end
  for i, cidr in ipairs(tp.ExcludeOutboundCIDRs or {}) do
    r:want(
      text.cidr(cidr),
      { up = place, key = "ExcludeOutboundCIDRs" },
      i,
      "%q is no network like 10.0.0.0/8",
      cidr
    )
  end
end

local function check_gateway_proxy(r, at, proxy)
  local kind = proxy.EnvoyDNSDiscoveryType or ""
  r:want(
    kind == "" or kind == "STRICT_DNS" or kind == "LOGICAL_DNS",
    at,
    "EnvoyDNSDiscoveryType",
    "%q is not allowed, only STRICT_DNS, LOGICAL_DNS",
    kind
  )
  for name, address in pairs(proxy.EnvoyGatewayBindAddresses or {}) do
    local place = { up = { up = at, key = "EnvoyGatewayBindAddresses" }, key = name }
    r:want((address.Address or "") ~= "", place, "Address", "is needed")
    r:want((address.Port or 0) > 0 or address.Port == -1, place, "Port", "is needed")
  end
end

local function check_ingress_service(r, at, s, protocol)
  local name, hosts = s.Name or "", common.some(s.Hosts)
  r:want(name ~= "", at, "Name", "is needed")
  if protocol == "tcp" then
    r:want(name ~= "*", at, "Name", "* is not allowed with protocol tcp")
    r:want(not hosts, at, "Hosts", "is not allowed with protocol tcp")
  else
    r:want(name ~= "*" or not hosts, at, "Hosts", "is not allowed with the name *")
  end
end

local PROTOCOLS = common.set("tcp", "http", "http2", "grpc")

local function check_ingress(r, at, ingress)
  r:want(common.some(ingress.Listeners), at, "Listeners", "is needed, at least one")
  for _, listener, place in each(at, "Listeners", ingress.Listeners) do
    local protocol = (listener.Protocol or "") ~= "" and listener.Protocol or "tcp"
    r:want((listener.Port or 0) > 0, place, "Port", "is needed, more than 0")
    r:want(
      PROTOCOLS[protocol],
      place,
      "Protocol",
      "%q is not allowed, only tcp, http, http2, grpc",
      protocol
    )
    r:want(common.some(listener.Services), place, "Services", "is needed, at least one")
    for _, s, at_service in each(place, "Services", listener.Services) do
      check_ingress_service(r, at_service, s, protocol)
    end
  end
end

local function check_terminating(r, at, terminating)
  r:want(common.some(terminating.Services), at, "Services", "is needed, at least one")
  for _, s, place in each(at, "Services", terminating.Services) do
    local function has(key)
      return (s[key] or "") ~= ""
    end
    r:want(has "Name", place, "Name", "is needed")
    r:want(
      has "CAFile" or not (has "CertFile" or has "KeyFile" or has "SNI"),
      place,
      "CAFile",
      "is needed with CertFile, KeyFile or SNI"
    )
    r:want(has "CertFile" == has "KeyFile", place, "KeyFile", "and CertFile go together")
  end
end

local function check_gateway(r, at, gateway)
  if gateway.Proxy then
    check_gateway_proxy(r, { up = at, key = "Proxy" }, gateway.Proxy)
  end
  if gateway.Ingress then
    check_ingress(r, { up = at, key = "Ingress" }, gateway.Ingress)
  end
  if gateway.Terminating then
    check_terminating(r, { up = at, key = "Terminating" }, gateway.Terminating)
  end
  r:want(
    one_of(gateway.Ingress, gateway.Terminating, gateway.Mesh),
    at,
    nil,
    "must have exactly one of Ingress, Terminating, Mesh"
  )
end

--- The rules that look only at the service.
---@param r jobspec.Report
---@param at jobspec.Place the service's
---@param s table
function connect.check(r, at, s)
  local c = s.Connect
  if not c then
    return
  end
  local place = { up = at, key = "Connect" }
  local sidecar = c.SidecarService
  r:want(
    one_of(sidecar, c.Native, c.Gateway),
    place,
    nil,
    "must have exactly one of Native, SidecarService, Gateway"
  )
  local proxy = sidecar and sidecar.Proxy
  if proxy and proxy.TransparentProxy then
    check_transparent(r, { up = { up = place, key = "SidecarService" }, key = "Proxy" }, proxy)
  end
  if c.Native then
    r:want((s.PortLabel or "") ~= "", at, "PortLabel", "is needed by a native service")
  end
  if c.Gateway then
    check_gateway(r, { up = place, key = "Gateway" }, c.Gateway)
  end
end

local function lower_only(r, at, field, name)
  r:want(name == name:lower(), at, field, "%q must have no capital letters with a sidecar", name)
end

local function check_upstreams(r, at, proxy, listeners)
  for _, up, place in each(at, "Upstreams", proxy.Upstreams) do
    local path = up.LocalBindSocketPath or ""
    local listener = path ~= "" and path
      or ("%s\0%d"):format(up.LocalBindAddress or "", up.LocalBindPort or 0)
    r:want(
      not listeners[listener],
      place,
      path ~= "" and "LocalBindSocketPath" or "LocalBindPort",
      "is the address of another upstream in the group too"
    )
    listeners[listener] = true
  end
end

local function reserved_label(group, label)
  for _, net in each(nil, "Networks", group.Networks) do
    for _, port in each(nil, "ReservedPorts", net.ReservedPorts) do
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

local function check_transparent_group(r, at, group, tp)
  for _, net in each(nil, "Networks", group.Networks) do
    r:want(tp.NoDNS or not has_dns(net), at, "NoDNS", "must be true when the network has DNS")
  end
  for i, label in ipairs(tp.ExcludeInboundPorts or {}) do
    r:want(
      text.unsigned(label, 16) or reserved_label(group, label),
      { up = at, key = "ExcludeInboundPorts" },
      i,
      "%q is no number and no reserved port of the group",
      label
    )
  end
end

local function native_task(r, at, group, tasks, own, s)
  local wanted = s.TaskName or ""
  if wanted == "" then
    r:want(
      own == 1 and common.some(group.Networks),
      at,
      "TaskName",
      "is needed by a native service in a group of several tasks, or without a network"
    )
    return
  end
  for _, pair in ipairs(tasks) do
    if pair[1].Name == wanted then
      return
    end
  end
  r:err(at, "TaskName", "there is no task %q in the group", wanted)
end

--- A check that is open through the sidecar needs to know the service's port.
local function check_exposed(r, at, group, s)
  for _, check, place in each(at, "Checks", s.Checks) do
    local kind = (check.Type or ""):lower()
    if
      check.Expose
      and (kind == "http" or kind == "grpc")
      and (check.Path or ""):sub(1, 1) == "/"
    then
      local label = s.PortLabel or ""
      r:want(
        network.number(group, label) > 0 or (text.integer(label) or 0) > 0,
        place,
        "Expose",
        "needs a service whose PortLabel is a number or the label of a reserved port"
      )
    end
  end
end

local function check_sidecar(r, at, at_group, group, s, name)
  network.namespaced(r, at_group, group, "a sidecar", false)
  lower_only(r, at, "Name", name)
  lower_only(r, at_group, "Name", group.Name or "")
  check_exposed(r, at, group, s)
end

--- The rules that look at the group around its services.
---@param r jobspec.Report
---@param at jobspec.Place the group's
---@param job table
---@param group table
---@param tasks table[] { task, place }
---@param own integer how many of them are not the server's
function connect.group(r, at, job, group, tasks, own)
  local listeners, blocks, transparent = {}, 0, false
  for _, s, place in each(at, "Services", group.Services) do
    local c = s.Connect
    if c then
      blocks = blocks + 1
      local in_connect = { up = place, key = "Connect" }
      if c.SidecarService then
        check_sidecar(r, place, at, group, s, service.name(s, job, group))
        local proxy = c.SidecarService.Proxy
        if proxy then
          local at_proxy = { up = { up = in_connect, key = "SidecarService" }, key = "Proxy" }
          check_upstreams(r, at_proxy, proxy, listeners)
          if proxy.TransparentProxy then
            transparent = true
            check_transparent_group(
              r,
              { up = at_proxy, key = "TransparentProxy" },
              group,
              proxy.TransparentProxy
            )
          end
        end
      elseif c.Native then
        native_task(r, place, group, tasks, own, s)
      elseif c.Gateway then
        network.namespaced(r, at, group, "a gateway", true)
        r:want(
          not c.Gateway.Mesh or (s.PortLabel or "") ~= "",
          place,
          "PortLabel",
          "is needed by a mesh gateway"
        )
      end
    end
  end
  r:want(
    not transparent or blocks == 1,
    at,
    "Services",
    "a transparent proxy excludes other services with Connect in the group"
  )
end

return connect
