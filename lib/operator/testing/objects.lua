--- objects: what the modelled servers hold besides jobs: nodes, allocations, deployments, services, node pools and
--- variables, as specs put them there, with their lists, their reads and their events. Nothing here happens by itself.

local answers = require "operator.testing.answers"
local json = require "host.json"

local objects = {}

---@class operator.testing.Kind
---@field list string path
---@field one string the path before an ID
---@field id string the field that has it
---@field event? string type of the event of a put; nil: Nomad has no events of it
---@field gone? string type of the event of a removal; nil: Nomad sends none
---@field cluster? boolean in no namespace
---@field capability? string in the namespace, to list and to read
---@field wide? string what the token needs where it is no capability: "node", "node_pool"
---@field stub? string[] fields that the list leaves out
---@field missing string the text of the 404
---@field modern? boolean not there in 1.4.3
---@type table<string, operator.testing.Kind>
local KINDS = {
  Allocation = {
    list = "/v1/allocations",
    one = "/v1/allocation/",
    id = "ID",
    event = "AllocationUpdated",
    capability = "read-job",
    stub = { "Resources", "Metrics", "AllocModifyIndex" },
    missing = "alloc not found",
  },
  Deployment = {
    list = "/v1/deployments",
    one = "/v1/deployment/",
    id = "ID",
    event = "DeploymentStatusUpdate",
    capability = "read-job",
    missing = "deployment not found",
  },
  Node = {
    list = "/v1/nodes",
    one = "/v1/node/",
    id = "ID",
    event = "NodeRegistration",
    cluster = true,
    wide = "node",
    stub = { "Meta", "Events", "StatusUpdatedAt" },
    missing = "node not found",
  },
  NodePool = {
    list = "/v1/node/pools",
    one = "/v1/node/pool/",
    id = "Name",
    event = "NodePoolUpserted",
    gone = "NodePoolDeleted",
    cluster = true,
    wide = "node_pool",
    missing = "node pool not found",
    modern = true,
  },
  Service = {
    list = "/v1/services",
    one = "/v1/service/",
    id = "ID",
    event = "ServiceRegistration",
    gone = "ServiceDeregistration",
    capability = "read-job",
    missing = "service not found",
  },
  Variable = {
    list = "/v1/vars",
    one = "/v1/var/",
    id = "Path",
    capability = "variables",
    stub = { "Items" },
    missing = "variable not found",
  },
}

--- What 1.4.3 says to the list of node pools: it takes it for a node.
local NO_POOLS = "node lookup failed: index error: UUID must be 36 characters"

local NODE = {
  Address = "127.0.0.1",
  Datacenter = "dc1",
  Drain = false,
  ID = "5a1c0000-0000-4000-8000-000000000001",
  Name = "model",
  NodeClass = "",
  SchedulingEligibility = "eligible",
  Status = "ready",
  StatusDescription = "",
}

---@class operator.testing.Objects
---@field private state operator.testing.State
---@field private modern boolean
local Objects = {}
Objects.__index = Objects

-- Puts an object in the place of the one before; nothing that was handed out changes.
local function store(self, topic, object, index)
  local kind = KINDS[topic]
  local held = self.state.objects[topic] or {}
  self.state.objects[topic] = held
  local namespace = not kind.cluster and (object.Namespace or "default") or nil
  local key = (namespace or "") .. "/" .. object[kind.id]
  local before = held[key]
  local changes = { CreateIndex = before and before.CreateIndex or index, ModifyIndex = index }
  changes.Namespace = namespace
  held[key] = self.state.with(object, changes)
  self.state.tables[topic] = index
  return held[key]
end

---@param state operator.testing.State
---@param modern boolean
---@return operator.testing.Objects
function objects.new(state, modern)
  local self = setmetatable({ state = state, modern = modern }, Objects)
  store(self, "Node", NODE, 8)
  return self
end

local function publish(self, topic, object, type, index)
  local kind = KINDS[topic]
  if not type or (kind.modern and not self.modern) then
    return
  end
  local event = {
    topic = topic,
    type = type,
    key = object[kind.id],
    namespace = object.Namespace or "",
    index = index,
    payload = ('{"%s":%s}'):format(topic, json.encode(object, { sorted = true })),
  }
  self.state:publish(index, { event })
end

--- Puts an object there, or in the place of the one before.
---@param topic string
---@param object table
---@param type? string of the event; nil: the usual one
---@return table object as it is held
function Objects:put(topic, object, type)
  local index = self.state:next_index()
  local held = store(self, topic, object, index)
  publish(self, topic, held, KINDS[topic].event and (type or KINDS[topic].event), index)
  self.state:notify()
  return held
end

--- Takes an object away, with an event where Nomad has one.
---@param topic string
---@param id string
---@param namespace? string "default"
function Objects:remove(topic, id, namespace)
  local kind = KINDS[topic]
  local key = (kind.cluster and "" or (namespace or "default")) .. "/" .. id
  local held = self.state.objects[topic][key]
  if not held then
    return
  end
  local index = self.state:next_index()
  self.state.objects[topic][key], self.state.tables[topic] = nil, index
  publish(self, topic, held, kind.gone, index)
  self.state:notify()
end

local function may(call, kind, namespace)
  if kind.wide then
    return call.rights:reads(kind.wide)
  end
  return call.rights:may(namespace, kind.capability)
end

local function matches(call, kind, object)
  local asked = call.query.namespace
  local here = kind.cluster or asked == "*" or object.Namespace == call.namespace
  return here and may(call, kind, object.Namespace)
end

local function stub_of(kind, object)
  local left_out = {}
  for _, name in ipairs(kind.stub or {}) do
    left_out[name] = json.null
  end
  local out = {}
  for name, value in pairs(object) do
    if not left_out[name] then
      out[name] = value
    end
  end
  return out
end

-- What the asker may see, by key.
local function visible(self, call, topic)
  local list, kind = json.array {}, KINDS[topic]
  for key, object in pairs(self.state.objects[topic] or {}) do
    if matches(call, kind, object) then
      list[#list + 1] = { key = key, object = object }
    end
  end
  table.sort(list, function(a, b)
    return a.key < b.key
  end)
  return list
end

-- Services are listed by name, a namespace each.
local function service_names(list)
  local out, by_namespace = json.array {}, {}
  for _, one in ipairs(list) do
    local namespace, name = one.object.Namespace, one.object.ServiceName
    local held = by_namespace[namespace]
    if not held then
      held = { Namespace = namespace, Services = json.array {}, seen = {} }
      by_namespace[namespace], out[#out + 1] = held, held
    end
    if not held.seen[name] then
      held.seen[name] = true
      table.insert(held.Services, { ServiceName = name, Tags = json.array {} })
    end
  end
  for _, held in ipairs(out) do
    held.seen = nil
  end
  return out
end

-- A list that the token may see nothing of is denied where the right is for the whole of it.
local function denied(call, kind)
  if kind.cluster or call.query.namespace == "*" then
    return kind.wide == "node" and not call.rights:reads "node"
  end
  return not may(call, kind, call.namespace)
end

local function list(self, call, topic)
  local kind = KINDS[topic]
  local asked, refused = answers.blocking(call.query)
  if not asked then
    return refused
  elseif denied(call, kind) then
    return answers.denied()
  end
  local found, out = visible(self, call, topic), json.array {}
  for i, one in ipairs(found) do
    out[i] = stub_of(kind, one.object)
  end
  if topic == "Service" then
    out = service_names(found)
  end
  local index = self.state.tables[topic] or 1
  return answers.or_block(answers.read(out, index), asked, index)
end

local function registrations(self, call, name)
  local out = json.array {}
  for _, one in ipairs(visible(self, call, "Service")) do
    if one.object.ServiceName == name then
      out[#out + 1] = one.object
    end
  end
  return out
end

local function read(self, call, topic, id)
  local kind, index = KINDS[topic], self.state.tables[topic] or 1
  local asked, refused = answers.blocking(call.query)
  if not asked then
    return refused
  elseif not may(call, kind, call.namespace) then
    return answers.denied()
  end
  local answer
  local place = kind.cluster and "" or call.namespace
  local object = (self.state.objects[topic] or {})[place .. "/" .. id]
  if topic == "Service" then
    answer = answers.read(registrations(self, call, id), index)
  elseif object then
    answer = answers.read(object, index)
  else
    answer = answers.text(404, kind.missing, index)
  end
  return answers.or_block(answer, asked, index)
end

-- A variable is written and deleted by its path.
local function write_variable(self, call, path)
  if not call.rights:may(call.namespace, "variables") then
    return answers.denied()
  elseif call.method == "DELETE" then
    self:remove("Variable", path, call.namespace)
    return { status = 204, headers = {}, body = "" }
  end
  local body = json.decode(call.body or "")
  if type(body) ~= "table" then
    return answers.text(400, "unexpected EOF")
  end
  local object = { Namespace = call.namespace, Path = path, Items = body.Items }
  return answers.read(self:put("Variable", object), self.state.index)
end

local function set_eligibility(self, call, id)
  local node = self.state.objects.Node["/" .. id]
  local body = json.decode(call.body or "")
  if not node then
    return answers.text(404, "node not found")
  elseif type(body) ~= "table" then
    return answers.text(400, "unexpected EOF")
  end
  -- The type is that of a drain until Nomad 2.0.1.
  self:put("Node", self.state.with(node, { SchedulingEligibility = body.Eligibility }), "NodeDrain")
  return answers.json({ EvalIDs = json.null, NodeModifyIndex = self.state.index })
end

local function evaluations(self, call, id)
  local out, index = json.array {}, self.state.tables.evals
  for _, eval in ipairs(self.state.evals) do
    local here = call.query.namespace == "*" or eval.Namespace == call.namespace
    if here and call.rights:may(eval.Namespace, "read-job") then
      if eval.ID == id then
        return answers.read(eval, index)
      end
      out[#out + 1] = eval
    end
  end
  if id then
    return answers.text(404, "eval not found", index)
  end
  local asked, refused = answers.blocking(call.query)
  return asked and answers.or_block(answers.read(out, index), asked, index) or refused
end

local function write(self, call, path)
  local variable, node = path:match "^/v1/var/(.+)$", path:match "^/v1/node/(.+)/eligibility$"
  if variable then
    return write_variable(self, call, variable)
  elseif node then
    return set_eligibility(self, call, node)
  end
  return answers.wrong_method()
end

-- The topic of a path, and the ID in it. A pool's path begins as a node's does: the longer beginning counts.
local function topic_of(path)
  local best, length = nil, 0
  for topic, kind in pairs(KINDS) do
    if path == kind.list then
      return topic
    elseif path:sub(1, #kind.one) == kind.one and #kind.one > length and #path > #kind.one then
      best, length = topic, #kind.one
    end
  end
  return best, best and path:sub(length + 1)
end

--- Answers what concerns these objects; nil: something else is asked for.
---@param call operator.testing.Call
---@param path string decoded
---@return operator.testing.Answer?
function Objects:answer(call, path)
  if path == "/v1/evaluations" or path:match "^/v1/evaluation/" then
    return evaluations(self, call, path:match "^/v1/evaluation/(.+)$")
  end
  local topic, id = topic_of(path)
  if not topic then
    return nil
  elseif not self.modern and path:find "^/v1/node/pool" then
    return answers.text(500, NO_POOLS)
  elseif call.method ~= "GET" then
    return write(self, call, path)
  elseif id then
    return read(self, call, topic, id)
  end
  return list(self, call, topic)
end

local OPEN = { Job = true, Evaluation = true, Allocation = true, Deployment = true, Service = true }

--- May the token have a stream of these topics? NodePool and what is not here are for management tokens.
---@param rights operator.testing.Rights
---@param topics table<string, any>
---@return boolean
function objects.may_stream(rights, topics)
  for topic in pairs(topics) do
    local may_see = OPEN[topic] or (topic == "Node" and rights:reads "node") or rights:manages()
    if not may_see then
      return false
    end
  end
  return true
end

return objects
