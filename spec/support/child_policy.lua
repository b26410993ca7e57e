-- child_policy: a small policy with one child a job, as the job's meta says, jobs for it, and a world that runs it.
local looks = require "support.looks"
local testing = require "operator.testing"

local child_policy = {}

-- %s are more fields of the policy.
local POLICY = [[
local operator = require "operator"
local function child(job)
  local meta = job.Meta
  return {
    ID = "c-" .. job.ID, Type = meta.type or "batch", Datacenters = { "dc1" },
    Periodic = meta.cron and { Spec = meta.cron, SpecType = "cron" } or nil,
    TaskGroups = { { Name = "g", Count = tonumber(meta.count or "1"), Tasks = {
      { Name = "t", Driver = "raw_exec", Config = { command = meta.command or "true" },
        Env = { A = meta.a or "1" } },
    } } },
  }
end
return operator.policy {
  name = "p", watch = { topic = "Job", where = { Meta = { child = "true" } } },
  desired = function(job)
    if job.Stop or job.Meta.none then return {} end
    return { child(job) }
  end,
  %s
}
]]

--- The policy's text; `fields` are more fields of it.
---@param fields? string
---@return string
function child_policy.text(fields)
  return POLICY:format(fields or "")
end

--- A job that has a child.
---@param id string
---@param meta? table<string, string>
---@param fields? table
---@return table
function child_policy.source(id, meta, fields)
  local job = looks.source(id, meta, fields)
  job.Meta.child = "true"
  return job
end

--- A world whose script is the policy with those fields.
---@param fields? string
---@param options? table of testing.world
function child_policy.world(fields, options)
  options = options or {}
  options.files = { ["p.lua"] = child_policy.text(fields) }
  return testing.world(options)
end

--- How many children are not stopped.
---@return integer
function child_policy.count_alive(world)
  return looks.count_alive(world, "^c%-[^/]*$")
end

return child_policy
