--- marks: the entries in a child job's meta that say whose it is. They are constant for the child's life; only the
--- hash changes, and only periodic and parameterized children carry one (a changed meta would replace the
--- allocations of a service).

local json = require "host.json"
local keys = require "operator.keys"

local marks = {}

marks.INSTANCE = "operator-instance"
marks.POLICY = "operator-policy"
marks.OWNER = "operator-owner"
marks.SELF = "operator-self"
marks.HASH = "operator-hash"
--- On a stopped child that its owner did not ask to stop: "sweep 1766400000.000000", when.
marks.STOPPED = "operator-stopped"
--- On a job that is not ours: the policy that may take it over.
marks.ADOPT = "operator-adopt"

--- Which way of hashing made the value; a new one must not look like a changed job.
local HASH_VERSION = "1"

--- "namespace/id": the key under which queues and marks know a job.
---@type fun(namespace?: string, id: string): string
marks.key = keys.job
--- The reverse; see operator.keys.
---@type fun(key: string): string, string, string?
marks.split = keys.split
--- A key as a person reads it: other namespaces are named.
---@type fun(key: string): string
marks.show = keys.show

--- True for jobs that Nomad runs from a clock or a dispatch: a change of their meta replaces nothing.
local function carries_hash(job)
  return (type(job.Periodic) == "table" or type(job.ParameterizedJob) == "table")
end

-- The marks by name.
local function fields_of(instance, policy, owner, key, hash)
  return {
    [marks.INSTANCE] = instance,
    [marks.POLICY] = policy,
    [marks.OWNER] = owner,
    [marks.SELF] = key,
    [marks.HASH] = hash,
  }
end

local function hash_mark(digest)
  return HASH_VERSION .. ":" .. digest
end

-- They as JSON text with gaps for these values, for json.fill.
local function write_pieces(hash)
  local fields, names, pieces = fields_of(1, 2, 3, 4, hash), {}, {}
  for name in pairs(fields) do
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    pieces[#pieces + 1] = (i == 1 and '"' or '","') .. name .. '":"'
    pieces[#pieces + 1] = fields[name]
  end
  pieces[#pieces + 1] = '"'
  return pieces
end

local WITH_HASH, WITHOUT_HASH = write_pieces(5), write_pieces(nil)

--- Puts the marks into the job's meta.
---@param job table JSON job spec with ID and Namespace; changed in place
---@param instance string
---@param policy string
---@param owner string key of the owner
---@param digest string json.digest of the job without marks
function marks.put(job, instance, policy, owner, digest)
  local key = marks.key(job.Namespace, job.ID)
  local hash = carries_hash(job) and hash_mark(digest) or nil
  local meta = fields_of(instance, policy, owner, key, hash)
  for name, value in pairs(job.Meta or {}) do
    if meta[name] == nil then
      meta[name] = value
    end
  end
  job.Meta = meta
end

--- The marks as the fields of a JSON object, without its braces: what `put` adds to a job's meta.
---@param instance string
---@param policy string
---@param owner string key of the owner
---@param key string of the job
---@param digest? string nil: the job carries none
---@return string
function marks.text(instance, policy, owner, key, digest)
  local pieces = digest and WITH_HASH or WITHOUT_HASH
  return json.fill(pieces, { instance, policy, owner, key, digest and hash_mark(digest) })
end

--- Is it the name of one of the marks?
---@param name string in a job's meta
---@return boolean
function marks.is_mark(name)
  return name:find("^operator%-") ~= nil
end

--- Does a job with these two fields carry the hash?
---@type fun(job: { Periodic: any, ParameterizedJob: any }): boolean
marks.carries_hash = carries_hash

local function hash_of(meta)
  return (meta[marks.HASH] or ""):match("^(%d+):(%x+)$")
end

local function swept_at(meta)
  return (meta[marks.STOPPED] or ""):match("^sweep (%d+%.?%d*)$")
end

---@class operator.Marks
---@field instance string
---@field policy string
---@field owner string key
---@field hash? string only if it was made by this version's hashing
---@field foreign_hash? boolean a hash is there, but another version's
---@field swept? string when it was stopped out of the budget of removals
---@field adopted? boolean it has no marks yet, but says itself that it may be taken over

--- Which policy's child is it? The usual question, for which nothing is made.
---@param job table or a list's stub
---@return string? policy nil: not a child (no marks, a run of a periodic child, or a copy under another name)
function marks.policy(job)
  local meta = job.Meta
  if type(meta) ~= "table" or (job.ParentID or "") ~= "" then
    return nil
  end
  local policy = meta[marks.POLICY]
  if
    policy
    and meta[marks.OWNER]
    and meta[marks.INSTANCE]
    and meta[marks.SELF] == marks.key(job.Namespace, job.ID)
  then
    return policy
  end
end

--- Reads the marks of a job or of a list's stub.
---@param job table
---@return operator.Marks? nil: not a child
function marks.read(job)
  local policy = marks.policy(job)
  if not policy then
    return nil
  end
  local meta = job.Meta
  local version, digest = hash_of(meta)
  return {
    instance = meta[marks.INSTANCE],
    policy = policy,
    owner = meta[marks.OWNER],
    hash = version == HASH_VERSION and digest or nil,
    foreign_hash = version ~= nil and version ~= HASH_VERSION,
    swept = swept_at(meta),
  }
end

--- Does a job without marks say in its own meta that the policy may take it over?
---@param job table
---@param policy string
---@return boolean
function marks.may_adopt(job, policy)
  return type(job.Meta) == "table"
    and (job.ParentID or "") == ""
    and job.Meta[marks.ADOPT] == policy
end

-- The job with another meta.
local function with_meta(job, change)
  local copy, meta = {}, {}
  for name, value in pairs(job) do
    copy[name] = value
  end
  for name, value in pairs(job.Meta or {}) do
    meta[name] = value
  end
  change(meta)
  copy.Meta = meta
  return copy
end

--- The live child, to be stopped out of the budget.
---@param job table
---@param time string
---@return table copy
function marks.swept(job, time)
  return with_meta(job, function(meta)
    meta[marks.STOPPED] = "sweep " .. time
  end)
end

--- The live child, to be nobody's.
---@param job table
---@return table copy
function marks.released(job)
  return with_meta(job, function(meta)
    for name in pairs(job.Meta) do
      if marks.is_mark(name) then
        meta[name] = nil
      end
    end
  end)
end

return marks
