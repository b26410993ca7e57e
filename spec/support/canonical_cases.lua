-- canonical_cases: jobs in which fields depend on each other: what is inherited, what is implied, what is added.
local json = require "host.json"

local function task(over)
  local result = { Name = "t", Driver = "raw_exec", Config = { command = "/bin/true" } }
  for name, value in pairs(over or {}) do
    result[name] = value
  end
  return result
end

local function job(over, group)
  local one = { Name = "g", Tasks = { task() } }
  for name, value in pairs(group or {}) do
    one[name] = value
  end
  local result = { ID = "x", Datacenters = { "dc1" }, TaskGroups = { one } }
  for name, value in pairs(over or {}) do
    result[name] = value
  end
  return result
end

local SECOND = 1000000000

local function check(over)
  local result = { Type = "http", Path = "/", Interval = 10 * SECOND, Timeout = 2 * SECOND }
  for name, value in pairs(over or {}) do
    result[name] = value
  end
  return result
end

local function service(over, network)
  local one = { Name = "s", PortLabel = "9001" }
  for name, value in pairs(over) do
    one[name] = value
  end
  return job({}, { Networks = { network or { Mode = "bridge" } }, Services = { one } })
end

local function signal_task(name, over)
  local result = task(over)
  result.Name = name
  return result
end

local function template(over)
  local result = { EmbeddedTmpl = "x", DestPath = "local/x" }
  for name, value in pairs(over) do
    result[name] = value
  end
  return task { Templates = { result } }
end

local cases = {
  ["keys in any case"] = {
    ID = "x",
    datacenters = { "dc1" },
    PRIORITY = 60,
    taskgroups = {
      { name = "g", count = 2, tasks = { { name = "t", driver = "raw_exec", config = {} } } },
    },
  },
  ["no datacenters"] = { ID = "x", TaskGroups = { { Name = "g", Tasks = { task() } } } },
  ["no priority"] = job { Priority = 0 },
  ["a name and a namespace"] = job { Name = "other", Namespace = "", Region = "global" },
  ["an empty name"] = job { Name = "n", Meta = {}, Constraints = json.array {} },
  ["no updates"] = job { Update = { MaxParallel = 0 } },
  ["update of the job, of the group"] = job(
    { Update = { MaxParallel = 3, Canary = 1, AutoPromote = true } },
    { Update = { MaxParallel = 2, MinHealthyTime = 5 * SECOND } }
  ),
  ["update of the group alone, batch"] = job({ Type = "batch" }, {}),
  ["reschedule of the job"] = job(
    { Reschedule = { Attempts = 3, Interval = 3600 * SECOND, Unlimited = false } },
    { ReschedulePolicy = { Delay = 60 * SECOND } }
  ),
  ["reschedule of the group, batch"] = job({ Type = "batch" }, {
    ReschedulePolicy = { Attempts = 0, Unlimited = false },
  }),
  ["migrate of the job, of the group"] = job(
    { Migrate = { MaxParallel = 4 } },
    { Migrate = { HealthCheck = "task_states" } }
  ),
  ["restart of the group, of the task"] = job({}, {
    RestartPolicy = { Attempts = 5, Interval = 600 * SECOND },
    Tasks = { task { RestartPolicy = { Attempts = 1 } }, signal_task "u" },
  }),
  ["count from scaling"] = job({}, { Scaling = { Min = 2, Max = 4 } }),
  ["scaling of a task"] = job({}, {
    Tasks = {
      task { ScalingPolicies = { { Type = "vertical_cpu", Min = 1, Max = 2, Enabled = false } } },
    },
  }),
  ["volumes that nobody knows"] = job({}, { Volumes = { v = { Name = "v", Type = "odd" } } }),
  ["cores without a share"] = job({}, { Tasks = { task { Resources = { Cores = 2 } } } }),
  ["cores and a share"] = job({}, { Tasks = { task { Resources = { Cores = 0, CPU = 20 } } } }),
  ["no kill timeout"] = job({}, { Tasks = { task { KillTimeout = 0 } } }),
  ["periodic"] = job { Type = "batch", Periodic = { Spec = "0 3 * * *", TimeZone = "" } },
  ["periodic, system batch"] = job {
    Type = "sysbatch",
    Periodic = { Enabled = false, Spec = "@daily", ProhibitOverlap = true },
  },
  ["parameterized"] = job { Type = "batch", ParameterizedJob = { MetaOptional = { "a", "b" } } },
  ["stopped"] = job { Stop = true },
  ["big numbers in config"] = job({}, {
    Tasks = {
      task {
        Config = {
          a = 9007199254740993,
          b = 1e15,
          c = 0.25,
          d = { { x = json.array {} }, {}, "y", true },
        },
      },
    },
  }),
  ["signals"] = job({}, {
    Tasks = {
      signal_task("a", { KillSignal = "SIGUSR1" }),
      template { ChangeMode = "signal", ChangeSignal = "sigint" },
      signal_task("c", template({ ChangeMode = "signal" })),
    },
  }),
  ["signals, and a constraint that says so"] = job({}, {
    Constraints = {
      { LTarget = "${attr.os.signals}", RTarget = "SIGTERM", Operand = "set_contains" },
    },
    Tasks = { task { KillSignal = "SIGTERM" } },
  }),
  ["artifacts"] = job({}, {
    Tasks = {
      task {
        Artifacts = {
          { GetterSource = "https://h/a/b.zip?x=1", GetterMode = "file", GetterOptions = {} },
          { GetterSource = "https://h/a/", GetterMode = "file", GetterHeaders = { a = "b" } },
          { GetterSource = "https://h/a", RelativeDest = "" },
        },
      },
    },
  }),
  ["names made of names"] = job({}, {
    Networks = { { DynamicPorts = { { Label = "http" } } } },
    Services = {
      { PortLabel = "http", Provider = "nomad" },
      { Name = "${BASE}-x", Provider = "nomad" },
    },
    Tasks = {
      task {
        Services = {
          { PortLabel = "http", Provider = "nomad", Checks = { check {} } },
          { Name = "${TASK}-${JOB}-${TASKGROUP}", PortLabel = "http", Provider = "nomad" },
        },
      },
    },
  }),
  ["nomad's services with checks"] = job({}, {
    Networks = { { ReservedPorts = { { Label = "http", Value = 8080 } } } },
    Services = {
      {
        Name = "a",
        PortLabel = "http",
        Provider = "nomad",
        Tags = { "x" },
        Checks = { check { Header = { A = { "b" }, C = json.array {} } } },
      },
    },
  }),
  ["restart by check"] = job({}, {
    Networks = { { DynamicPorts = { { Label = "http" } } } },
    Tasks = {
      task {
        Services = {
          {
            Name = "a",
            PortLabel = "http",
            CheckRestart = { Limit = 3, Grace = 5 * SECOND, IgnoreWarnings = true },
            OnUpdate = "ignore_warnings",
            Checks = {
              check { Name = "c", CheckRestart = { Limit = 0 } },
              check { Name = "d", CheckRestart = { Limit = 4, Grace = 0 } },
              check { Name = "e", OnUpdate = "require_healthy", SuccessBeforePassing = -1 },
            },
          },
        },
      },
    },
  }),
  ["a service of a constrained group"] = job({}, {
    Constraints = { { LTarget = "${attr.consul.version}", RTarget = "1.5", Operand = "semver" } },
    Services = { { Name = "a" } },
  }),
  ["a sidecar"] = service { Connect = { SidecarService = {} } },
  ["a sidecar with its own task"] = service {
    Connect = {
      SidecarService = { Port = "own", Tags = { "t" }, DisableDefaultTCPCheck = true },
      SidecarTask = {
        Name = "own",
        User = "u",
        Config = { extra = true },
        Env = { A = "b" },
        Resources = { MemoryMB = 64 },
        Meta = { m = "n" },
        KillTimeout = SECOND,
        LogConfig = { MaxFiles = 3 },
        ShutdownDelay = 0,
        KillSignal = "SIGTERM",
      },
    },
  },
  ["a sidecar with another driver"] = service {
    Connect = {
      SidecarService = {},
      SidecarTask = { Driver = "exec", Config = { command = "/bin/envoy" } },
    },
  },
  ["a sidecar beside podman"] = job({}, {
    Networks = { { Mode = "bridge" } },
    Tasks = { task { Driver = "podman" } },
    Services = { { Name = "s", PortLabel = "9001", Connect = { SidecarService = {} } } },
  }),
  ["a sidecar of a service with a variable name"] = job({ Meta = { color = "red" } }, {
    Name = "grp",
    Meta = { ["a-b"] = "c" },
    Networks = { { Mode = "bridge" } },
    Services = {
      {
        Name = "${NOMAD_GROUP_NAME}-${NOMAD_META_color}-${NOMAD_META_COLOR}-${NOMAD_JOB_ID}-x",
        PortLabel = "9001",
        Connect = { SidecarService = {} },
      },
    },
  }),
  ["exposed checks"] = service {
    Connect = { SidecarService = {} },
    Checks = {
      check { Expose = true },
      check {
        Name = "n",
        Expose = true,
        Header = { A = { "b", "c" }, B = { "d" } },
        TLSSkipVerify = true,
        Interval = 1500000000,
        SuccessBeforePassing = 2,
        AddressMode = "driver",
        Method = "GET",
      },
      check { Name = "p", Expose = true, PortLabel = "own" },
    },
  },
  ["native"] = service { Connect = { Native = true }, TaskName = "t" },
  ["native, the only task"] = service { Connect = { Native = true }, Checks = { check {} } },
  ["ingress"] = service {
    Connect = {
      Gateway = {
        Ingress = {
          TLS = { Enabled = true, TLSMinVersion = "TLSv1_2", CipherSuites = json.array {} },
          Listeners = {
            { Port = 8080, Services = { { Name = "a" }, { Name = "b" } } },
            { Port = 9090, Protocol = "http", Services = { { Name = "c", Hosts = { "h" } } } },
          },
        },
      },
    },
  },
  ["ingress on the host"] = service({
    Connect = {
      Gateway = {
        Proxy = { ConnectTimeout = SECOND, Config = { a = 1 } },
        Ingress = { Listeners = { { Port = 8080, Services = { { Name = "a" } } } } },
      },
      SidecarTask = { Resources = { CPU = 10 } },
    },
  }, { Mode = "host" }),
  ["terminating"] = service {
    PortLabel = "",
    Connect = { Gateway = { Terminating = { Services = { { Name = "a" } } } } },
  },
  ["mesh"] = service({
    PortLabel = "wan",
    Connect = { Gateway = { Mesh = {} } },
  }, { Mode = "bridge", DynamicPorts = { { Label = "wan" } } }),
  ["transparent"] = service {
    Connect = { SidecarService = { Proxy = { TransparentProxy = {} } } },
  },
  ["identities"] = job({}, {
    Tasks = {
      task {
        Identities = {
          { Name = "aws", Audience = { "x" }, ChangeMode = "signal", ChangeSignal = "sighup" },
          { Env = true, File = true },
        },
      },
    },
  }),
  ["the default identity alone"] = job(
    {},
    { Tasks = { task { Identities = { { Env = true } } } } }
  ),
  ["the default identity, the old way"] = job(
    {},
    { Tasks = { task { Identity = { File = true } } } }
  ),
  ["a service's identity"] = service { Identity = { Audience = { "a" } }, PortLabel = "http" },
  ["a partition"] = job({}, {
    Consul = { Partition = "p" },
    Tasks = { task { Consul = {} } },
  }),
  ["namespaces of Consul and Vault"] = job(
    { ConsulNamespace = "c", VaultNamespace = "v" },
    { Consul = {} }
  ),
  ["secrets of two groups"] = job {
    TaskGroups = {
      {
        Name = "a",
        Tasks = {
          task { Secrets = { { Name = "s", Provider = "nomad", Path = "p", Config = {} } } },
        },
      },
      { Name = "b", Tasks = { task() } },
    },
  },
  ["vault"] = job({}, {
    Tasks = { task { Vault = { ChangeMode = "signal", ChangeSignal = "sigusr1" } } },
  }),
  ["disconnect"] = job({}, { Disconnect = { LostAfter = 60 * SECOND, Replace = false } }),
  ["disconnect, the old way"] = job({}, { MaxClientDisconnect = 60 * SECOND }),
  ["a bridge and a plugin's constraint"] = job({}, {
    Networks = { { Mode = "bridge" } },
    Constraints = {
      { LTarget = "${attr.plugins.cni.version.firewall}", RTarget = ">= 1", Operand = "semver" },
    },
  }),
  ["affinities and spreads"] = job({
    Affinities = { { LTarget = "${node.datacenter}", RTarget = "dc1", Operand = "=" } },
    Spreads = { { Attribute = "${node.datacenter}", SpreadTarget = json.array {} } },
  }, {
    Spreads = {
      { Attribute = "${a}", Weight = 10, SpreadTarget = { { Value = "v", Percent = 5 } } },
    },
  }),
}

-- each(visit): visit(name, job), in the order of the names.
function cases.each(visit)
  local names = {}
  for name, value in pairs(cases) do
    if type(value) == "table" then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    visit(name, cases[name])
  end
end

return cases
