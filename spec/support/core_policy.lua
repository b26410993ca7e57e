-- The text of a small policy: one periodic child a job, as the job's meta says; `bad` and `bug` are ways to fail.
return [[
local operator = require "operator"
return operator.policy {
  name = "backup",
  watch = { topic = "Job", where = { Meta = { ["auto-backup"] = "true" } } },
  desired = function(job, ctx)
    if job.Stop then
      return {}
    elseif job.Meta.schedule == "bad" then
      operator.fail("schedule: bad is not a schedule")
    elseif job.Meta.schedule == "bug" then
      return nothing.there
    end
    return { {
      ID = job.Meta.child or ("backup-" .. job.ID), Type = "batch", Datacenters = job.Datacenters,
      Periodic = { Spec = job.Meta.schedule or "@daily", SpecType = "cron" },
      TaskGroups = { { Name = "g", Tasks = {
        { Name = "t", Driver = "raw_exec", Config = { command = "true" } },
      } } },
    } }
  end,
}
]]
