--- task: the defaults of tasks that the agent fills in.

local json = require "host.json"
local resources = require "nomad.jobspec.canonical.resources"
local service = require "nomad.jobspec.canonical.service"
local tools = require "nomad.jobspec.canonical.tools"

local task = {}

local SECOND = tools.SECOND

-- path.Base and filepath.Join, as far as they matter here.
local function file_destination(source)
  local base = source:gsub("/+$", ""):match("[^/]*$")
  if source == "" then
    base = "."
  elseif base == "" then
    base = "/"
  end
  if base == "." or base == "/" then
    return "local"
  end
  return base == ".." and "." or "local/" .. base
end

local function canonicalize_artifact(self)
  tools.fill(self, { GetterMode = "any", GetterInsecure = false, GetterSource = "" })
  tools.drop_empty(self, "GetterOptions", "GetterHeaders")
  if self.RelativeDest == nil then
    self.RelativeDest = self.GetterMode == "file" and file_destination(self.GetterSource)
      or "local/"
  end
end

local function canonicalize_template(self)
  tools.fill(self, {
    SourcePath = "",
    DestPath = "",
    EmbeddedTmpl = "",
    ChangeMode = "restart",
    Once = false,
    Splay = 5 * SECOND,
    Perms = "0644",
    LeftDelim = "{{",
    RightDelim = "}}",
    Envvars = false,
    ErrMissingKey = false,
    VaultGrace = 0,
  })
  if self.ChangeSignal == nil then
    self.ChangeSignal = self.ChangeMode == "signal" and "SIGHUP" or ""
  else
    self.ChangeSignal = self.ChangeSignal:upper()
  end
  if self.ChangeScript then
    tools.fill(self.ChangeScript, {
      Command = "",
      Args = json.array {},
      Timeout = 5 * SECOND,
      FailOnError = false,
      RunOnFirstRender = false,
    })
  end
end

local function canonicalize_vault(self, job)
  tools.fill(self, {
    Env = true,
    DisableFile = false,
    Namespace = "",
    ChangeMode = "restart",
    ChangeSignal = "SIGHUP",
    AllowTokenExpiration = false,
  })
  tools.fill_empty(self, "Cluster", "default")
  if self.Namespace == "" then
    self.Namespace = job.VaultNamespace or ""
  end
end

local function canonicalize_plugin(self)
  tools.fill_empty(self, "MountDir", "/csi")
  tools.fill_empty(self, "StagePublishBaseDir", "/local/csi")
  if (self.HealthTimeout or 0) == 0 then
    self.HealthTimeout = 30 * SECOND
  end
end

-- Blocks that a task may have, each with its own defaults.
local function canonicalize_blocks(self, job)
  for _, artifact in ipairs(tools.each(self.Artifacts)) do
    canonicalize_artifact(artifact)
  end
  for _, template in ipairs(tools.each(self.Templates)) do
    canonicalize_template(template)
  end
  for _, secret in ipairs(tools.each(self.Secrets)) do
    tools.drop_empty(secret, "Config", "Env")
  end
  for _, policy in ipairs(tools.each(self.ScalingPolicies)) do
    tools.fill(policy, { Enabled = true, Min = 0, Max = -1 })
  end
  if self.Vault then
    canonicalize_vault(self.Vault, job)
  end
  if self.Consul then
    tools.fill_empty(self.Consul, "Cluster", "default")
  end
  if self.CSIPluginConfig then
    canonicalize_plugin(self.CSIPluginConfig)
  end
end

--- The agent's part.
---@param self table
---@param group table with its own defaults already
---@param job table
---@param at_least fun(version: string): boolean
function task.canonicalize(self, group, job, at_least)
  self.Resources = resources.canonicalize(self.Resources, at_least)
  self.LogConfig = resources.logs(self.LogConfig)
  self.RestartPolicy = tools.merged(group.RestartPolicy, self.RestartPolicy)
  tools.fill(self, { KillTimeout = 5 * SECOND })
  tools.drop_empty(
    self,
    "Artifacts",
    "Templates",
    "Secrets",
    "ScalingPolicies",
    "Services",
    "Actions"
  )
  self.VolumeMounts = resources.mounts(self.VolumeMounts)
  canonicalize_blocks(self, job)
  for _, affinity in ipairs(tools.each(self.Affinities)) do
    tools.fill(affinity, { Weight = 50 })
  end
  for _, one in ipairs(tools.each(self.Services)) do
    service.canonicalize(one, self, group, job, at_least)
  end
  if self.Lifecycle and (self.Lifecycle.Hook or "") == "" and not at_least "1.11.0" then
    self.Lifecycle = nil
  end
  if self.Schedule and not self.Schedule.Cron then
    self.Schedule = nil
  end
end

return task
