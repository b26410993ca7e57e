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

---@class jobspec.validate.Around what a task's rules know of the job and group
---@field job table
---@field type string
---@field group table
---@field update table? the group's policy
---@field disk integer MB
---@field volumes table<string, boolean>
---@field enterprise boolean

local function check_name(r, at, t)
  local name = t.Name or ""
  r:want(name ~= "", at, "Name", "is needed")
  r:want(name ~= "alloc", at, "Name", "alloc is not allowed, it is a directory's name")
  r:want(not name:find("[/\\]"), at, "Name", "must have no slash")
  r:want(not name:find("\0", 1, true), at, "Name", "must have no null character")
  r:want((t.Driver or "") ~= "", at, "Driver", "is needed")
end

local function check_times(r, at, t, around)
  local kill, update = t.KillTimeout or 0, around.update
  if kill == 0 then
    kill = 5000000000
  end
  if
    r:want(kill >= 0, at, "KillTimeout", "must not be negative")
    and around.type == "service"
    and update
    and update.ProgressDeadline > 0
  then
    r:want(
      kill <= update.ProgressDeadline,
      at,
      "KillTimeout",
      "must not be more than ProgressDeadline (%t)",
      update.ProgressDeadline
    )
  end
  r:want((t.ShutdownDelay or 0) >= 0, at, "ShutdownDelay", "must not be negative")
end

local function check_actions(r, at, t)
  local seen = {}
  for _, action, place in each(at, "Actions", t.Actions) do
    local name = action.Name or ""
    r:want((action.Command or "") ~= "", place, "Command", "is needed")
    r:want(
      #name >= 1
        and utf8.len(name, 1, -1, true)
        and utf8.len(name, 1, -1, true) <= 128
        and not name:find("[%z\t\n\f\r ]"),
      place,
      "Name",
      "%q is no name; allowed are up to 128 signs without white space",
      name
    )
    r:want(not seen[name], place, "Name", "%q is there twice in the task", name)
    seen[name] = true
  end
end

local HOOKS = common.set("prestart", "poststart", "poststop")

local function check_lifecycle(r, at, t)
  local lifecycle = t.Lifecycle
  if lifecycle then
    r:want(
      HOOKS[lifecycle.Hook],
      { up = at, key = "Lifecycle" },
      "Hook",
      "%q is not allowed, only prestart, poststart, poststop",
      lifecycle.Hook or ""
    )
  end
end

--- A task that says it is a sidecar's proxy needs the service whose proxy it is.
local function check_kind(r, at, t, job, group)
  local owner = (t.Kind or ""):match("^connect%-proxy:(.+)$")
  if not owner then
    return
  end
  r:want(not common.some(t.Services), at, "Services", "is not allowed in a proxy's task")
  r:want(not t.Leader, at, "Leader", "is not allowed in a proxy's task")
  for _, s in each(nil, "Services", group.Services) do
    if s.Connect and s.Connect.SidecarService and service.name(s, job, group) == owner then
      return
    end
  end
  r:err(at, "Kind", "there is no service %q with a sidecar in the group", owner)
end

local PLUGINS = common.set("node", "controller", "monolith")

local function check_plugin(r, at, t)
  local plugin = t.CSIPluginConfig
  if not plugin then
    return
  end
  local place = { up = at, key = "CSIPluginConfig" }
  r:want((plugin.ID or "") ~= "", place, "ID", "is needed")
  r:want(
    PLUGINS[plugin.Type],
    place,
    "Type",
    "%q is not allowed, only node, controller, monolith",
    plugin.Type or ""
  )
  local mount, stage = plugin.MountDir or "", plugin.StagePublishBaseDir or ""
  mount = mount ~= "" and mount or "/csi"
  stage = stage ~= "" and stage or "/local/csi"
  r:want(
    stage:sub(1, #mount) ~= mount,
    place,
    "StagePublishBaseDir",
    "must not lie in MountDir (%s)",
    mount
  )
end

--- Rules by the field without which they have nothing to say.
local RULES = {
  Resources = function(r, at, t, around)
    resources.check(r, at, t.Resources, around.enterprise)
  end,
  LogConfig = function(r, at, t, around)
    resources.logs(r, at, t.LogConfig, around.disk)
  end,
  Constraints = function(r, at, t)
    placement.constraints(r, at, t, "task")
  end,
  Affinities = function(r, at, t, around)
    placement.affinities(r, at, t, around.type)
  end,
  Services = function(r, at, t, around)
    task_service.check(r, at, around.job, around.group, t)
  end,
  Artifacts = files.artifacts,
  Templates = files.templates,
  DispatchPayload = files.payload,
  Actions = check_actions,
  Lifecycle = check_lifecycle,
  Kind = function(r, at, t, around)
    check_kind(r, at, t, around.job, around.group)
  end,
  VolumeMounts = function(r, at, t, around)
    volume.mounts(r, at, t, around.volumes)
  end,
  CSIPluginConfig = check_plugin,
  Identity = function(r, at, t)
    if not t.Identities then
      identity.tasks(r, at, t)
    end
  end,
  Identities = identity.tasks,
  Vault = function(r, at, t, around)
    identity.vault(r, at, t, around.job, around.enterprise)
  end,
  Consul = function(r, at, t, around)
    identity.consul(r, at, t, around.group, around.enterprise)
  end,
  Secrets = identity.secrets,
  Schedule = function(r, at, t, around)
    r:want(around.enterprise or not t.Schedule.Cron, at, "Schedule", "needs Nomad Enterprise")
  end,
}

---@param r jobspec.Report
---@param at jobspec.Place
---@param t table
---@param around jobspec.validate.Around
function task.check(r, at, t, around)
  check_name(r, at, t)
  check_times(r, at, t, around)
  if not t.LogConfig then
    resources.logs(r, at, nil, around.disk)
  end
  for key in next, t do
    local rule = RULES[key]
    if rule then
      rule(r, at, t, around)
    end
  end
end

return task
