--- fields: the fields of Nomad's job structs and the defaults that its servers fill in, for each version.

local json = require "host.json"

local fields = {}

local NULL = json.null
local SECOND = 1000000000
local MINUTE, HOUR = 60 * SECOND, 3600 * SECOND

local function merged(...)
  local out = {}
  for _, part in ipairs { ... } do
    for k, v in pairs(part) do
      out[k] = v
    end
  end
  return out
end

-- json.null stands for a field that is null unless it is given.
local JOB = {
  Affinities = NULL,
  AllAtOnce = false,
  Constraints = NULL,
  ConsulNamespace = "",
  CreateIndex = 0,
  Datacenters = NULL,
  DispatchIdempotencyToken = "",
  Dispatched = false,
  ID = "",
  JobModifyIndex = 0,
  Meta = NULL,
  ModifyIndex = 0,
  Multiregion = NULL,
  Name = "",
  Namespace = "default",
  NomadTokenID = "",
  ParameterizedJob = NULL,
  ParentID = "",
  Payload = NULL,
  Periodic = NULL,
  Priority = 50,
  Region = "global",
  Spreads = NULL,
  Stable = false,
  Status = "",
  StatusDescription = "",
  Stop = false,
  SubmitTime = 0,
  TaskGroups = NULL,
  Type = "service",
  Update = NULL,
  VaultNamespace = "",
  Version = 0,
}

local GROUP = {
  Affinities = NULL,
  Constraints = NULL,
  Consul = NULL,
  Count = 1,
  EphemeralDisk = { Migrate = false, SizeMB = 300, Sticky = false },
  MaxClientDisconnect = NULL,
  Meta = NULL,
  Migrate = NULL,
  Name = "",
  Networks = NULL,
  ReschedulePolicy = NULL,
  RestartPolicy = NULL,
  Scaling = NULL,
  Services = NULL,
  ShutdownDelay = NULL,
  Spreads = NULL,
  StopAfterClientDisconnect = NULL,
  Tasks = NULL,
  Update = NULL,
  Volumes = NULL,
}

local RESOURCES = {
  CPU = 100,
  Cores = 0,
  Devices = NULL,
  DiskMB = 0,
  IOPS = 0,
  MemoryMB = 300,
  MemoryMaxMB = 0,
  Networks = NULL,
}

local TASK = {
  Affinities = NULL,
  Artifacts = NULL,
  CSIPluginConfig = NULL,
  Config = NULL,
  Constraints = NULL,
  DispatchPayload = NULL,
  Driver = "",
  Env = NULL,
  KillSignal = "",
  KillTimeout = 5 * SECOND,
  Kind = "",
  Leader = false,
  Lifecycle = NULL,
  LogConfig = { MaxFileSizeMB = 10, MaxFiles = 10 },
  Meta = NULL,
  Name = "",
  Resources = RESOURCES,
  RestartPolicy = NULL,
  ScalingPolicies = NULL,
  Services = NULL,
  ShutdownDelay = 0,
  Templates = NULL,
  User = "",
  Vault = NULL,
  VolumeMounts = NULL,
}

local TEMPLATE = {
  ChangeMode = "restart",
  ChangeScript = NULL,
  ChangeSignal = "",
  DestPath = "",
  EmbeddedTmpl = "",
  Envvars = false,
  ErrMissingKey = false,
  Gid = NULL,
  LeftDelim = "{{",
  Perms = "0644",
  RightDelim = "}}",
  SourcePath = "",
  Splay = 5 * SECOND,
  Uid = NULL,
  VaultGrace = 0,
  Wait = NULL,
}

local PERIODIC = {
  Enabled = true,
  ProhibitOverlap = false,
  Spec = "",
  SpecType = "cron",
  TimeZone = "UTC",
}

local PARAMETERIZED = { MetaOptional = NULL, MetaRequired = NULL, Payload = "optional" }

local IDENTITY = {
  Audience = json.array { "nomadproject.io" },
  ChangeMode = "",
  ChangeSignal = "",
  Env = false,
  File = false,
  Filepath = "",
  Name = "default",
  ServiceName = "",
  TTL = 0,
}

local NO_UPDATE = {
  AutoPromote = false,
  AutoRevert = false,
  Canary = 0,
  HealthCheck = "",
  HealthyDeadline = 0,
  MaxParallel = 0,
  MinHealthyTime = 0,
  ProgressDeadline = 0,
  Stagger = 0,
}

local GROUP_UPDATE = merged(NO_UPDATE, {
  HealthCheck = "checks",
  HealthyDeadline = 5 * MINUTE,
  MaxParallel = 1,
  MinHealthyTime = 10 * SECOND,
  ProgressDeadline = 10 * MINUTE,
  Stagger = 30 * SECOND,
})

local MIGRATE = {
  HealthCheck = "checks",
  HealthyDeadline = 5 * MINUTE,
  MaxParallel = 1,
  MinHealthyTime = 10 * SECOND,
}

local RESCHEDULE_SERVICE = {
  Attempts = 0,
  Delay = 30 * SECOND,
  DelayFunction = "exponential",
  Interval = 0,
  MaxDelay = HOUR,
  Unlimited = true,
}

local RESCHEDULE_BATCH = {
  Attempts = 1,
  Delay = 5 * SECOND,
  DelayFunction = "constant",
  Interval = 24 * HOUR,
  MaxDelay = 0,
  Unlimited = false,
}

local RESTART_SERVICE =
  { Attempts = 2, Delay = 15 * SECOND, Interval = 30 * MINUTE, Mode = "fail" }
local RESTART_BATCH = { Attempts = 3, Delay = 15 * SECOND, Interval = 24 * HOUR, Mode = "fail" }

local UPDATED_TYPES = { service = true }
local UPDATED_TYPES_NEW = { service = true, system = true }

--- What is the same for the oldest and the newest Nomad that are modelled.
local function base()
  return {
    job = JOB,
    group = GROUP,
    task = TASK,
    resources = RESOURCES,
    template = TEMPLATE,
    periodic = PERIODIC,
    parameterized = PARAMETERIZED,
    update = { none = NO_UPDATE, group = GROUP_UPDATE, types = UPDATED_TYPES },
    migrate = MIGRATE,
    reschedule = { service = RESCHEDULE_SERVICE, batch = RESCHEDULE_BATCH },
    restart = { service = RESTART_SERVICE, batch = RESTART_BATCH },
  }
end

--- The structs of one version.
---@param modern boolean 1.11's, else 1.4's
function fields.of(modern)
  local all = base()
  if not modern then
    all.job = merged(JOB, { ConsulToken = "", VaultToken = "" })
    all.group = merged(GROUP, { Consul = { Namespace = "" } })
    return all
  end
  all.job = merged(JOB, { NodePool = "default", UI = NULL, VersionTag = NULL })
  all.group = merged(GROUP, { Disconnect = NULL, PreventRescheduleOnLost = false })
  all.resources = merged(RESOURCES, { NUMA = NULL, SecretsMB = 0 })
  all.task = merged(TASK, {
    Actions = NULL,
    Consul = NULL,
    Identities = NULL,
    Identity = IDENTITY,
    LogConfig = { Disabled = false, MaxFileSizeMB = 10, MaxFiles = 10 },
    Resources = all.resources,
    Schedule = NULL,
    Secrets = NULL,
  })
  all.template = merged(TEMPLATE, { Once = false })
  all.periodic = merged(PERIODIC, { Specs = json.array {} })
  all.update = { none = NO_UPDATE, group = GROUP_UPDATE, types = UPDATED_TYPES_NEW }
  all.restart = {
    service = merged(RESTART_SERVICE, { RenderTemplates = false }),
    batch = merged(RESTART_BATCH, { RenderTemplates = false }),
  }
  return all
end

return fields
