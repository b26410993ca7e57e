-- canonical_jobs: for each field of the schema, small jobs in which that field has some value: a plain one, nothing,
-- null, an empty list. What a server makes of them, if it takes them, is what the canonicalizer has to make.
local json = require "host.json"
local schema = require "nomad.jobspec.schema"

local canonical_jobs = {}

local function with(base, over)
  local result = {}
  for _, source in ipairs { base, over or {} } do
    for name, value in pairs(source) do
      result[name] = value
    end
  end
  return result
end

local function task(over)
  return with({ Name = "t", Driver = "raw_exec", Config = { command = "/bin/true" } }, over)
end

local function group(over)
  return with({ Name = "g", Tasks = { task() } }, over)
end

local function job(over)
  return with({ ID = "x", Datacenters = { "dc1" }, TaskGroups = { group() } }, over)
end

local function in_group(over)
  return job { TaskGroups = { group(over) } }
end

local function in_task(over)
  return in_group { Tasks = { task(over) } }
end

local function in_service(over)
  return in_group {
    Networks = { { Mode = "bridge", DynamicPorts = { { Label = "http", To = 80 } } } },
    Services = { with({ Name = "s", PortLabel = "http" }, over) },
  }
end

local function in_connect(over)
  return in_group {
    Networks = { { Mode = "bridge" } },
    Services = { { Name = "s", PortLabel = "9001", Connect = over } },
  }
end

local function in_sidecar_task(over)
  return in_connect { SidecarService = {}, SidecarTask = over }
end

local function in_proxy(over)
  return in_connect { SidecarService = { Proxy = over } }
end

local function in_gateway(over)
  return in_group {
    Networks = { { Mode = "bridge" } },
    Services = { { Name = "s", PortLabel = "9001", Connect = { Gateway = over } } },
  }
end

local function listener(over)
  return in_gateway {
    Ingress = { Listeners = { with({ Port = 8080, Services = { { Name = "a" } } }, over) } },
  }
end

local function ingress_service(over)
  return listener { Protocol = "http", Services = { with({ Name = "a", Hosts = { "h" } }, over) } }
end

local function resources(over)
  return in_task { Resources = over }
end

local function network(over)
  return in_group { Networks = { over } }
end

-- How an object comes into a job.
local place = {
  Job = job,
  TaskGroup = in_group,
  Task = in_task,
  Constraint = function(it)
    return job {
      Constraints = { with({ LTarget = "${attr.x}", RTarget = "y", Operand = "=" }, it) },
    }
  end,
  Affinity = function(it)
    return in_group {
      Affinities = { with({ LTarget = "${attr.x}", RTarget = "y", Operand = "=" }, it) },
    }
  end,
  Spread = function(it)
    return job { Spreads = { with({ Attribute = "${attr.x}" }, it) } }
  end,
  SpreadTarget = function(it)
    return in_group {
      Spreads = { { Attribute = "${attr.x}", SpreadTarget = { with({ Value = "v" }, it) } } },
    }
  end,
  UpdateStrategy = function(it)
    return job { Update = it }
  end,
  PeriodicConfig = function(it)
    return job { Type = "batch", Periodic = with({ Spec = "@daily" }, it) }
  end,
  ParameterizedJobConfig = function(it)
    return job { Type = "batch", ParameterizedJob = it }
  end,
  Multiregion = function(it)
    return job { Multiregion = with({ Regions = { { Name = "global" } } }, it) }
  end,
  MultiregionStrategy = function(it)
    return job { Multiregion = { Strategy = it, Regions = { { Name = "global" } } } }
  end,
  MultiregionRegion = function(it)
    return job { Multiregion = { Regions = { with({ Name = "global" }, it) } } }
  end,
  ReschedulePolicy = function(it)
    return in_group { ReschedulePolicy = it }
  end,
  MigrateStrategy = function(it)
    return job { Migrate = it }
  end,
  JobUIConfig = function(it)
    return job { UI = it }
  end,
  JobUILink = function(it)
    return job { UI = { Links = { with({ Label = "l", URL = "https://example.com" }, it) } } }
  end,
  JobVersionTag = function(it)
    return job { VersionTag = it }
  end,
  RestartPolicy = function(it)
    return in_group { RestartPolicy = it, Tasks = { task() } }
  end,
  DisconnectStrategy = function(it)
    return in_group { Disconnect = it }
  end,
  EphemeralDisk = function(it)
    return in_group { EphemeralDisk = it }
  end,
  VolumeRequest = function(it)
    return in_group { Volumes = { v = with({ Name = "v", Type = "host", Source = "s" }, it) } }
  end,
  CSIMountOptions = function(it)
    return in_group {
      Volumes = {
        v = {
          Name = "v",
          Type = "csi",
          Source = "s",
          MountOptions = it,
          AttachmentMode = "file-system",
          AccessMode = "single-node-writer",
        },
      },
    }
  end,
  ScalingPolicy = function(it)
    return in_group { Scaling = with({ Max = 5 }, it) }
  end,
  NetworkResource = network,
  Port = function(it)
    return network { DynamicPorts = { with({ Label = "p" }, it) } }
  end,
  DNSConfig = function(it)
    return network { DNS = it }
  end,
  CNIConfig = function(it)
    return network { Mode = "bridge", CNI = it }
  end,
  Resources = resources,
  RequestedDevice = function(it)
    return resources { Devices = { with({ Name = "gpu" }, it) } }
  end,
  NUMAResource = function(it)
    return resources { NUMA = it }
  end,
  LogConfig = function(it)
    return in_task { LogConfig = it }
  end,
  TaskLifecycle = function(it)
    return in_group {
      Tasks = { task(), task { Name = "u", Lifecycle = with({ Hook = "prestart" }, it) } },
    }
  end,
  TaskArtifact = function(it)
    return in_task { Artifacts = { with({ GetterSource = "https://h/a/b.zip" }, it) } }
  end,
  Template = function(it)
    return in_task { Templates = { with({ EmbeddedTmpl = "x", DestPath = "local/x" }, it) } }
  end,
  ChangeScript = function(it)
    return in_task {
      Templates = {
        {
          EmbeddedTmpl = "x",
          DestPath = "local/x",
          ChangeMode = "script",
          ChangeScript = with({ Command = "/bin/true" }, it),
        },
      },
    }
  end,
  WaitConfig = function(it)
    return in_task { Templates = { { EmbeddedTmpl = "x", DestPath = "local/x", Wait = it } } }
  end,
  Vault = function(it)
    return in_task { Vault = with({ Role = "r" }, it) }
  end,
  Consul = function(it)
    return in_group { Consul = it }
  end,
  Secret = function(it)
    return in_task { Secrets = { with({ Name = "s", Provider = "nomad", Path = "p" }, it) } }
  end,
  DispatchPayloadConfig = function(it)
    return job {
      Type = "batch",
      ParameterizedJob = {},
      TaskGroups = { group { Tasks = { task { DispatchPayload = with({ File = "f" }, it) } } } },
    }
  end,
  VolumeMount = function(it)
    return in_group {
      Volumes = { v = { Name = "v", Type = "host", Source = "s" } },
      Tasks = { task { VolumeMounts = { with({ Volume = "v", Destination = "/v" }, it) } } },
    }
  end,
  TaskCSIPluginConfig = function(it)
    return in_task { CSIPluginConfig = with({ ID = "p", Type = "node" }, it) }
  end,
  WorkloadIdentity = function(it)
    return in_task { Identities = { with({ Name = "i", Audience = { "a" } }, it) } }
  end,
  Action = function(it)
    return in_task { Actions = { with({ Name = "a", Command = "c" }, it) } }
  end,
  TaskSchedule = function(it)
    return in_task { Schedule = it }
  end,
  TaskScheduleCron = function(it)
    return in_task { Schedule = { Cron = it } }
  end,
  Service = in_service,
  ServiceWeights = function(it)
    return in_service { Weights = it }
  end,
  CheckRestart = function(it)
    return in_service {
      CheckRestart = { Limit = 3 },
      Checks = {
        {
          Type = "tcp",
          Interval = 10000000000,
          Timeout = 2000000000,
          CheckRestart = it,
          Name = "c",
        },
      },
    }
  end,
  ServiceCheck = function(it)
    return in_service {
      Checks = {
        with({ Type = "http", Path = "/", Interval = "10s", Timeout = "2s" }, it),
      },
    }
  end,
  ConsulConnect = in_connect,
  ConsulSidecarService = function(it)
    return in_connect { SidecarService = it }
  end,
  SidecarTask = in_sidecar_task,
  ConsulProxy = in_proxy,
  ConsulUpstream = function(it)
    return in_proxy { Upstreams = { with({ DestinationName = "d", LocalBindPort = 8000 }, it) } }
  end,
  ConsulMeshGateway = function(it)
    return in_proxy {
      Upstreams = { { DestinationName = "d", LocalBindPort = 8000, MeshGateway = it } },
    }
  end,
  ConsulTransparentProxy = function(it)
    return in_proxy { TransparentProxy = it }
  end,
  ConsulExposeConfig = function(it)
    return in_proxy { Expose = it }
  end,
  ConsulExposePath = function(it)
    return in_proxy {
      Expose = { Paths = { with({ Path = "/", LocalPathPort = 1, ListenerPort = "l" }, it) } },
    }
  end,
  ConsulGateway = function(it)
    return in_gateway(it)
  end,
  ConsulGatewayProxy = function(it)
    return in_gateway { Proxy = it, Terminating = { Services = { { Name = "a" } } } }
  end,
  ConsulGatewayBindAddress = function(it)
    return in_gateway {
      Proxy = { EnvoyGatewayBindAddresses = { b = with({ Address = "0.0.0.0", Port = 1 }, it) } },
      Terminating = { Services = { { Name = "a" } } },
    }
  end,
  ConsulIngressConfigEntry = function(it)
    return in_gateway {
      Ingress = with({ Listeners = { { Port = 8080, Services = { { Name = "a" } } } } }, it),
    }
  end,
  ConsulGatewayTLSConfig = function(it)
    return in_gateway {
      Ingress = { TLS = it, Listeners = { { Port = 8080, Services = { { Name = "a" } } } } },
    }
  end,
  ConsulGatewayTLSSDSConfig = function(it)
    return in_gateway {
      Ingress = {
        TLS = { Enabled = true, SDS = it },
        Listeners = { { Port = 8080, Services = { { Name = "a" } } } },
      },
    }
  end,
  ConsulIngressListener = listener,
  ConsulIngressService = ingress_service,
  ConsulHTTPHeaderModifiers = function(it)
    return ingress_service { RequestHeaders = it }
  end,
  ConsulTerminatingConfigEntry = function(it)
    return in_gateway { Terminating = with({ Services = { { Name = "a" } } }, it) }
  end,
  ConsulLinkedService = function(it)
    return in_gateway { Terminating = { Services = { with({ Name = "a" }, it) } } }
  end,
  ConsulMeshConfigEntry = function(it)
    return in_gateway { Mesh = it }
  end,
}

local SCALARS = {
  string = { "a", "" },
  int = { 1, 0, 7 },
  uint = { 1, 0 },
  float = { 1.5 },
  bool = { true, false },
  duration = { "90s", 0, 30000000000 },
  any = { "x", { a = { 1, 2.5, { b = json.array {} } }, c = {} } },
  bytes = { "" },
}

local function add_all(list, values, wrap)
  for _, value in ipairs(values or {}) do
    list[#list + 1] = wrap and wrap(value) or value
  end
end

-- Values worth trying in a field; objects and lists are tried empty here, whole where their own fields are.
local function values_of(field)
  local values = { json.null }
  if field.type == "list" then
    values[2] = json.array {}
    add_all(values, SCALARS[field.of], function(value)
      return { value }
    end)
  elseif field.type == "map" then
    values[2] = {}
    local scalars = field.of == "string[]" and { { "v" }, json.array {} } or SCALARS[field.of]
    add_all(values, scalars, function(value)
      return { k = value }
    end)
  elseif field.type == "object" then
    values[2] = {}
  else
    add_all(values, SCALARS[field.type])
  end
  add_all(values, field.enum)
  return values
end

local TYPES = { "service", "batch", "system", "sysbatch" }

-- each(visit): visit(name, job) for every such job, in the same order each time.
function canonical_jobs.each(visit)
  for _, type in ipairs(TYPES) do
    visit("type " .. type, job { Type = type })
  end
  for _, name in ipairs(schema.order) do
    local make = place[name]
    if make then
      visit(name .. " {}", make {})
      for _, field in ipairs(schema.objects[name].fields) do
        for i, value in ipairs(values_of(field)) do
          visit(("%s.%s %d"):format(name, field.name, i), make { [field.name] = value })
        end
      end
    end
  end
end

-- Objects that no job here has.
function canonical_jobs.missing()
  local missing = {}
  for _, name in ipairs(schema.order) do
    if not place[name] then
      missing[#missing + 1] = name
    end
  end
  return missing
end

return canonical_jobs
