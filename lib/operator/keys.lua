--- keys: how the operator names an object, in queues, in marks and to a person. A job is "namespace/id". Any other
--- object has its topic before that, "Allocation default/5a1c", and what is in no namespace is "Node 5a1c": a topic's
--- name is followed by a space, which no namespace has, so that none of them can be taken for a job.

local keys = {}

--- Topics whose objects are in no namespace.
keys.CLUSTER_WIDE = {
  ACLAuthMethod = true,
  ACLBindingRule = true,
  ACLPolicy = true,
  ACLRole = true,
  ACLToken = true,
  CSIPlugin = true,
  Namespace = true,
  Node = true,
  NodePool = true,
}

local function place(namespace, id)
  if namespace == nil or namespace == "" then
    namespace = "default"
  end
  return namespace .. "/" .. id
end

--- "namespace/id": the key of a job.
---@param namespace? string nil or "" means "default"
---@param id string
---@return string
keys.job = place

--- The key of an object of any topic.
---@param topic string
---@param namespace? string
---@param id string
---@return string
function keys.make(topic, namespace, id)
  if topic == "Job" then
    return place(namespace, id)
  elseif keys.CLUSTER_WIDE[topic] then
    return topic .. " " .. id
  end
  return topic .. " " .. place(namespace, id)
end

-- The topic that a key names, and what follows it. Most keys are of jobs, and have no space.
local function parse(key)
  if key:find(" ", 1, true) then
    return key:match("^(%u%a+) (.*)$")
  end
end

-- What the key of a job begins with where nobody has thought of namespaces: it is shown without.
local HOME = "default/"

-- The key that was split last, and its parts: a key is often asked for several times.
local last, last_namespace, last_id, last_topic

local function split(key)
  local topic, rest = parse(key)
  if topic and keys.CLUSTER_WIDE[topic] then
    return nil, rest, topic
  end
  rest = rest or key
  local slash = rest:find("/", 1, true)
  if not slash then
    return nil, nil, topic
  end
  return rest:sub(1, slash - 1), rest:sub(slash + 1), topic
end

--- The reverse of keys.job and keys.make. A namespace has no slash, an ID may.
---@param key string
---@return string? namespace nil: the object is in none
---@return string id
---@return string? topic nil: Job
function keys.split(key)
  if key ~= last then
    last_namespace, last_id, last_topic = split(key)
    last = key
  end
  return last_namespace, last_id, last_topic
end

--- The topic of a key's object.
---@param key string
---@return string
function keys.topic(key)
  local _, _, topic = keys.split(key)
  return topic or "Job"
end

--- A key as a person reads it: other namespaces are named.
---@param key string
---@return string
function keys.show(key)
  if key:sub(1, #HOME) == HOME then
    return key:sub(#HOME + 1)
  end
  local namespace, id, topic = keys.split(key)
  if namespace == "default" then
    return topic .. " " .. id
  end
  return key
end

return keys
