--- Every job with `warm-url` in its meta has a batch job beside it that fetches that URL every ten minutes.

local operator = require "operator"

local function warmer(job)
  return {
    ID = "warm-" .. job.ID,
    Type = "batch",
    Datacenters = job.Datacenters,
    Periodic = { Spec = "*/10 * * * *", SpecType = "cron", ProhibitOverlap = true },
    TaskGroups = {
      {
        Name = "warm",
        Tasks = {
          {
            Name = "fetch",
            Driver = "exec",
            Config = {
              command = "/usr/bin/curl",
              args = { "-sSfo", "/dev/null", job.Meta["warm-url"] },
            },
          },
        },
      },
    },
  }
end

return operator.policy {
  name = "warm",
  watch = { topic = "Job", where = { Meta = { ["warm-url"] = operator.prefix "http" } } },
  desired = function(job)
    if job.Stop then
      return {}
    end
    return { warmer(job) }
  end,
}
