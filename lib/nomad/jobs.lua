--- Jobs: read, list, register, stop, parse. The calls return a value, or nil and an error.

local nomad = require "nomad"

local jobs = {}

--- Fields that the server keeps about a job. Sent back, some do harm (Stop), the others only noise.
local RUNTIME = {
  Stop = true,
  Status = true,
  StatusDescription = true,
  Stable = true,
  Version = true,
  CreateIndex = true,
  ModifyIndex = true,
  JobModifyIndex = true,
  SubmitTime = true,
  NomadTokenID = true,
  VersionTag = true,
  ParentID = true,
  Dispatched = true,
  DispatchIdempotencyToken = true,
  ConsulToken = true,
  VaultToken = true,
  Payload = true,
}

---@class nomad.Registration
---@field JobModifyIndex integer
---@field EvalID string empty for periodic and parameterized jobs
---@field Warnings? string

local function path_of(id, rest)
  return "/v1/job/" .. nomad.escape(id) .. (rest or "")
end

--- Nomad has no status of its own for a failed check-and-set: it is known by its text, which a client-only agent
--- puts words before.
local function recognised(err)
  local text = err and (err.body or err.message) or ""
  if text:find("Enforcing job modify index", 1, true) then
    local fields = {}
    for name, value in pairs(err) do
      fields[name] = value
    end
    fields.code, fields.retryable = "conflict", true
    return nomad.error(fields)
  end
  return err
end

---@class nomad.jobs.GetOptions
---@field index? integer the answer is at least as new as this
---@field wait? string "30s": how long the server may hold the request for that

--- The whole job. err.code is "not_found" when there is none.
---@async
---@param namespace string
---@param id string
---@param options? nomad.jobs.GetOptions
---@return table? job
---@return host.nomad.Error?
function jobs.get(namespace, id, options)
  options = options or {}
  local path = path_of(id)
  local query = { namespace = namespace, index = options.index, wait = options.wait }
  local job, err, response = nomad.request("GET", path, { query = query })
  if not job then
    return nil, err
  elseif type(job) ~= "table" or job.ID ~= id or job.Namespace ~= namespace then
    -- A proxy that decodes the path turns the job "web/allocations" into a list of job web.
    local message = ("the answer is not the job %q of namespace %q"):format(id, namespace)
    return nil, nomad.unexpected("GET", path, message, response.body:sub(1, 1024))
  end
  return job
end

---@class nomad.jobs.ListOptions
---@field namespace? string "*", the default: all that the token may read
---@field prefix? string of the ID
---@field index? integer a blocking query: answer when the list is newer
---@field wait? string
---@field pick? host.nomad.Pick which stubs are read; the others are only counted

--- The stubs of all jobs, read one by one. They have the jobs' Meta where the server can send it (1.4 cannot).
---@async
---@param options? nomad.jobs.ListOptions
---@return nomad.Reader?
---@return host.nomad.Error?
function jobs.list(options)
  options = options or {}
  return nomad.list("/v1/jobs", {
    query = {
      namespace = options.namespace or "*",
      meta = true,
      prefix = options.prefix,
      index = options.index,
      wait = options.wait,
    },
    pick = options.pick,
  })
end

--- The index of the newest change to any job that the token may list; with options a blocking query.
---@async
---@param options? { index?: integer, wait?: integer } wait: seconds
---@return integer? index 0: the server tells none
---@return host.nomad.Error?
function jobs.index(options)
  options = options or {}
  return nomad.index("/v1/jobs", {
    query = { namespace = "*" },
    index = options.index,
    wait = options.wait,
  })
end

---@class nomad.jobs.RegisterOptions
---@field enforce_index? integer register only if the job's JobModifyIndex is this; 0: only if there is none
---@field submission? table the source that the job was made from, for the server to keep

-- A job is registered in the namespace of the request's query.
local function send_registration(request)
  local answer, err, response = nomad.request("POST", "/v1/jobs", request)
  if not answer then
    return nil, recognised(err)
  elseif type(answer) ~= "table" or math.type(answer.JobModifyIndex) ~= "integer" then
    -- Whether the job was registered is not known: whoever asked has to read it.
    return nil,
      nomad.unexpected(
        "POST",
        "/v1/jobs",
        "the answer is not that of a registration",
        response.body:sub(1, 1024)
      )
  end
  return answer
end

--- Registers a job in its own namespace. err.code is "conflict" when enforce_index does not hold.
---@async
---@param job table
---@param options? nomad.jobs.RegisterOptions
---@return nomad.Registration?
---@return host.nomad.Error?
function jobs.register(job, options)
  options = options or {}
  local enforce = options.enforce_index
  return send_registration({
    query = { namespace = job.Namespace or "default" },
    body = {
      Job = job,
      EnforceIndex = enforce ~= nil or nil,
      JobModifyIndex = enforce,
      Submission = options.submission,
    },
  })
end

--- As register, with the job as JSON text.
---@async
---@param text string an object
---@param namespace string the job's
---@param enforce integer register only if the job's JobModifyIndex is this
---@return nomad.Registration?
---@return host.nomad.Error?
function jobs.register_text(text, namespace, enforce)
  return send_registration({
    query = { namespace = namespace },
    text = '{"EnforceIndex":true,"Job":' .. text .. ',"JobModifyIndex":' .. enforce .. "}",
  })
end

--- The job without what the server keeps about it: as it could have been registered.
---@param job table
---@return table copy shares what is nested
function jobs.strip(job)
  local copy = {}
  for name, value in pairs(job) do
    if not RUNTIME[name] then
      copy[name] = value
    end
  end
  return copy
end

--- Stops a job as it was read by `get`. Unlike deregister, this can be made to fail when somebody else wrote first.
---@async
---@param job table
---@param options? nomad.jobs.RegisterOptions
---@return nomad.Registration?
---@return host.nomad.Error?
function jobs.stop(job, options)
  local stopped = jobs.strip(job)
  stopped.Stop = true
  return jobs.register(stopped, options)
end

--- Stops a job without check-and-set. Nomad says yes for a job that does not exist, too.
---@async
---@param namespace string
---@param id string
---@param options? { purge?: boolean }
---@return table?
---@return host.nomad.Error?
function jobs.deregister(namespace, id, options)
  local query = { namespace = namespace, purge = options and options.purge or false }
  return nomad.request("DELETE", path_of(id), { query = query })
end

--- Lets Nomad read HCL. The fields that it does not set stay out.
---@async
---@param hcl string
---@param namespace? string in which the token may parse
---@return table? job
---@return host.nomad.Error? err its body is Nomad's text: "input.hcl:3,5-8: …"
function jobs.parse(hcl, namespace)
  local job, err, response = nomad.request("POST", "/v1/jobs/parse", {
    query = { namespace = namespace },
    body = { JobHCL = hcl, Canonicalize = false },
  })
  if not job then
    return nil, err
  elseif type(job) ~= "table" or type(job.ID) ~= "string" then
    return nil,
      nomad.unexpected(
        "POST",
        "/v1/jobs/parse",
        "the answer is not a job",
        response.body:sub(1, 1024)
      )
  end
  return job
end

--- What registering would do.
---@async
---@param job table
---@param options? { timeout?: number } seconds
---@return table?
---@return host.nomad.Error?
function jobs.plan(job, options)
  local query = { namespace = job.Namespace or "default" }
  return nomad.request("POST", path_of(job.ID, "/plan"), {
    query = query,
    body = { Job = job, Diff = true },
    timeout = options and options.timeout,
  })
end

--- Whether the server would take the job. An invalid one is an answer with ValidationErrors, not an error.
---@async
---@param job table
---@return table?
---@return host.nomad.Error?
function jobs.validate(job)
  local query = { namespace = job.Namespace or "default" }
  return nomad.request("POST", "/v1/validate/job", { query = query, body = { Job = job } })
end

--- Starts a periodic job now.
---@async
---@param namespace string
---@param id string
---@return table?
---@return host.nomad.Error?
function jobs.force(namespace, id)
  return nomad.request("PUT", path_of(id, "/periodic/force"), { query = { namespace = namespace } })
end

return jobs
