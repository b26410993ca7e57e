--- expose: checks of a Connect service that are exposed through its proxy: the path, and the port where there is none.

local duration = require "nomad.jobspec.duration"
local sha1 = require "nomad.jobspec.canonical.sha1"
local tools = require "nomad.jobspec.canonical.tools"

local expose = {}

local function sorted_headers(header)
  local list = {}
  for name, values in pairs(header or {}) do
    list[#list + 1] = name .. (type(values) == "table" and table.concat(values) or "")
  end
  table.sort(list)
  return table.concat(list)
end

local function counted(name, number)
  return (number or 0) ~= 0 and ("%s:%d"):format(name, number) or ""
end

--- What the hash is made of, in this order: functions, or names of fields (since which Nomad).
local HASHED = {
  { "Name" },
  { "Type" },
  { "Command" },
  {
    function(check)
      return table.concat(check.Args or {})
    end,
  },
  { "Path" },
  { "Protocol" },
  { "PortLabel" },
  {
    function(check)
      return duration.text(check.Interval or 0) .. duration.text(check.Timeout or 0)
    end,
  },
  { "Method" },
  { "Body" },
  { "OnUpdate" },
  { "Notes", "1.9.0" },
  {
    function(check)
      return check.TLSSkipVerify and "true" or ""
    end,
  },
  { "TLSServerName", "1.6.0" },
  {
    function(check)
      return sorted_headers(check.Header)
    end,
  },
  { "AddressMode" },
  { "GRPCService" },
  {
    function(check)
      return check.GRPCUseTLS and "true" or ""
    end,
  },
  {
    function(check)
      return counted("success", check.SuccessBeforePassing)
        .. counted("failures", check.FailuresBeforeCritical)
        .. counted("failures-before-warning", check.FailuresBeforeWarning)
    end,
  },
}

-- What Nomad calls the check by; the letters are part of the port's label.
local function hash(check, id, at_least)
  local parts = { id }
  for _, row in ipairs(HASHED) do
    local what, since = row[1], row[2]
    if not since or at_least(since) then
      parts[#parts + 1] = type(what) == "function" and what(check) or check[what] or ""
    end
  end
  return sha1.hex(table.concat(parts))
end

local function is_exposable(check)
  local type = (check.Type or ""):lower()
  return (type == "grpc" or type == "http") and (check.Path or ""):sub(1, 1) == "/"
end

-- The port of the service inside its network: what its label says, or its label itself.
local function local_port(group, label)
  for _, network in ipairs(group.Networks) do
    for _, name in ipairs { "ReservedPorts", "DynamicPorts" } do
      for _, port in ipairs(tools.each(network[name])) do
        if port.Label == label and (port.Value or 0) > 0 then
          return port.Value
        end
      end
    end
  end
  return math.tointeger(tonumber(label))
end

local function inject_port(group, service, check, index, at_least)
  local suffix = hash(check, ("%s_%d"):format(service.Name, index), at_least):sub(1, 6)
  check.PortLabel = ("svc_%s_ck_%s"):format(service.Name, suffix)
  tools.append(group.Networks[1], "DynamicPorts", {
    HostNetwork = "default",
    Label = check.PortLabel,
    To = -1,
  })
end

local function paths_of(service)
  local sidecar = service.Connect.SidecarService
  sidecar.Proxy = sidecar.Proxy or {}
  sidecar.Proxy.Expose = sidecar.Proxy.Expose or {}
  return sidecar.Proxy.Expose
end

local function has_path(list, path)
  for _, one in ipairs(tools.each(list)) do
    if
      (one.Path or "") == path.Path
      and (one.Protocol or "") == path.Protocol
      and (one.LocalPathPort or 0) == path.LocalPathPort
      and (one.ListenerPort or "") == path.ListenerPort
    then
      return true
    end
  end
  return false
end

local function expose_check(group, service, check, index, at_least)
  if not is_exposable(check) then
    return
  end
  if (check.PortLabel or "") == "" then
    inject_port(group, service, check, index, at_least)
  end
  local port = local_port(group, service.PortLabel or "")
  local path = port
    and {
      Path = check.Path,
      Protocol = check.Protocol or "",
      LocalPathPort = port,
      ListenerPort = check.PortLabel,
    }
  local exposed = path and paths_of(service)
  if exposed and not has_path(exposed.Paths, path) then
    tools.append(exposed, "Paths", path)
  end
end

---@param job table changed in place
---@param at_least fun(version: string): boolean
function expose.add(job, at_least)
  for _, group in ipairs(tools.each(job.TaskGroups)) do
    for _, service in ipairs(tools.each(group.Services)) do
      local connected = service.Connect and service.Connect.SidecarService and group.Networks
      for i, check in ipairs(connected and service.Checks or {}) do
        if check.Expose then
          expose_check(group, service, check, i - 1, at_least)
        end
      end
    end
  end
end

return expose
