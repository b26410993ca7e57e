--- marks: the entries in a child job's meta that say whose it is. They are constant for the child's life; only the
--- hash changes, and only periodic and parameterized children carry one (a changed meta would replace the
--- allocations of a service).

local marks = {}

marks.INSTANCE = "operator-instance"
marks.POLICY = "operator-policy"
marks.OWNER = "operator-owner"
marks.SELF = "operator-self"
marks.HASH = "operator-hash"

--- Which way of hashing made the value; a new one must not look like a changed job.
local HASH_VERSION = "1"

--- "namespace/id": the key under which queues and marks know a job.
---@param namespace? string nil or "" means "default"
---@param id string
---@return string
function marks.key(namespace, id)
  if namespace == nil or namespace == "" then
    namespace = "default"
  end
  return namespace .. "/" .. id
end

--- The reverse of marks.key. A namespace has no slash, an ID may.
---@param key string
---@return string namespace
---@return string id
function marks.split(key)
  local namespace, id = key:match("^([^/]*)/(.*)$")
  return namespace, id
end

--- A key as a person reads it: other namespaces are named.
---@param key string
---@return string
function marks.show(key)
  local namespace, id = marks.split(key)
  return namespace == "default" and id or key
end

--- True for jobs that Nomad runs from a clock or a dispatch: a change of their meta replaces nothing.
local function carries_hash(job)
  return (type(job.Periodic) == "table" or type(job.ParameterizedJob) == "table")
end

--- Puts the marks into the job's meta.
---@param job table JSON job spec with ID and Namespace; changed in place
---@param instance string
---@param policy string
---@param owner string key of the owner
---@param digest string json.digest of the job without marks
function marks.put(job, instance, policy, owner, digest)
  local meta = {}
  for name, value in pairs(job.Meta or {}) do
    meta[name] = value
  end
  meta[marks.INSTANCE] = instance
  meta[marks.POLICY] = policy
  meta[marks.OWNER] = owner
  meta[marks.SELF] = marks.key(job.Namespace, job.ID)
  if carries_hash(job) then
    meta[marks.HASH] = HASH_VERSION .. ":" .. digest
  end
  job.Meta = meta
end

---@class operator.Marks
---@field instance string
---@field policy string
---@field owner string key
---@field hash? string only if it was made by this version's hashing
---@field foreign_hash? boolean a hash is there, but another version's

--- Reads the marks of a job or of a list's stub.
---@param job table
---@return operator.Marks? nil: not a child (no marks, a run of a periodic child, or a copy under another name)
function marks.read(job)
  local meta = job.Meta
  if type(meta) ~= "table" or (job.ParentID or "") ~= "" then
    return nil
  end
  local policy, owner, instance = meta[marks.POLICY], meta[marks.OWNER], meta[marks.INSTANCE]
  if
    not (policy and owner and instance) or meta[marks.SELF] ~= marks.key(job.Namespace, job.ID)
  then
    return nil
  end
  local version, digest = (meta[marks.HASH] or ""):match("^(%d+):(%x+)$")
  return {
    instance = instance,
    policy = policy,
    owner = owner,
    hash = version == HASH_VERSION and digest or nil,
    foreign_hash = version ~= nil and version ~= HASH_VERSION,
  }
end

return marks
