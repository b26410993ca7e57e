-- bases: valid jobs that between them have every object and every field that a job without Nomad Enterprise may have.
local bases = {}

local second = 1000000000
local minute = 60 * second

local function task(more)
  local made = { Name = "main", Driver = "raw_exec", Config = { command = "/bin/true" } }
  for key, value in pairs(more or {}) do
    made[key] = value
  end
  return made
end

local function job(id, type, groups, more)
  local made = { ID = id, Type = type, Datacenters = { "dc1" }, TaskGroups = groups }
  for key, value in pairs(more or {}) do
    made[key] = value
  end
  return made
end

local function constraint(operand, value)
  return { LTarget = "${attr.kernel.name}", Operand = operand or "=", RTarget = value or "linux" }
end

local function affinity()
  return { LTarget = "${node.datacenter}", Operand = "=", RTarget = "dc1", Weight = 50 }
end

local function restart()
  return {
    Attempts = 2,
    Delay = 15 * second,
    Interval = 30 * minute,
    Mode = "delay",
    RenderTemplates = true,
  }
end

local function update()
  return {
    Stagger = 30 * second,
    MaxParallel = 2,
    HealthCheck = "checks",
    MinHealthyTime = 10 * second,
    HealthyDeadline = 5 * minute,
    ProgressDeadline = 10 * minute,
    Canary = 1,
    AutoRevert = true,
    AutoPromote = true,
  }
end

local function migrate()
  return {
    MaxParallel = 1,
    HealthCheck = "task_states",
    MinHealthyTime = 5 * second,
    HealthyDeadline = 2 * minute,
  }
end

local function spread()
  return {
    Attribute = "${node.datacenter}",
    Weight = 100,
    SpreadTarget = { { Value = "dc1", Percent = 60 }, { Value = "dc2", Percent = 40 } },
  }
end

local function identity(name)
  return {
    Name = name,
    Audience = { "example.org" },
    ChangeMode = "signal",
    ChangeSignal = "SIGHUP",
    Env = true,
    File = true,
    Filepath = "local/token",
    ServiceName = "",
    TTL = 60 * minute,
  }
end

local function check_restart()
  return { Limit = 3, Grace = 10 * second, IgnoreWarnings = false }
end

local function http_check()
  return {
    Name = "alive",
    Type = "http",
    Path = "/health",
    Protocol = "https",
    PortLabel = "http",
    Method = "GET",
    Body = "{}",
    Header = { Accept = { "text/html" } },
    Expose = false,
    AddressMode = "host",
    Advertise = "",
    Interval = 10 * second,
    Timeout = 2 * second,
    InitialStatus = "passing",
    Notes = "a note",
    TLSServerName = "example.org",
    TLSSkipVerify = true,
    CheckRestart = check_restart(),
    SuccessBeforePassing = 1,
    FailuresBeforeCritical = 2,
    FailuresBeforeWarning = 1,
    OnUpdate = "require_healthy",
  }
end

local function grpc_check()
  return {
    Name = "rpc",
    Type = "grpc",
    PortLabel = "http",
    GRPCService = "health",
    GRPCUseTLS = true,
    Interval = 10 * second,
    Timeout = 2 * second,
  }
end

local function script_check()
  return {
    Name = "script",
    Type = "script",
    Command = "/bin/true",
    Args = { "-x" },
    TaskName = "main",
    Interval = 10 * second,
    Timeout = 2 * second,
  }
end

local function service()
  return {
    Name = "web",
    Tags = { "a" },
    CanaryTags = { "b" },
    EnableTagOverride = true,
    PortLabel = "http",
    AddressMode = "auto",
    Address = "example.org",
    TaskName = "main",
    Checks = { http_check(), grpc_check(), script_check() },
    CheckRestart = check_restart(),
    Meta = { a = "b" },
    CanaryMeta = { a = "c" },
    TaggedAddresses = { wan = "198.51.100.1" },
    OnUpdate = "require_healthy",
    Identity = identity("web"),
    Provider = "consul",
    Weights = { Passing = 3, Warning = 1 },
    Cluster = "default",
    Kind = "api-gateway",
  }
end

local function port(label, value)
  return { Label = label, Value = value, To = 8080, HostNetwork = "default" }
end

local function network(mode)
  return {
    Mode = mode,
    Device = "eth0",
    CIDR = "",
    IP = "",
    Hostname = "web",
    MBits = 10,
    DNS = { Servers = { "192.0.2.1" }, Searches = { "example.org" }, Options = { "ndots:2" } },
    ReservedPorts = { port("admin", 9000) },
    DynamicPorts = { port("http") },
    CNI = { Args = { key = "value" } },
  }
end

local function resources()
  return {
    CPU = 100,
    MemoryMB = 64,
    MemoryMaxMB = 128,
    SecretsMB = 1,
    DiskMB = 0,
    IOPS = 0,
    Devices = {
      {
        Name = "nvidia/gpu",
        Count = 1,
        Constraints = { constraint(">=", "2") },
        Affinities = { affinity() },
      },
    },
    NUMA = { Affinity = "none", Devices = { "nvidia/gpu" } },
  }
end

local function templates()
  return {
    {
      SourcePath = "local/in",
      DestPath = "local/out",
      ChangeMode = "script",
      Once = true,
      ChangeScript = {
        Command = "/bin/true",
        Args = { "-x" },
        Timeout = 5 * second,
        FailOnError = true,
      },
      Splay = 5 * second,
      Perms = "0600",
      Uid = 1000,
      Gid = 1000,
      LeftDelim = "[[",
      RightDelim = "]]",
      Envvars = false,
      VaultGrace = 0,
      Wait = { Min = second, Max = 5 * second },
      ErrMissingKey = true,
    },
    {
      EmbeddedTmpl = "x",
      DestPath = "secrets/env",
      ChangeMode = "signal",
      ChangeSignal = "SIGUSR1",
    },
  }
end

local function artifacts()
  return {
    {
      GetterSource = "https://example.org/a.tgz",
      GetterMode = "any",
      GetterInsecure = true,
      GetterOptions = { checksum = "md5:" .. ("0"):rep(32), archive = "false" },
      GetterHeaders = { Accept = "*/*" },
      RelativeDest = "local/a",
      Chown = true,
    },
  }
end

local function full_task()
  return task {
    User = "nobody",
    Constraints = { constraint() },
    Affinities = { affinity() },
    Env = { A = "b" },
    Meta = { a = "b" },
    Resources = resources(),
    RestartPolicy = restart(),
    KillTimeout = 10 * second,
    KillSignal = "SIGTERM",
    ShutdownDelay = second,
    Leader = true,
    LogConfig = { MaxFiles = 2, MaxFileSizeMB = 5, Disabled = false, Enabled = true },
    Artifacts = artifacts(),
    Templates = templates(),
    Consul = { Cluster = "default" },
    Vault = {
      Policies = { "p" },
      Role = "r",
      Namespace = "",
      Cluster = "default",
      Env = true,
      DisableFile = true,
      ChangeMode = "signal",
      ChangeSignal = "SIGHUP",
      AllowTokenExpiration = true,
    },
    VolumeMounts = {
      {
        Volume = "data",
        Destination = "/data",
        ReadOnly = true,
        PropagationMode = "private",
        SELinuxLabel = "z",
      },
    },
    Identity = { Name = "default", Env = true, File = true },
    Identities = { identity("other") },
    Actions = { { Name = "look", Command = "/bin/ls", Args = { "-l" } } },
    Secrets = {
      { Name = "one", Provider = "nomad", Path = "a/b", Config = { namespace = "default" } },
      { Name = "two", Provider = "plugin", Path = "a/b", Env = { A = "b" } },
    },
    Kind = "",
    ScalingPolicies = { { Type = "vertical_cpu", Min = 10, Max = 100 } },
    Schedule = {},
  }
end

local function full_group()
  return {
    Name = "group",
    Count = 2,
    Constraints = { constraint("regexp", "^lin(ux)?$") },
    Affinities = { affinity() },
    Spreads = { spread() },
    RestartPolicy = restart(),
    Disconnect = { LostAfter = minute, Replace = true, Reconcile = "longest_running" },
    ReschedulePolicy = {
      Attempts = 3,
      Interval = 60 * minute,
      Delay = 30 * second,
      DelayFunction = "fibonacci",
      MaxDelay = 10 * minute,
      Unlimited = false,
    },
    EphemeralDisk = { Sticky = true, Migrate = true, SizeMB = 200 },
    Update = update(),
    Migrate = migrate(),
    Networks = { network("bridge") },
    Meta = { a = "b" },
    Services = { service() },
    ShutdownDelay = second,
    MaxClientDisconnect = minute,
    PreventRescheduleOnLost = false,
    Consul = { Namespace = "", Cluster = "default", Partition = "" },
    Scaling = {
      Min = 1,
      Max = 5,
      Enabled = true,
      Type = "horizontal",
      Policy = { cooldown = "1m" },
    },
    Volumes = {
      data = {
        Name = "data",
        Type = "host",
        Source = "data",
        ReadOnly = true,
        Sticky = true,
        AccessMode = "single-node-writer",
        AttachmentMode = "file-system",
        PerAlloc = false,
      },
    },
    Tasks = {
      full_task(),
      task { Name = "before", Lifecycle = { Hook = "prestart", Sidecar = true } },
    },
  }
end

function bases.full()
  return job("full", "service", { full_group() }, {
    Name = "Full",
    Namespace = "default",
    Region = "global",
    Priority = 60,
    AllAtOnce = false,
    NodePool = "default",
    Constraints = { constraint("version", ">= 1.2, < 2") },
    Affinities = { affinity() },
    Spreads = { spread() },
    Update = update(),
    Migrate = migrate(),
    Reschedule = { Unlimited = false },
    Meta = { owner = "team" },
    UI = { Description = "text", Links = { { Label = "a", URL = "https://example.org" } } },
    VersionTag = { Name = "v1", Description = "text", TaggedTime = 1 },
    Stop = false,
    Multiregion = { Strategy = { MaxParallel = 1, OnFailure = "fail_all" } },
  })
end

function bases.periodic()
  return job("periodic", "batch", { { Name = "g", Tasks = { task() } } }, {
    Periodic = {
      Enabled = true,
      Specs = { "0 3 * * *", "@daily" },
      SpecType = "cron",
      ProhibitOverlap = true,
      TimeZone = "Europe/Berlin",
    },
  })
end

function bases.parameterized()
  local main = task { DispatchPayload = { File = "input" } }
  return job("parameterized", "batch", {
    {
      Name = "g",
      Tasks = { main },
      StopAfterClientDisconnect = minute,
      ReschedulePolicy = {
        Attempts = 2,
        Interval = 60 * minute,
        Delay = 10 * second,
        DelayFunction = "exponential",
        MaxDelay = 2 * minute,
        Unlimited = false,
      },
      Disconnect = { StopOnClientAfter = minute },
    },
  }, {
    ParameterizedJob = { Payload = "required", MetaRequired = { "a" }, MetaOptional = { "b" } },
  })
end

function bases.system()
  return job("system", "system", { { Name = "g", Tasks = { task() }, Update = update() } })
end

function bases.sysbatch()
  return job("sysbatch", "sysbatch", { { Name = "g", Tasks = { task() } } }, {
    Periodic = { Spec = "*/15 * * * *" },
  })
end

function bases.csi()
  local volume = {
    Name = "data",
    Type = "csi",
    Source = "vol",
    ReadOnly = false,
    AccessMode = "single-node-writer",
    AttachmentMode = "file-system",
    PerAlloc = true,
    MountOptions = { FSType = "ext4", MountFlags = { "noatime" } },
  }
  local plugin = task {
    Name = "plugin",
    CSIPluginConfig = {
      ID = "plugin",
      Type = "monolith",
      MountDir = "/csi",
      StagePublishBaseDir = "/local/csi",
      HealthTimeout = 30 * second,
    },
  }
  local user = task { VolumeMounts = { { Volume = "data", Destination = "/data" } } }
  return job("csi", "service", {
    { Name = "g", Count = 2, Volumes = { data = volume }, Tasks = { user, plugin } },
  })
end

local function connected(id, connect, more, mode)
  local service_made = { Name = id, PortLabel = "9000", Connect = connect }
  for key, value in pairs(more or {}) do
    service_made[key] = value
  end
  return job(id, "service", {
    {
      Name = "g",
      Networks = { { Mode = mode or "bridge" } },
      Services = { service_made },
      Tasks = { task() },
    },
  })
end

local function sidecar_task()
  return {
    Name = "proxy",
    Driver = "docker",
    User = "envoy",
    Config = { image = "envoy" },
    Env = { A = "b" },
    Resources = { CPU = 50, MemoryMB = 32 },
    Meta = { a = "b" },
    KillTimeout = 10 * second,
    ShutdownDelay = second,
    KillSignal = "SIGINT",
    LogConfig = { MaxFiles = 3, MaxFileSizeMB = 3 },
    Identities = { identity("proxy") },
    VolumeMounts = {},
  }
end

function bases.sidecar()
  local proxy = {
    LocalServiceAddress = "127.0.0.1",
    LocalServicePort = 9000,
    Config = { a = 1 },
    ExposeConfig = { Path = {} },
    Expose = {
      Paths = {
        { Path = "/m", Protocol = "http", LocalPathPort = 9001, ListenerPort = "metrics" },
      },
      Path = {},
    },
    Upstreams = {
      {
        DestinationName = "db",
        DestinationNamespace = "",
        DestinationPeer = "",
        DestinationPartition = "",
        DestinationType = "service",
        LocalBindPort = 5432,
        Datacenter = "dc2",
        LocalBindAddress = "127.0.0.1",
        LocalBindSocketPath = "",
        LocalBindSocketMode = "",
        MeshGateway = { Mode = "local" },
        Config = { a = 1 },
      },
    },
  }
  return connected(
    "sidecar",
    {
      SidecarService = {
        Tags = { "a" },
        Port = "proxy",
        Proxy = proxy,
        DisableDefaultTCPCheck = true,
        Meta = { a = "b" },
      },
      SidecarTask = sidecar_task(),
    },
    {
      Checks = {
        {
          Name = "open",
          Type = "http",
          Path = "/health",
          Expose = true,
          Interval = 10 * second,
          Timeout = second,
        },
      },
    }
  )
end

function bases.transparent()
  return connected("transparent", {
    SidecarService = {
      Proxy = {
        TransparentProxy = {
          UID = "101",
          OutboundPort = 15001,
          ExcludeInboundPorts = { "22" },
          ExcludeOutboundPorts = { 53 },
          ExcludeOutboundCIDRs = { "10.0.0.0/8" },
          ExcludeUIDs = { "0" },
          NoDNS = true,
        },
      },
    },
  })
end

function bases.native()
  return connected("native", { Native = true })
end

local function tls()
  return {
    Enabled = true,
    TLSMinVersion = "TLSv1_2",
    TLSMaxVersion = "TLSv1_3",
    CipherSuites = { "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" },
    SDS = { ClusterName = "sds", CertResource = "cert" },
  }
end

function bases.ingress()
  local headers = { Add = { a = "b" }, Set = { c = "d" }, Remove = { "e" } }
  return connected("ingress", {
    Gateway = {
      Proxy = {
        ConnectTimeout = 5 * second,
        EnvoyGatewayBindTaggedAddresses = true,
        EnvoyGatewayBindAddresses = { a = { Name = "a", Address = "192.0.2.1", Port = 80 } },
        EnvoyGatewayNoDefaultBind = true,
        EnvoyDNSDiscoveryType = "STRICT_DNS",
        Config = { a = 1 },
      },
      Ingress = {
        TLS = tls(),
        Listeners = {
          {
            Port = 8080,
            Protocol = "http",
            Services = {
              {
                Name = "web",
                Hosts = { "example.org" },
                TLS = tls(),
                RequestHeaders = headers,
                ResponseHeaders = headers,
                MaxConnections = 10,
                MaxPendingRequests = 10,
                MaxConcurrentRequests = 10,
              },
            },
          },
        },
      },
    },
  }, nil, "host")
end

function bases.terminating()
  return connected("terminating", {
    Gateway = {
      Terminating = {
        Services = {
          {
            Name = "legacy",
            CAFile = "ca",
            CertFile = "cert",
            KeyFile = "key",
            SNI = "example.org",
          },
        },
      },
    },
  })
end

function bases.mesh()
  return connected("mesh", { Gateway = { Mesh = {} } }, { PortLabel = "wan" })
end

function bases.native_discovery()
  local made = job("discovery", "service", {
    {
      Name = "g",
      Networks = {
        {
          ReservedPorts = { { Label = "admin", Value = 9000, IgnoreCollision = true } },
          DynamicPorts = { { Label = "http" } },
        },
      },
      Tasks = {
        task {
          Services = {
            {
              Name = "${JOB}-web",
              Provider = "nomad",
              PortLabel = "http",
              Checks = {
                {
                  Type = "tcp",
                  Interval = 10 * second,
                  Timeout = second,
                },
              },
            },
          },
        },
      },
    },
  })
  return made
end

function bases.task_network()
  return job("old", "batch", {
    {
      Name = "g",
      Tasks = {
        task {
          Resources = {
            Cores = 1,
            Networks = { { MBits = 1, ReservedPorts = { { Label = "a", Value = 99 } } } },
          },
        },
      },
    },
  })
end

-- Refused without Nomad Enterprise; with it, these are valid.
function bases.enterprise()
  local made = bases.periodic()
  made.ID = "enterprise"
  made.Multiregion = {
    Strategy = { MaxParallel = 1, OnFailure = "fail_local" },
    Regions = {
      {
        Name = "west",
        Count = 1,
        Datacenters = { "dc1" },
        NodePool = "default",
        Meta = { a = "b" },
      },
    },
  }
  made.TaskGroups[1].Tasks[1].Schedule = {
    Cron = { Start = "0 9 * * MON-FRI *", End = "0 17", Timezone = "UTC" },
  }
  return made
end

-- With fields that Nomad 2.0 brought.
function bases.newest()
  local made = bases.periodic()
  made.ID = "newest"
  made.TaskGroups[1].MaxRunDuration = 60 * minute
  made.TaskGroups[1].Tasks[1].Identities = { { Name = "other", ExtraClaims = { "a" } } }
  made.TaskGroups[1].Tasks[1].Templates = {
    {
      EmbeddedTmpl = "x",
      DestPath = "local/x",
      ChangeMode = "script",
      ChangeScript = { Command = "/bin/true", RunOnFirstRender = true },
    },
  }
  return made
end

-- The names in a fixed order.
bases.names = {
  "full",
  "periodic",
  "parameterized",
  "system",
  "sysbatch",
  "csi",
  "sidecar",
  "transparent",
  "native",
  "ingress",
  "terminating",
  "mesh",
  "native_discovery",
  "task_network",
  "enterprise",
  "newest",
}

return bases
