--- The rules for a group's networks and ports, and for those of its tasks (the old way).

local common = require "nomad.jobspec.validate.common"
local text = require "nomad.jobspec.validate.text"

local network = {}

local each = common.each
local HIGHEST = 65535

---@class jobspec.validate.Ports
---@field labels table<string, boolean> used so far in the group
---@field static table<string, table<integer, boolean>> host network → numbers

--- The two kinds of ports, in the order in which Nomad looks at them.
local KINDS = { "ReservedPorts", "DynamicPorts" }

--- A number that the port asks for: once on each host network.
local function check_static(r, ports, port, ignore)
  local value = port.Value or 0
  if value == 0 then
    return
  end
  local host = (port.HostNetwork or "") ~= "" and port.HostNetwork or "default"
  local static = ports.static[host] or {}
  ports.static[host] = static
  if static[value] then
    r:want(ignore, port, "Value", "port %d is asked for twice on the host network %q", value, host)
  elseif value > HIGHEST then
    r:err(port, "Value", "%d is too big, at most %d is allowed", value, HIGHEST)
  else
    static[value] = true
  end
end

local function check_label(r, ports, port)
  local label = port.Label or ""
  if ports.labels[label] then
    r:err(port, "Label", "%q is there twice in the group", label)
  end
  return label
end

local function check_group_port(r, ports, net, port)
  ports.labels[check_label(r, ports, port)] = true
  check_static(r, ports, port, port.IgnoreCollision)
  local to, mode = port.To or 0, net.Mode or ""
  if to < -1 or to > HIGHEST then
    r:err(port, "To", "%d is not allowed, only -1 to %d", to, HIGHEST)
  end
  if port.IgnoreCollision and mode ~= "" and mode ~= "host" then
    r:err(port, "IgnoreCollision", "is allowed only in host mode, not in mode %q", mode)
  end
end

local function check_cni(r, net, seen)
  local args = net.CNI and net.CNI.Args
  if not args then
    return
  end
  for key, value in pairs(args) do
    r:want(not seen[key], args, key, "is there twice in the group")
    r:want(not key:find(";", 1, true), args, key, "must have no ; in its name")
    r:want(not value:find(";", 1, true), args, key, "must have no ; in its value")
    seen[key] = true
  end
end

local is_domain = common.memo(text.domain)

local function check_hostname(r, net)
  local name = net.Hostname or ""
  if name ~= "" and not name:find("${", 1, true) and not is_domain(name) then
    r:err(net, "Hostname", "%q is no host name", name)
  end
end

--- The old way: ports of a task.
local function check_task(r, ports, resources)
  for _, net in each(resources and resources.Networks) do
    for _, kind in ipairs(KINDS) do
      for _, port in each(net[kind]) do
        check_label(r, ports, port)
        check_static(r, ports, port, false)
      end
    end
  end
end

---@param r jobspec.Report
---@param group table
---@param tasks table[]
function network.check(r, group, tasks)
  local ports, seen = { labels = {}, static = {} }, {}
  for _, net in each(group.Networks) do
    for _, kind in ipairs(KINDS) do
      for _, port in each(net[kind]) do
        check_group_port(r, ports, net, port)
      end
    end
    check_cni(r, net, seen)
    check_hostname(r, net)
  end
  for _, t in each(tasks) do
    check_task(r, ports, t.Resources)
  end
end

--- The labels of a network's ports.
---@param net table?
---@param into table<string, boolean>
function network.labels(net, into)
  for _, key in ipairs(KINDS) do
    for _, port in each(net and net[key]) do
      into[port.Label or ""] = true
    end
  end
end

--- The number of the first port with a label, as it is known before placement; 0: none.
---@param group table
---@param label string
---@return integer
function network.number(group, label)
  for _, net in each(group.Networks) do
    for _, kind in ipairs(KINDS) do
      for _, port in each(net[kind]) do
        if (port.Label or "") == label then
          return port.Value or 0
        end
      end
    end
  end
  return 0
end

--- Whether the group has exactly one network, in a mode with its own namespace (or, with `host`, in host mode).
---@param r jobspec.Report
---@param group table
---@param what string what needs it
---@param host boolean
---@return boolean
function network.namespaced(r, group, what, host)
  local count = #(group.Networks or {})
  if count ~= 1 then
    r:err(group, "Networks", "%s needs exactly one network in the group, found %d", what, count)
    return false
  end
  local net = group.Networks[1] or {}
  local mode = net.Mode or ""
  return r:want(
    mode == "bridge" or mode:sub(1, 4) == "cni/" or host and mode == "host",
    group.Networks[1] or { up = { up = group, key = "Networks" }, key = 1 },
    "Mode",
    "%q is not allowed with %s, only bridge%s and cni/…",
    mode,
    what,
    host and ", host" or ""
  )
end

return network
