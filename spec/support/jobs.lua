-- jobs: small jobs for specs, as a person would register them.
local json = require "host.json"

local jobs = {}

local function laid_over(job, more)
  for name, value in pairs(more or {}) do job[name] = value end
  return job
end

local function group(command, ...)
  local config = { command = command, args = json.array { ... } }
  local resources = { CPU = 20, MemoryMB = 16 }
  local task = { Name = "task", Driver = "raw_exec", Config = config, Resources = resources }
  return json.array { { Name = "group", Tasks = json.array { task } } }
end

function jobs.service(id, more)
  return laid_over({
    ID = id,
    Type = "service",
    Datacenters = json.array { "dc1" },
    TaskGroups = group("/bin/sleep", "3600"),
  }, more)
end

function jobs.batch(id, more)
  return laid_over({
    ID = id,
    Type = "batch",
    Datacenters = json.array { "dc1" },
    TaskGroups = group("/bin/true"),
  }, more)
end

function jobs.periodic(id, more)
  return laid_over(jobs.batch(id, { Periodic = { Spec = "0 0 1 1 *" } }), more)
end

function jobs.parameterized(id, more)
  local own = { ParameterizedJob = { MetaOptional = json.array { "a" } } }
  return laid_over(jobs.batch(id, own), more)
end

return jobs
