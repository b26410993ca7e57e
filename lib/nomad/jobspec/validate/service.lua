--- The rules for services and their checks.

local common = require "nomad.jobspec.validate.common"
local text = require "nomad.jobspec.validate.text"
local url = require "nomad.jobspec.validate.url"

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
local WRONG_ON_UPDATE = "%q is not allowed, only require_healthy, ignore, ignore_warnings"
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

local function check_restart(r, s, check, on_update)
  local restart = restart_of(s, check)
  r:want(on_update ~= "ignore", check, "OnUpdate", "ignore excludes CheckRestart")
  r:want(
    on_update ~= "ignore_warnings" or restart.IgnoreWarnings,
    check,
    "OnUpdate",
    "ignore_warnings needs IgnoreWarnings in CheckRestart"
  )
  local place = check.CheckRestart or { up = check, key = "CheckRestart" }
  r:want((restart.Limit or 0) >= 0, place, "Limit", "must not be negative")
  r:want((restart.Grace or 0) >= 0, place, "Grace", "must not be negative")
end

local is_url_path = common.memo(url.is_path)

local function wrong_type(r, check, provider)
  r:err(
    check,
    "Type",
    "%q is not allowed with provider %s, only %s",
    check.Type or "",
    provider,
    provider == "nomad" and "http, tcp" or "http, tcp, script, grpc"
  )
end

local function check_type(r, check, provider)
  local kind = check.Type or ""
  if not TYPES[provider][kind] then
    kind = kind:lower()
  end
  if not TYPES[provider][kind] then
    wrong_type(r, check, provider)
  elseif kind == "http" then
    local path = check.Path or ""
    if path == "" or not is_url_path(path) then
      r:err(check, "Path", "%q is no path of an HTTP check; write one like /health", path)
    end
  elseif kind == "script" and (check.Command or "") == "" then
    r:err(check, "Command", "is needed by a script check")
  end
end

local function check_modes(r, check)
  local status, mode = check.InitialStatus, check.AddressMode
  if status and not STATES[status] then
    r:err(check, "InitialStatus", "%q is not allowed, only passing, warning, critical", status)
  end
  if mode and not CHECK_MODES[mode] then
    r:err(
      check,
      "AddressMode",
      "%q is not allowed in a check, only host, driver, alloc, alloc_ipv6",
      mode
    )
  end
end

local function check_common(r, s, check, provider)
  check_type(r, check, provider)
  if (check.Interval or 0) < SECOND then
    r:err(check, "Interval", "is needed, and must be at least 1s")
  end
  if (check.Timeout or 0) < SECOND then
    r:err(check, "Timeout", "is needed, and must be at least 1s")
  end
  check_modes(r, check)
  local on_update = check.OnUpdate or ""
  if on_update == "" then
    on_update = s.OnUpdate or ""
  end
  if not ON_UPDATE[on_update] then
    r:err(check, "OnUpdate", WRONG_ON_UPDATE, on_update)
  end
  if s.CheckRestart or check.CheckRestart then
    check_restart(r, s, check, on_update)
  end
  return on_update
end

local COUNTERS = { "SuccessBeforePassing", "FailuresBeforeCritical", "FailuresBeforeWarning" }

--- What only Consul can do.
local function check_nomad(r, s, check)
  local on_update = check_common(r, s, check, "nomad")
  local restart = restart_of(s, check)
  local only = "is allowed only with provider consul"
  r:want(not check.Expose, check, "Expose", only)
  r:want(on_update ~= "ignore_warnings", check, "OnUpdate", "ignore_warnings " .. only)
  r:want(
    not (restart and restart.IgnoreWarnings),
    check.CheckRestart or { up = check, key = "CheckRestart" },
    "IgnoreWarnings",
    only
  )
  r:want(check.AddressMode ~= "driver", check, "AddressMode", "driver " .. only)
  local method = check.Method or ""
  r:want(
    check.Type ~= "http" or method == "" or METHODS[method:upper()],
    check,
    "Method",
    "%q is no HTTP method",
    method
  )
  for _, key in ipairs(COUNTERS) do
    r:want((check[key] or 0) <= 0, check, key, only)
  end
  r:want((check.TLSServerName or "") == "", check, "TLSServerName", only)
end

local function check_consul(r, s, check)
  check_common(r, s, check, "consul")
  local kind = check.Type or ""
  if check.Expose and kind:lower() ~= "grpc" and kind:lower() ~= "http" then
    r:err(check, "Expose", "is allowed only in http and grpc checks")
  end
  if not WITH_PORT[kind] then
    for _, key in ipairs(COUNTERS) do
      r:want((check[key] or 0) <= 0, check, key, "is allowed only in tcp, http and grpc checks")
    end
  end
  local notes = check.Notes or ""
  if #notes > 255 then
    r:err(check, "Notes", "has %d bytes, at most 255 are allowed", #notes)
  end
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

local function check_checks(r, s, provider)
  local connect = provider == "consul" and s.Connect
  for _, check in each(s.Checks) do
    if lacks_port(s, check) then
      r:err(check, "PortLabel", "is needed, here or in the service")
    elseif connect and connect.SidecarService and check.Type == "tcp" then
      r:err(check, "Type", "tcp is not allowed in a service with a sidecar")
    elseif provider == "nomad" then
      check_nomad(r, s, check)
    else
      check_consul(r, s, check)
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
  local name = s.Name or ""
  if name ~= "" and not name:find("${", 1, true) then
    return name
  end
  local id, owner = job.Name or job.ID or "", group.Name or ""
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

local function check_identity(r, s, provider)
  local identity = s.Identity
  if identity then
    r:want(common.some(identity.Audience), identity, "Audience", "is needed, at least one")
    r:want(
      provider ~= "nomad" or (identity.Name or "") ~= "",
      identity,
      "Name",
      "is needed with provider nomad"
    )
  end
end

local function check_words(r, s)
  local mode, on_update = s.AddressMode or "", s.OnUpdate or ""
  if not SERVICE_MODES[mode] then
    r:err(s, "AddressMode", "%q is not allowed, only auto, host, driver, alloc, alloc_ipv6", mode)
  elseif mode ~= "" and mode ~= "auto" and (s.Address or "") ~= "" then
    r:err(s, "Address", "is allowed only with AddressMode auto")
  end
  if not ON_UPDATE[on_update] then
    r:err(s, "OnUpdate", WRONG_ON_UPDATE, on_update)
  end
end

--- What only Consul has.
local function check_mesh(r, s, connect)
  if s.Kind and not KINDS[s.Kind] then
    r:err(
      s,
      "Kind",
      "%q is not allowed, only api-gateway, ingress-gateway, mesh-gateway, terminating-gateway",
      s.Kind
    )
  end
  if connect and s.Connect then
    connect(r, s)
  end
  local cluster = s.Cluster or ""
  if cluster ~= "" and cluster ~= "default" then
    r:err(s, "Cluster", "needs Nomad Enterprise, only default is allowed")
  end
end

---@param r jobspec.Report
---@param s table
---@param name string what service.name gave
---@param connect? fun(r: jobspec.Report, s: table) the rules of the mesh
function service.check(r, s, name, connect)
  if not text.service_name(name) then
    r:err(s, "Name", "%q is no service name; allowed are up to 63 letters, digits and dashes", name)
  end
  check_words(r, s)
  local provider = service.provider(s)
  if provider == "consul" then
    check_checks(r, s, provider)
    check_mesh(r, s, connect)
  elseif provider == "nomad" then
    check_checks(r, s, provider)
    r:want(not s.Connect, s, "Connect", "is allowed only with provider consul")
  else
    r:err(s, "Provider", "%q is not allowed, only consul and nomad", provider)
  end
  check_identity(r, s, provider)
end

---@param s table
---@return string
function service.provider(s)
  return (s.Provider or "") ~= "" and s.Provider or "consul"
end

--- A check without a task of its own takes the service's, unless that is called "group".
local function task_of(check, default)
  local own = check.TaskName or ""
  return own ~= "" and own or default ~= "group" and default or ""
end

local function check_in_group(r, check, task, default, tasks)
  if task ~= "" then
    if check.AddressMode == "driver" then
      r:err(check, "AddressMode", "driver is allowed only in a task's service")
    end
    if not tasks[task] then
      r:err(check, "TaskName", "there is no task %q in the group", task)
    end
  elseif default == "" and check.Type == "script" then
    r:err(check, "TaskName", "is needed by a script check")
  end
end

--- The rules for a service of a group that concern the group.
---@param r jobspec.Report
---@param tasks table<string, boolean> names of the group's tasks
---@param s table
function service.group_level(r, tasks, s)
  if s.AddressMode == "driver" then
    r:err(s, "AddressMode", "driver is allowed only in a task's service")
  end
  local default = s.TaskName or ""
  for _, check in each(s.Checks) do
    check_in_group(r, check, task_of(check, default), default, tasks)
    if check.Expose and not (s.Connect and s.Connect.SidecarService) then
      r:err(check, "Expose", "is allowed only in a service with a sidecar")
    end
  end
end

return service
