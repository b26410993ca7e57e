--- The rules for a task.

local common = require "nomad.jobspec.validate.common"
local files = require "nomad.jobspec.validate.files"
local identity = require "nomad.jobspec.validate.identity"
local placement = require "nomad.jobspec.validate.placement"
local resources = require "nomad.jobspec.validate.resources"
local service = require "nomad.jobspec.validate.service"
local task_service = require "nomad.jobspec.validate.task_service"
local volume = require "nomad.jobspec.validate.volume"

local task = {}

local each = common.each

---@class jobspec.validate.Around what a task's rules know of the job and of the group
---@field job table
---@field type string the job's
---@field group table
---@field update table? the group's policy
---@field disk integer MB
---@field volumes table<string, boolean>
---@field enterprise boolean

local bad_name = common.memo(function(name)
  if name == "" then
    return "is needed"
  elseif name == "alloc" then
    return "alloc is not allowed, it is a directory's name"
  elseif name:find("[/\\]") then
    return "must have no slash"
  end
  return name:find("\0", 1, true) and "must have no null character" or false
end)

local function check_names(r, t)
  local wrong = bad_name(t.Name or "")
  if wrong then
    r:err(t, "Name", wrong)
  end
  if (t.Driver or "") == "" then
    r:err(t, "Driver", "is needed")
  end
end

local DEFAULT_KILL = 5000000000

--- The server's default can be too long for the group's deadline, too.
local function check_times(r, t, around)
  local kill, update = t.KillTimeout or 0, around.update
  if kill == 0 then
    kill = DEFAULT_KILL
  end
  local deadline = update and around.type == "service" and update.ProgressDeadline or 0
  if kill < 0 then
    r:err(t, "KillTimeout", "must not be negative")
  elseif deadline > 0 and kill > deadline then
    r:err(t, "KillTimeout", "must not be more than ProgressDeadline (%t)", deadline)
  end
end

local function check_actions(r, t)
  local seen = {}
  for _, action in each(t.Actions) do
    local name = action.Name or ""
    r:want((action.Command or "") ~= "", action, "Command", "is needed")
    r:want(
      #name >= 1
        and utf8.len(name, 1, -1, true)
        and utf8.len(name, 1, -1, true) <= 128
        and not name:find("[%z\t\n\f\r ]"),
      action,
      "Name",
      "%q is no name; allowed are up to 128 signs without white space",
      name
    )
    r:want(not seen[name], action, "Name", "%q is there twice in the task", name)
    seen[name] = true
  end
end

local HOOKS = common.set("prestart", "poststart", "poststop")

local function check_lifecycle(r, t)
  local lifecycle = t.Lifecycle
  r:want(
    HOOKS[lifecycle.Hook],
    lifecycle,
    "Hook",
    "%q is not allowed, only prestart, poststart, poststop",
    lifecycle.Hook or ""
  )
end

--- A task that says it is a sidecar's proxy needs the service whose proxy it is.
local function check_kind(r, t, job, group)
  local owner = (t.Kind or ""):match("^connect%-proxy:(.+)$")
  if not owner then
    return
  end
  r:want(not common.some(t.Services), t, "Services", "is not allowed in a proxy's task")
  r:want(not t.Leader, t, "Leader", "is not allowed in a proxy's task")
  for _, s in each(group.Services) do
    if s.Connect and s.Connect.SidecarService and service.name(s, job, group) == owner then
      return
    end
  end
  r:err(t, "Kind", "there is no service %q with a sidecar in the group", owner)
end

local PLUGINS = common.set("node", "controller", "monolith")

local function check_plugin(r, t)
  local plugin = t.CSIPluginConfig
  r:want((plugin.ID or "") ~= "", plugin, "ID", "is needed")
  r:want(
    PLUGINS[plugin.Type],
    plugin,
    "Type",
    "%q is not allowed, only node, controller, monolith",
    plugin.Type or ""
  )
  local mount, stage = plugin.MountDir or "", plugin.StagePublishBaseDir or ""
  mount = mount ~= "" and mount or "/csi"
  stage = stage ~= "" and stage or "/local/csi"
  r:want(
    stage:sub(1, #mount) ~= mount,
    plugin,
    "StagePublishBaseDir",
    "must not lie in MountDir (%s)",
    mount
  )
end

--- Rules by the field without which they have nothing to say.
local RULES = {
  Resources = function(r, t, around)
    resources.check(r, t.Resources, around.enterprise)
  end,
  LogConfig = function(r, t, around)
    resources.logs(r, t, t.LogConfig, around.disk)
  end,
  ShutdownDelay = function(r, t)
    r:want(t.ShutdownDelay >= 0, t, "ShutdownDelay", "must not be negative")
  end,
  Constraints = function(r, t)
    placement.constraints(r, t, "task")
  end,
  Affinities = function(r, t, around)
    placement.affinities(r, t, around.type)
  end,
  Services = function(r, t, around)
    task_service.check(r, around.job, around.group, t)
  end,
  Artifacts = files.artifacts,
  Templates = files.templates,
  DispatchPayload = files.payload,
  Actions = check_actions,
  Lifecycle = check_lifecycle,
  Kind = function(r, t, around)
    check_kind(r, t, around.job, around.group)
  end,
  VolumeMounts = function(r, t, around)
    volume.mounts(r, t, around.volumes)
  end,
  CSIPluginConfig = check_plugin,
  Identity = function(r, t)
    if not t.Identities then
      identity.tasks(r, t)
    end
  end,
  Identities = identity.tasks,
  Vault = function(r, t, around)
    identity.vault(r, t, around.job, around.enterprise)
  end,
  Consul = function(r, t, around)
    identity.consul(r, t, around.group, around.enterprise)
  end,
  Secrets = identity.secrets,
  Schedule = function(r, t, around)
    r:want(around.enterprise or not t.Schedule.Cron, t, "Schedule", "needs Nomad Enterprise")
  end,
}

---@param r jobspec.Report
---@param t table
---@param around jobspec.validate.Around
function task.check(r, t, around)
  check_names(r, t)
  check_times(r, t, around)
  if not t.LogConfig then
    resources.logs(r, t, nil, around.disk)
  end
  for key in next, t do
    local rule = RULES[key]
    if rule then
      rule(r, t, around)
    end
  end
end

return task
