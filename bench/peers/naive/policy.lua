--- policy: the naive peer's rule: decodes each line whole and writes what it asks for. `call` is its host's.

local cjson = require "cjson"

local call = call -- luacheck: ignore 113
local SCRIPT = 'set -eu\necho "Backing up database $TARGET_DB of job $SOURCE_JOB_ID '
  .. 'in namespace $SOURCE_NS"\n'
local made = {}

local function backup(job)
  local task = {
    Name = "backup",
    Driver = "raw_exec",
    Config = { command = "/bin/sh", args = { "-c", SCRIPT } },
    Env = {
      SOURCE_JOB_ID = job.ID,
      SOURCE_NS = job.Namespace,
      TARGET_DB = job.Meta["backup-target-db"] or job.ID,
    },
    Resources = { CPU = 100, MemoryMB = 64 },
  }
  return {
    ID = "backup-" .. job.ID,
    Name = "backup-" .. job.ID,
    Namespace = job.Namespace,
    Type = "batch",
    Datacenters = job.Datacenters,
    Periodic = {
      Enabled = true,
      Spec = job.Meta["backup-schedule"] or "@daily",
      SpecType = "cron",
      ProhibitOverlap = true,
    },
    TaskGroups = { { Name = "backup", Tasks = { task } } },
  }
end

local function on_job(event, job)
  local gone = job.Stop or event.Type == "JobDeregistered"
  local enabled = type(job.Meta) == "table" and job.Meta["auto-backup"] == "true"
  if job.ParentID ~= "" then
    return
  elseif enabled and not gone then
    assert(call("POST", "/v1/jobs", cjson.encode { Job = backup(job) }) == 200)
    made[job.ID] = true
  elseif made[job.ID] then
    assert(call("DELETE", "/v1/job/backup-" .. job.ID) == 200)
    made[job.ID] = nil
  end
end

return function(line)
  for _, event in ipairs(cjson.decode(line).Events or {}) do
    if event.Type == "JobRegistered" or event.Type == "JobDeregistered" then
      if event.Topic == "Job" then
        on_job(event, event.Payload.Job)
      end
    end
  end
end
