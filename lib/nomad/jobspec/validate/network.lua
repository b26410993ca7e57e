--- The rules for a group's networks and ports, and for those of its tasks (the old way).

local common = require "nomad.jobspec.validate.common"
local text = require "nomad.jobspec.validate.text"

local network = {}

local each = common.each
local HIGHEST = 65535

---@class jobspec.validate.Ports
---@field labels table<string, boolean> used so far in the group
---@field static table<string, table<integer, boolean>> host network → numbers

--- Goes over the ports of a network: first the reserved, then the dynamic ones, as Nomad does.
local function each_port(at, net)
  local list = {}
  for _, key in ipairs { "ReservedPorts", "DynamicPorts" } do
    for _, port, place in each(at, key, net[key]) do
      list[#list + 1] = { port, place }
    end
  end
  return ipairs(list)
end

--- A number that the port asks for: once on each host network.
local function check_static(r, at, ports, port, ignore)
  local value = port.Value or 0
  if value == 0 then
    return
  end
  local host = (port.HostNetwork or "") ~= "" and port.HostNetwork or "default"
  local static = ports.static[host] or {}
  ports.static[host] = static
  if static[value] then
    r:want(ignore, at, "Value", "port %d is asked for twice on the host network %q", value, host)
  elseif value > HIGHEST then
    r:err(at, "Value", "%d is too big, at most %d is allowed", value, HIGHEST)
  else
    static[value] = true
  end
end

local function check_group_port(r, at, ports, net, port)
  local label, to, mode = port.Label or "", port.To or 0, net.Mode or ""
  r:want(not ports.labels[label], at, "Label", "%q is there twice in the group", label)
  ports.labels[label] = true
  check_static(r, at, ports, port, port.IgnoreCollision)
  r:want(to >= -1 and to <= HIGHEST, at, "To", "%d is not allowed, only -1 to %d", to, HIGHEST)
  r:want(
    not port.IgnoreCollision or mode == "" or mode == "host",
    at,
    "IgnoreCollision",
    "is allowed only in host mode, not in mode %q",
    mode
  )
end

local function check_cni(r, at, net, seen)
  for key, value in pairs(net.CNI and net.CNI.Args or {}) do
    local place = { up = { up = at, key = "CNI" }, key = "Args" }
    r:want(not seen[key], place, key, "is there twice in the group")
    r:want(not key:find(";", 1, true), place, key, "must have no ; in its name")
    r:want(not value:find(";", 1, true), place, key, "must have no ; in its value")
    seen[key] = true
  end
end

local function check_hostname(r, at, net)
  local name = net.Hostname or ""
  r:want(
    name == "" or name:find("${", 1, true) or text.domain(name),
    at,
    "Hostname",
    "%q is no host name",
    name
  )
end

local function any_network(group, tasks)
  local any = group.Networks
  for _, pair in ipairs(tasks) do
    local res = pair[1].Resources
    any = any or res and res.Networks
  end
  return any
end

---@param r jobspec.Report
---@param at jobspec.Place the group's
---@param group table
---@param tasks table[] { task, place }
function network.check(r, at, group, tasks)
  if not any_network(group, tasks) then
    return
  end
  local ports = { labels = {}, static = {} }
  local seen = {}
  for _, net, place in each(at, "Networks", group.Networks) do
    for _, pair in each_port(place, net) do
      check_group_port(r, pair[2], ports, net, pair[1])
    end
    check_cni(r, place, net, seen)
    check_hostname(r, place, net)
  end
  for _, pair in ipairs(tasks) do
    local resources = pair[1].Resources
    local up = { up = pair[2], key = "Resources" }
    for _, net, place in each(up, "Networks", resources and resources.Networks) do
      for _, entry in each_port(place, net) do
        local label = entry[1].Label or ""
        r:want(not ports.labels[label], entry[2], "Label", "%q is there twice in the group", label)
        check_static(r, entry[2], ports, entry[1], false)
      end
    end
  end
end

--- The labels of a network's ports.
---@param net table?
---@param into table<string, boolean>
function network.labels(net, into)
  for _, key in ipairs { "ReservedPorts", "DynamicPorts" } do
    for _, port in each(nil, key, net and net[key]) do
      into[port.Label or ""] = true
    end
  end
end

--- The number of the first port with a label, as it is known before placement; 0: none.
---@param group table
---@param label string
---@return integer
function network.number(group, label)
  for _, net in each(nil, "Networks", group.Networks) do
    for _, pair in each_port(nil, net) do
      if (pair[1].Label or "") == label then
        return pair[1].Value or 0
      end
    end
  end
  return 0
end

--- Whether the group has exactly one network, in a mode with its own namespace (or, with `host`, in host mode).
---@param r jobspec.Report
---@param at jobspec.Place the group's
---@param group table
---@param what string what needs it
---@param host boolean
---@return boolean
function network.namespaced(r, at, group, what, host)
  local count = #(group.Networks or {})
  if count ~= 1 then
    r:err(at, "Networks", "%s needs exactly one network in the group, found %d", what, count)
    return false
  end
  local net = group.Networks[1] or {}
  local mode = net.Mode or ""
  return r:want(
    mode == "bridge" or mode:sub(1, 4) == "cni/" or host and mode == "host",
    { up = { up = at, key = "Networks" }, key = 1 },
    "Mode",
    "%q is not allowed with %s, only bridge%s and cni/…",
    mode,
    what,
    host and ", host" or ""
  )
end

return network
