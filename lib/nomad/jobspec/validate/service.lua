--- The rules for services and their checks.

local common = require "nomad.jobspec.validate.common"
local text = require "nomad.jobspec.validate.text"

local service = {}

local each, set = common.each, common.set
local SECOND = 1000000000

local SERVICE_MODES = set("", "auto", "host", "driver", "alloc", "alloc_ipv6")
local CHECK_MODES = set("", "host", "driver", "alloc", "alloc_ipv6")
local ON_UPDATE = set("", "require_healthy", "ignore", "ignore_warnings")
local TYPES = {
  consul = set("http", "tcp", "script", "grpc"),
  nomad = set("http", "tcp"),
}
local WITH_PORT = set("grpc", "http", "tcp")
local STATES = set("", "passing", "warning", "critical")
local METHODS = set("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE")
local KINDS = set("", "api-gateway", "ingress-gateway", "mesh-gateway", "terminating-gateway")

--- Whether a check asks for a port; its type is compared with regard to case here.
---@param check table
---@return boolean
function service.needs_port(check)
  return WITH_PORT[check.Type] or false
end

--- What of the service's check_restart a check without its own words takes over.
local function restart_of(s, check)
  local outer, own = s.CheckRestart, check.CheckRestart
  if not outer then
    return own
  end
  return {
    Limit = own and (own.Limit or 0) > 0 and own.Limit or outer.Limit,
    Grace = own and own.Grace or outer.Grace,
    IgnoreWarnings = own and own.IgnoreWarnings or outer.IgnoreWarnings,
  }
end

local function check_restart(r, at, s, check, on_update)
  local restart = restart_of(s, check)
  if not restart then
    return
  end
  r:want(on_update ~= "ignore", at, "OnUpdate", "ignore excludes CheckRestart")
  r:want(
    on_update ~= "ignore_warnings" or restart.IgnoreWarnings,
    at,
    "OnUpdate",
    "ignore_warnings needs IgnoreWarnings in CheckRestart"
  )
  local place = { up = at, key = "CheckRestart" }
  r:want((restart.Limit or 0) >= 0, place, "Limit", "must not be negative")
  r:want((restart.Grace or 0) >= 0, place, "Grace", "must not be negative")
end

local function check_type(r, at, check, provider)
  local kind = (check.Type or ""):lower()
  if not TYPES[provider][kind] then
    r:err(
      at,
      "Type",
      "%q is not allowed with provider %s, only %s",
      check.Type or "",
      provider,
      provider == "nomad" and "http, tcp" or "http, tcp, script, grpc"
    )
  elseif kind == "http" then
    local path = check.Path or ""
    r:want(
      path ~= "" and text.url_path(path),
      at,
      "Path",
      "%q is no path of an HTTP check; write one like /health",
      path
    )
  elseif kind == "script" then
    r:want((check.Command or "") ~= "", at, "Command", "is needed by a script check")
  end
end

local function check_common(r, at, s, check, provider)
  check_type(r, at, check, provider)
  r:want((check.Interval or 0) >= SECOND, at, "Interval", "is needed, and must be at least 1s")
  r:want((check.Timeout or 0) >= SECOND, at, "Timeout", "is needed, and must be at least 1s")
  local status, mode = check.InitialStatus or "", check.AddressMode or ""
  r:want(
    STATES[status],
    at,
    "InitialStatus",
    "%q is not allowed, only passing, warning, critical",
    status
  )
  r:want(
    CHECK_MODES[mode],
    at,
    "AddressMode",
    "%q is not allowed in a check, only host, driver, alloc, alloc_ipv6",
    mode
  )
  local on_update = check.OnUpdate or ""
  if on_update == "" then
    on_update = s.OnUpdate or ""
  end
  r:want(
    ON_UPDATE[on_update],
    at,
    "OnUpdate",
    "%q is not allowed, only require_healthy, ignore, ignore_warnings",
    on_update
  )
  check_restart(r, at, s, check, on_update)
  return on_update
end

local COUNTERS = { "SuccessBeforePassing", "FailuresBeforeCritical", "FailuresBeforeWarning" }

--- What only Consul can do.
local function check_nomad(r, at, s, check)
  local on_update = check_common(r, at, s, check, "nomad")
  local restart = restart_of(s, check)
  local only = "is allowed only with provider consul"
  r:want(not check.Expose, at, "Expose", only)
  r:want(on_update ~= "ignore_warnings", at, "OnUpdate", "ignore_warnings " .. only)
  r:want(
    not (restart and restart.IgnoreWarnings),
    { up = at, key = "CheckRestart" },
    "IgnoreWarnings",
    only
  )
  r:want(check.AddressMode ~= "driver", at, "AddressMode", "driver " .. only)
  local method = check.Method or ""
  r:want(
    check.Type ~= "http" or method == "" or METHODS[method:upper()],
    at,
    "Method",
    "%q is no HTTP method",
    method
  )
  for _, key in ipairs(COUNTERS) do
    r:want((check[key] or 0) <= 0, at, key, only)
  end
  r:want((check.TLSServerName or "") == "", at, "TLSServerName", only)
end

local function check_consul(r, at, s, check)
  check_common(r, at, s, check, "consul")
  local kind = check.Type or ""
  local lower = kind:lower()
  r:want(
    not check.Expose or lower == "grpc" or lower == "http",
    at,
    "Expose",
    "is allowed only in http and grpc checks"
  )
  for _, key in ipairs(COUNTERS) do
    r:want(
      (check[key] or 0) <= 0 or WITH_PORT[kind],
      at,
      key,
      "is allowed only in tcp, http and grpc checks"
    )
  end
  r:want(
    #(check.Notes or "") <= 255,
    at,
    "Notes",
    "has %d bytes, at most 255 are allowed",
    #(check.Notes or "")
  )
end

--- An exposed check gets a port of its own where it has none.
local function exposed(s, check)
  local kind = (check.Type or ""):lower()
  return check.Expose
    and s.Connect
    and s.Connect.SidecarService
    and (kind == "grpc" or kind == "http")
    and (check.Path or ""):sub(1, 1) == "/"
end

local function lacks_port(s, check)
  return (s.PortLabel or "") == ""
    and (check.PortLabel or "") == ""
    and service.needs_port(check)
    and not exposed(s, check)
end

local function check_checks(r, at, s, provider)
  local connect = provider == "consul" and s.Connect
  for _, check, place in each(at, "Checks", s.Checks) do
    if lacks_port(s, check) then
      r:err(place, "PortLabel", "is needed, here or in the service")
    elseif connect and connect.SidecarService and check.Type == "tcp" then
      r:err(place, "Type", "tcp is not allowed in a service with a sidecar")
    elseif provider == "nomad" then
      check_nomad(r, place, s, check)
    else
      check_consul(r, place, s, check)
    end
  end
end

--- The service's name as the server makes it.
---@param s table
---@param job table
---@param group table
---@param task string? "group" for a group's service
---@return string
function service.name(s, job, group, task)
  local id, owner = job.Name or job.ID or "", group.Name or ""
  local name = s.Name or ""
  if name == "" then
    name = id .. "-" .. owner .. (task and "-" .. task or "")
  end
  return text.fill(name, {
    JOB = id,
    TASKGROUP = owner,
    TASK = task or "group",
    BASE = id .. "-" .. owner .. "-" .. (task or "group"),
  })
end

local function check_identity(r, at, s, provider)
  local identity = s.Identity
  if identity then
    local place = { up = at, key = "Identity" }
    r:want(common.some(identity.Audience), place, "Audience", "is needed, at least one")
    r:want(
      provider ~= "nomad" or (identity.Name or "") ~= "",
      place,
      "Name",
      "is needed with provider nomad"
    )
  end
end

---@param r jobspec.Report
---@param at jobspec.Place
---@param s table
---@param name string what service.name gave
---@param connect fun(r: jobspec.Report, at: jobspec.Place, s: table) the rules of the mesh
function service.check(r, at, s, name, connect)
  r:want(
    text.service_name(name),
    at,
    "Name",
    "%q is no service name; allowed are up to 63 letters, digits and dashes",
    name
  )
  local mode, on_update = s.AddressMode or "", s.OnUpdate or ""
  if
    r:want(
      SERVICE_MODES[mode],
      at,
      "AddressMode",
      "%q is not allowed, only auto, host, driver, alloc, alloc_ipv6",
      mode
    )
  then
    r:want(
      mode == "" or mode == "auto" or (s.Address or "") == "",
      at,
      "Address",
      "is allowed only with AddressMode auto"
    )
  end
  r:want(
    ON_UPDATE[on_update],
    at,
    "OnUpdate",
    "%q is not allowed, only require_healthy, ignore, ignore_warnings",
    on_update
  )
  local provider = service.provider(s)
  if provider == "consul" then
    check_checks(r, at, s, provider)
    r:want(
      KINDS[s.Kind or ""],
      at,
      "Kind",
      "%q is not allowed, only api-gateway, "
        .. "ingress-gateway, mesh-gateway, terminating-gateway",
      s.Kind
    )
    connect(r, at, s)
    local cluster = s.Cluster or ""
    r:want(
      cluster == "" or cluster == "default",
      at,
      "Cluster",
      "needs Nomad Enterprise, only default is allowed"
    )
  elseif provider == "nomad" then
    check_checks(r, at, s, provider)
    r:want(not s.Connect, at, "Connect", "is allowed only with provider consul")
  else
    r:err(at, "Provider", "%q is not allowed, only consul and nomad", provider)
  end
  check_identity(r, at, s, provider)
end

---@param s table
---@return string
function service.provider(s)
  return (s.Provider or "") ~= "" and s.Provider or "consul"
end

local function check_exposed(r, place, s, check)
  r:want(
    not check.Expose or s.Connect and s.Connect.SidecarService,
    place,
    "Expose",
    "is allowed only in a service with a sidecar"
  )
end

--- The rules for a service of a group that concern the group.
---@param r jobspec.Report
---@param at jobspec.Place
---@param tasks table<string, boolean> names of the group's tasks
---@param s table
function service.group_level(r, at, tasks, s)
  r:want(s.AddressMode ~= "driver", at, "AddressMode", "driver is allowed only in a task's service")
  local default = s.TaskName or ""
  for _, check, place in each(at, "Checks", s.Checks) do
    local own = check.TaskName or ""
    -- A check without a task of its own takes the service's, unless that is called "group".
    local task = own ~= "" and own or default ~= "group" and default or ""
    if task ~= "" then
      r:want(
        check.AddressMode ~= "driver",
        place,
        "AddressMode",
        "driver is allowed only in a task's service"
      )
      r:want(tasks[task], place, "TaskName", "there is no task %q in the group", task)
    elseif default == "" then
      r:want(check.Type ~= "script", place, "TaskName", "is needed by a script check")
    end
    check_exposed(r, place, s, check)
  end
end

return service
