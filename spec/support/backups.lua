-- A world with a small policy for specs of the reconcile core: a job with auto-backup has one periodic child.
local looks = require "support.looks"
local testing = require "operator.testing"

local backups = {}

backups.POLICY = [[
local operator = require "operator"
return operator.policy {
  name = "backup",
  watch = { topic = "Job", where = { Meta = { ["auto-backup"] = "true" } } },
  desired = function(job, ctx)
    if job.Stop then
      return {}
    elseif job.Meta.schedule == "bad" then
      operator.fail("schedule: bad is not a schedule")
    elseif job.Meta.schedule == "busy" then
      operator.retry("busy")
    end
    return { {
      ID = "backup-" .. job.ID, Type = "batch", Datacenters = job.Datacenters,
      Periodic = { Spec = job.Meta.schedule or "@daily", SpecType = "cron" },
      TaskGroups = { { Name = "g", Tasks = {
        { Name = "t", Driver = "raw_exec", Config = { command = "true" } },
      } } },
    } }
  end,
}
]]

---@param id string
---@param schedule? string
---@param namespace? string
---@return table job with auto-backup
function backups.source(id, schedule, namespace)
  return looks.source(id, { schedule = schedule }, { Namespace = namespace })
end

---@param options? operator.testing.WorldOptions
---@return operator.testing.World
function backups.world(options)
  options = options or {}
  options.files = options.files or { ["backup.lua"] = backups.POLICY }
  return testing.world(options)
end

--- The live child of a job; nil where it is not there or stopped.
---@return table?
function backups.child(world, id, namespace)
  return looks.alive(world, "backup-" .. id, namespace)
end

--- All that was said: records, then the transcript.
backups.said = looks.said

--- How many times a text was said.
---@return integer
function backups.times(world, text)
  return looks.times(looks.said(world), text)
end

return backups
