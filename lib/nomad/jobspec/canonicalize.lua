--- canonicalize: a job as a server returns it after it was registered: every field is there, defaults are filled in,
--- what the job implies (constraints, sidecar tasks, identities) is added. Fields that a server makes by itself
--- (indexes, version, status, times) are no part of it.
---
--- The steps are Nomad's own: the agent fills in defaults (group.lua, task.lua, service.lua, connect.lua), the leader
--- does the same once more and adds what follows (server.lua, sidecar.lua, expose.lua, implied.lua). A server's own
--- configuration is taken to be the default one.

local expose = require "nomad.jobspec.canonical.expose"
local group = require "nomad.jobspec.canonical.group"
local implied = require "nomad.jobspec.canonical.implied"
local read = require "nomad.jobspec.canonical.read"
local schema = require "nomad.jobspec.schema"
local server = require "nomad.jobspec.canonical.server"
local sidecar = require "nomad.jobspec.canonical.sidecar"
local version = require "nomad.jobspec.version"
local write = require "nomad.jobspec.canonical.write"

--- The version of Nomad that is meant when none is said.
local DEFAULT_NOMAD = "1.11.3"

---@class jobspec.CanonicalOptions
---@field nomad? string the server's version; "1.11.3"
---@field region? string the agent's; "global"
---@field namespace? string of jobs that say none; "default"

-- Where the job goes.
local function place(job, options)
  if (job.Region or "") == "" or job.Region == "global" then
    job.Region = options.region or "global"
  end
  if job.Multiregion then
    job.Region = "global"
  end
  if (job.Namespace or "") == "" then
    job.Namespace = options.namespace or "default"
  end
end

-- What the agent does not pass on from a request.
local function forget(job)
  job.ParentID, job.Dispatched, job.DispatchIdempotencyToken = nil, nil, nil
  job.NomadTokenID, job.ConsulNamespace = nil, nil
end

local function mutate(job, at_least)
  server.canonicalize(job, at_least)
  if job.Priority == 0 and at_least "1.5.0" then
    job.Priority = 50
  end
  if at_least "1.8.0" then
    implied.add_partitions(job)
  end
  sidecar.add(job, at_least)
  expose.add(job, at_least)
  implied.add_constraints(job, at_least)
  if (job.NodePool or "") == "" then
    job.NodePool = "default"
  end
  if at_least "1.7.0" then
    implied.add_identities(job)
  end
  server.canonicalize(job, at_least)
end

--- Raises a sentence that names the path of a value that Nomad could not decode.
---@param job table in Nomad's JSON form; is not changed
---@param options? jobspec.CanonicalOptions
---@return table
local function canonicalize(job, options)
  options = options or {}
  local nomad = options.nomad or DEFAULT_NOMAD
  if not version.is(nomad) then
    error(('"%s" is no version of Nomad; expected one like "%s"'):format(nomad, schema.newest), 2)
  end
  local function at_least(other)
    return version.at_least(nomad, other)
  end
  local copy = read.job(job, nomad)
  place(copy, options)
  group.canonicalize_job(copy, at_least)
  forget(copy)
  mutate(copy, at_least)
  return write.job(copy, nomad)
end

return { canonicalize = canonicalize, DEFAULT_NOMAD = DEFAULT_NOMAD }
