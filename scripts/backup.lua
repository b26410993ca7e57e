--- A job whose meta says auto-backup = "true" has a periodic job backup-<id>, made from backup.nomad.hcl.
---
---     meta {
---       auto-backup      = "true"
---       backup-schedule  = "@daily"       # optional: when, as in a periodic job's cron
---       backup-target-db = "orders"       # optional: what; the job's ID if not given
---     }
---
--- Change either file and send the operator SIGHUP: all backup jobs follow.

local operator = require "operator"
local jobspec = require "nomad.jobspec"

local backup = jobspec.template "backup.nomad.hcl"

local DEFAULT_SCHEDULE = "@daily"
local SWITCH = "auto-backup"
-- The keys, and how they look without their dashes.
local KEYS = {
  ["auto-backup"] = "autobackup",
  ["backup-schedule"] = "backupschedule",
  ["backup-target-db"] = "backuptargetdb",
}

--- One clear line about a bad value. The job is looked at again when it changes; other jobs go on.
local function refuse(job, key, value, allowed)
  operator.fail(("%s/%s: meta %s = %q is not allowed: %s"):format(job.Namespace, job.ID, key, value,
    allowed))
end

--- What the job's meta asks for, as the values of the template's placeholders.
local function settings(job)
  local schedule = job.Meta["backup-schedule"] or DEFAULT_SCHEDULE
  local target = job.Meta["backup-target-db"] or job.ID
  if not operator.cron.parse(schedule) then
    refuse(job, "backup-schedule", schedule, "expected " .. operator.cron.FORMS)
  elseif target == "" or target:find("[{$%%]{") or target:find("%c") then
    -- Nomad would evaluate these in the job, with the job's rights.
    refuse(job, "backup-target-db", target,
      "expected a name without {{, ${, %{ and control characters")
  end
  return {
    JobID = "backup-" .. job.ID,
    SourceJobID = job.ID,
    Namespace = job.Namespace,
    Schedule = schedule,
    TargetDB = target,
  }
end

--- The key that `key` was meant to be: auto_backup, AutoBackup, backup_schedule …
local function meant(key)
  if KEYS[key] then
    return key
  end
  local plain = key:lower():gsub("[_%-]", "")
  for known, without_dashes in pairs(KEYS) do
    if plain == without_dashes then
      return known
    end
  end
end

-- The JobModifyIndex of jobs that were warned of, by key. Forgotten now and then: a warning may be repeated.
local warned, count = {}, 0
local MOST = 1000

--- Was this specification not warned of yet? `desired` is asked again when a write failed, or the backup was changed.
local function is_news(job, key)
  if warned[key] == job.JobModifyIndex then
    return false
  elseif count == MOST then
    warned, count = {}, 0
  end
  warned[key], count = job.JobModifyIndex, count + 1
  return true
end

--- Warns of what in a job's meta does nothing: it seems to ask for backups, and gets none, or not as it says.
local function hints(job, ctx)
  local lines = {}
  --- `place`: the group or task whose meta this is; nil for the job's own.
  local function check(meta, place)
    for key, value in pairs(meta or {}) do
      local known = meant(key)
      local switch = known == SWITCH
      if known and (place or key ~= known or switch and value ~= "true" and value ~= "false") then
        table.insert(lines,
          ("job %s: %s = %q in %s does nothing; write %s = %q in the job's own meta"):format(
            job.ID, key, value, place or "the meta", known, switch and "true" or value))
      end
    end
  end
  check(job.Meta)
  if operator.occurs(job.TaskGroups, "ackup") then -- in few jobs: a large one is not taken apart for nothing
    for _, group in ipairs(job.TaskGroups or {}) do
      check(group.Meta, "the meta of group " .. group.Name)
      for _, task in ipairs(group.Tasks or {}) do
        check(task.Meta, "the meta of task " .. task.Name)
      end
    end
  end
  if lines[1] and is_news(job, ctx.key) then
    for _, line in ipairs(lines) do
      ctx.warn(line)
    end
  end
end

--- The backup follows its source: stopped or gone, it goes; moved, it moves.
local function desired(job, ctx)
  hints(job, ctx)
  if job.Stop then
    return {}
  end
  local place = { Datacenters = job.Datacenters, NodePool = job.NodePool }
  return { backup:render(settings(job), place) }
end

return {
  operator.policy {
    name = "backup",
    watch = { topic = "Job", where = { Meta = { [SWITCH] = "true" } } },
    resync = "10m",
    desired = desired,
  },
  operator.policy {
    name = "backup-hints",
    watch = {
      topic = "Job",
      where = {
        operator.mentions "auto-backup", operator.mentions "auto_backup",
        operator.mentions "autobackup",
      },
      except = { Meta = { [SWITCH] = "true" } }, -- the policy above warns of these
      shallow = true,
    },
    reconcile = hints,
  },
}
