--- topics: what the operator knows of each kind of object that a policy can watch: a row a topic, and all that is
--- specific to one is in its row. Facts are Nomad's (nomad/state/events.go, nomad/event_endpoint.go, the list stubs).

local acl = require "nomad.acl"
local allocations = require "nomad.allocations"
local deployments = require "nomad.deployments"
local evaluations = require "nomad.evaluations"
local jobs = require "nomad.jobs"
local namespaces = require "nomad.namespaces"
local node_pools = require "nomad.node_pools"
local nodes = require "nomad.nodes"
local nomad = require "nomad"
local services = require "nomad.services"
local variables = require "nomad.variables"
local volumes = require "nomad.volumes"
local keys = require "operator.keys"
local marks = require "operator.marks"

local topics = {}

---@class operator.Topic
---@field name string "Node"
---@field payload string the field of an event's payload that has the object
---@field namespaced boolean
---@field path string of the list, for blocking queries
---@field query? table<string, string> that the list needs
---@field list fun(options: { namespace?: string }): nomad.Reader?, host.nomad.Error?
---@field read fun(namespace: string?, id: string, options?: table): table?, host.nomad.Error?
---@field id fun(object: table): string
---@field stub true|table<string, true> the fields of a list's element that are as in the object; true: it is the object
---@field types string[] of its events
---@field gone table<string, true> types of the events by which an object goes
---@field only? string every event of another type says that the object went
---@field silent? table<string, string> types that Nomad has a name for, and never sends; and what does instead
---@field facts? string[] "spec": what has to differ for a change to be news; nil: any change is, but see spec
---@field spec string the field whose value "spec" follows
---@field status? string the field that a title shows
---@field absent string[] fields that some answers have and events have not: no policy sees them
---@field partial? boolean an event's payload has only a part of the object, as a stub has
---@field fleeting? boolean Nomad collects them by the thousand, and without an event: not asked for one by one
---@field by_list? string why the list is followed instead of the stream
---@field since string the Nomad that has the list
---@field rights string what a token needs, as in an ACL policy
---@field leaves_out? fun(object: table, policy: string): string? why no policy, or this one, looks at the object
local Topic = {}
Topic.__index = Topic
Topic.__name = "operator.Topic"

--- The names, sorted.
---@type string[]
topics.names = {}

local function set(text)
  local out = {}
  for name in text:gmatch("%w+") do
    out[name] = true
  end
  return out
end

local function words(text)
  local out = {}
  for name in text:gmatch("%w+") do
    out[#out + 1] = name
  end
  return out
end

-- Readers of what is in no namespace.
local function plain(read)
  return function(_, id, options)
    return read(id, options)
  end
end

local function field(name)
  return function(object)
    return object[name]
  end
end

-- What the topics not asked for yet will be, by name.
local rows = {}

local function row(name, given)
  rows[name] = given
  table.insert(topics.names, name)
end

local function make(name, given)
  local self = setmetatable(given, Topic)
  self.name = name
  self.payload = given.payload or name
  self.namespaced = not keys.CLUSTER_WIDE[name]
  self.id = type(given.id) == "function" and given.id or field(given.id or "ID")
  self.types, self.gone = words(given.types or ""), set(given.gone or "")
  self.stub = type(given.stub) == "string" and set(given.stub) or given.stub
  self.facts = given.facts and words(given.facts)
  self.absent = words(given.absent or "")
  self.spec = given.spec or "ModifyIndex"
  return self
end

-- Most topics are never watched: one is made when it is asked for.
setmetatable(topics, {
  __index = function(_, name)
    local given = rows[name]
    topics[name] = given and make(name, given)
    return rawget(topics, name)
  end,
})

-- Why a job is no job of its own, or none for this policy.
local function job_left_out(job, policy)
  if (job.ParentID or "") ~= "" then
    return "Job is a run of " .. job.ParentID .. ", skipping"
  end
  if marks.policy(job) == policy then
    return ("Job is a %s, skipping"):format(policy)
  end
end

local READ_JOB = 'namespace "…" { capabilities = ["read-job"] }'
local MANAGEMENT = "a management token"

row("Job", {
  path = "/v1/jobs",
  list = jobs.list,
  read = jobs.get,
  -- Its Periodic is a boolean, so it is not here.
  stub = [[
    ID Name Namespace ParentID Type Priority Stop Status StatusDescription Datacenters NodePool
    Meta JobModifyIndex ModifyIndex CreateIndex SubmitTime
  ]],
  types = [[
    JobRegistered JobDeregistered JobBatchDeregistered EvaluationUpdated PlanResult
    AllocationUpdated AllocationUpdateDesiredStatus DeploymentStatusUpdate DeploymentPromotion
    DeploymentAllocHealth
  ]],
  gone = "JobDeregistered JobBatchDeregistered",
  spec = "JobModifyIndex",
  status = "Status",
  leaves_out = job_left_out,
  since = "1.0.0",
  rights = 'namespace "…" { capabilities = ["list-jobs", "read-job"] }',
})

row("Allocation", {
  path = "/v1/allocations",
  list = allocations.list,
  read = allocations.get,
  stub = [[
    ID EvalID Name Namespace NodeID NodeName JobID TaskGroup DesiredStatus DesiredDescription
    ClientStatus ClientDescription FollowupEvalID CreateIndex ModifyIndex CreateTime ModifyTime
  ]],
  types = [[
    PlanResult AllocationUpdated AllocationUpdateDesiredStatus DeploymentAllocHealth
    DeploymentPromotion DeploymentStatusUpdate
  ]],
  facts = "DesiredStatus ClientStatus",
  status = "ClientStatus",
  absent = "Job",
  fleeting = true,
  since = "1.0.0",
  rights = READ_JOB,
})

row("Deployment", {
  path = "/v1/deployments",
  list = deployments.list,
  read = deployments.get,
  stub = true,
  types = [[
    DeploymentStatusUpdate DeploymentPromotion DeploymentAllocHealth PlanResult AllocationUpdated
    JobRegistered JobDeregistered
  ]],
  status = "Status",
  fleeting = true,
  since = "1.0.0",
  rights = READ_JOB,
})

row("Evaluation", {
  path = "/v1/evaluations",
  list = evaluations.list,
  read = evaluations.get,
  stub = true,
  types = [[
    EvaluationUpdated JobRegistered JobDeregistered JobBatchDeregistered PlanResult
    AllocationUpdated AllocationUpdateDesiredStatus DeploymentStatusUpdate DeploymentPromotion
    DeploymentAllocHealth NodeRegistration NodeDrain NodeStreamEvent
  ]],
  status = "Status",
  fleeting = true,
  since = "1.0.0",
  rights = READ_JOB,
})

local PURGED = "Nomad never sends it; a node that was purged is missing from the next list"

row("Node", {
  path = "/v1/nodes",
  list = nodes.list,
  read = plain(nodes.get),
  stub = [[
    ID Name Datacenter NodeClass NodePool Drain SchedulingEligibility Status StatusDescription
    CreateIndex ModifyIndex
  ]],
  types = "NodeRegistration NodeDrain NodeEligibility NodeStreamEvent",
  silent = { NodeDeregistration = PURGED, NodeEvent = "it is called NodeStreamEvent" },
  facts = "Status SchedulingEligibility Drain Name Datacenter NodeClass NodePool",
  status = "Status",
  since = "1.0.0",
  rights = 'node { policy = "read" }',
})

-- A registration cannot be read by its ID alone.
local function service_id(object)
  return object.ServiceName .. "/" .. object.ID
end

local function read_service(namespace, id, options)
  local name, registration = id:match("^([^/]*)/(.*)$")
  return services.get(namespace, name or id, registration or "", options)
end

row("Service", {
  path = "/v1/services",
  list = services.list,
  read = read_service,
  id = service_id,
  stub = true,
  types = "ServiceRegistration ServiceDeregistration",
  gone = "ServiceDeregistration",
  only = "ServiceRegistration",
  since = "1.3.0",
  rights = READ_JOB,
})

row("NodePool", {
  path = "/v1/node/pools",
  list = node_pools.list,
  read = plain(node_pools.get),
  id = "Name",
  stub = true,
  types = "NodePoolUpserted NodePoolDeleted",
  gone = "NodePoolDeleted",
  by_list = "Nomad gives its events to management tokens only",
  since = "1.6.0",
  rights = 'node_pool "…" { policy = "read" }',
})

row("Variable", {
  payload = "Metadata",
  path = "/v1/vars",
  list = variables.list,
  read = variables.get,
  id = "Path",
  stub = "Namespace Path CreateIndex ModifyIndex CreateTime ModifyTime Lock",
  types = "VariableUpdated",
  partial = true,
  by_list = "Nomad has events of it only since 2.0.0",
  since = "1.4.0",
  rights = 'namespace "…" { variables { path "…" { capabilities = ["list", "read"] } } }',
})

row("Namespace", {
  path = "/v1/namespaces",
  list = namespaces.each,
  read = plain(namespaces.get),
  id = "Name",
  stub = true,
  by_list = "Nomad has no events of it",
  since = "1.0.0",
  rights = "any capability in the namespace",
})

local SINCE_1_10 = "Nomad has events of it only since 1.10.0"

row("HostVolume", {
  payload = "Volume",
  path = "/v1/volumes",
  query = { type = "host" },
  list = volumes.host_list,
  read = volumes.host_get,
  stub = [[
    Namespace ID Name PluginID NodePool NodeID CapacityBytes State CreateIndex ModifyIndex
  ]],
  types = "HostVolumeRegistered HostVolumeDeleted",
  gone = "HostVolumeDeleted",
  status = "State",
  by_list = SINCE_1_10,
  since = "1.10.0",
  rights = 'namespace "…" { capabilities = ["host-volume-read"] }',
})

row("CSIVolume", {
  payload = "Volume",
  path = "/v1/volumes",
  query = { type = "csi" },
  list = volumes.csi_list,
  read = volumes.csi_get,
  stub = [[
    Namespace ID Name ExternalID AccessMode AttachmentMode Schedulable PluginID Provider
    CreateIndex ModifyIndex
  ]],
  types = "CSIVolumeRegistered CSIVolumeDeregistered CSIVolumeClaim",
  gone = "CSIVolumeDeregistered",
  by_list = SINCE_1_10,
  since = "1.0.0",
  rights = 'namespace "…" { capabilities = ["csi-list-volume", "csi-read-volume"] } '
    .. 'and plugin { policy = "read" }',
})

row("CSIPlugin", {
  payload = "Plugin",
  path = "/v1/plugins",
  query = { type = "csi" },
  list = volumes.plugin_list,
  read = plain(volumes.plugin_get),
  stub = "ID Provider ControllerRequired CreateIndex ModifyIndex",
  types = "NodeRegistration NodeStreamEvent CSIVolumeRegistered CSIVolumeDeregistered",
  by_list = SINCE_1_10,
  since = "1.0.0",
  rights = 'plugin { policy = "read" }',
})

local ACL_EVENTS = "Nomad gives its events to management tokens only"

local function acl_row(name, kind, given)
  given.path = acl.PATHS[kind]
  given.list = function(options)
    return acl.list(kind, options)
  end
  given.read = function(_, id, options)
    return acl.get(kind, id, options)
  end
  given.types = ("%sUpserted %sDeleted"):format(name, name)
  given.gone = name .. "Deleted"
  given.by_list, given.rights = ACL_EVENTS, MANAGEMENT
  row(name, given)
end

acl_row("ACLToken", "token", {
  id = "AccessorID",
  stub = "AccessorID Name Type Policies Global CreateTime CreateIndex ModifyIndex",
  since = "1.0.0",
})
acl_row("ACLPolicy", "policy", {
  id = "Name",
  stub = "Name Description CreateIndex ModifyIndex",
  since = "1.0.0",
})
acl_row(
  "ACLRole",
  "role",
  { stub = "ID Name Description CreateIndex ModifyIndex", since = "1.4.0" }
)
acl_row("ACLAuthMethod", "auth-method", {
  payload = "AuthMethod",
  id = "Name",
  stub = "Name Type Default CreateIndex ModifyIndex",
  since = "1.5.0",
})
acl_row("ACLBindingRule", "binding-rule", {
  stub = "ID Description AuthMethod CreateIndex ModifyIndex",
  since = "1.5.0",
})

table.sort(topics.names)

--- The key of an object or of its stub.
---@param object table
---@return string
function Topic:key(object)
  return keys.make(self.name, object.Namespace, self.id(object))
end

--- Does this event say that the object went?
---@param type string
---@param payload table
---@return boolean
function Topic:is_gone(type, payload)
  return self.gone[type] == true
    or payload.Deleted == true
    or (self.only ~= nil and type ~= self.only)
end

--- Takes out what events do not have.
---@param object table changed in place
---@return table object
function Topic:trim(object)
  for i = 1, #self.absent do
    object[self.absent[i]] = nil
  end
  return object
end

--- The index of the list; see nomad.index.
---@async
---@param options { index?: integer, wait?: integer }
---@return integer?
---@return host.nomad.Error?
function Topic:index(options)
  local query = { namespace = self.namespaced and "*" or nil }
  for name, value in pairs(self.query or {}) do
    query[name] = value
  end
  return nomad.index(self.path, { query = query, index = options.index, wait = options.wait })
end

--- What stands behind an error of the list or of a read, where that is the token's rights or the server's age.
---@param err host.nomad.Error
---@return string
function Topic:explain(err)
  local hint = ""
  if err.code == "denied" then
    local since = self.since ~= "1.0.0" and (", and Nomad %s"):format(self.since) or ""
    hint = ("; to watch the topic %s a token needs %s%s"):format(self.name, self.rights, since)
  elseif not err.retryable then
    hint = ("; Nomad has %s since %s"):format(self.path, self.since)
  end
  return tostring(err) .. hint
end

--- Reads the object of a key, whatever its topic is.
---@async
---@param key string
---@param options? { index?: integer, wait?: string }
---@return table? object
---@return host.nomad.Error? err code "not_found" when there is none
function topics.read(key, options)
  local namespace, id, name = keys.split(key)
  local topic = topics[name or "Job"]
  if not topic then
    local message = ("%s: there is no topic %s"):format(key, name)
    return nil, nomad.error { code = "not_found", message = message, retryable = false }
  end
  local object, err = topic.read(namespace, id, options)
  if not object then
    return nil, err
  end
  return topic:trim(object)
end

return topics
