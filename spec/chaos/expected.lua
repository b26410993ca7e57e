-- expected: what should exist, read from the jobs in Nomad and from nothing of the operator. One list of sentences says
-- where the cluster differs from it.
local expected = {}

-- The values that chaos gives to meta, and whether the policies take them.
expected.SCHEDULES = { "@hourly", "@weekly", "0 3 * * *", "*/30 * * * *" }
expected.BAD_SCHEDULES = { "whenever", "@every 1h", "99 * * * *" }
expected.TARGETS = { "orders", "db-1", "a b" }
expected.BAD_TARGETS = { "${attr.x}", "{{ key }}", "a\tb" }

local function set_of(list)
  local set = {}
  for _, value in ipairs(list) do
    set[value] = true
  end
  return set
end

local bad_schedules, bad_targets = set_of(expected.BAD_SCHEDULES), set_of(expected.BAD_TARGETS)

local function key_of(job)
  return job.Namespace .. "/" .. job.ID
end

-- The policy and owner that a job's meta names, if the job is a child of this instance.
function expected.marks(job, instance)
  local meta = job.Meta or {}
  if (job.ParentID or "") ~= "" or meta["operator-self"] ~= key_of(job) then
    return nil
  elseif not (meta["operator-policy"] and meta["operator-owner"] and meta["operator-instance"]) then
    return nil
  elseif instance and meta["operator-instance"] ~= instance then
    return nil
  end
  return { policy = meta["operator-policy"], owner = meta["operator-owner"] }
end

-- What a source wants of `backup`: one child, or false where its meta is refused.
local function wanted_backup(job, version)
  local meta = job.Meta or {}
  if meta["auto-backup"] ~= "true" or job.Stop then
    return {}
  end
  local schedule = meta["backup-schedule"] or version.schedule
  local target = meta["backup-target-db"] or job.ID
  if bad_schedules[schedule] or bad_targets[target] then
    return false
  end
  return {
    {
      id = "backup-" .. job.ID,
      looks = function(child)
        local task = child.TaskGroups[1].Tasks[1]
        return {
          { "cron", schedule, child.Periodic and child.Periodic.Spec },
          { "overlap", true, child.Periodic and child.Periodic.ProhibitOverlap },
          { "type", "batch", child.Type },
          {
            "datacenters",
            table.concat(job.Datacenters, ","),
            table.concat(child.Datacenters, ","),
          },
          { "source", job.ID, task.Env and task.Env.SOURCE_JOB_ID },
          { "namespace", job.Namespace, task.Env and task.Env.SOURCE_NS },
          { "target", target, task.Env and task.Env.TARGET_DB },
          { "command", "/bin/sh", task.Config.command },
        }
      end,
    },
  }
end

local function wanted_twins(job, version)
  local meta = job.Meta or {}
  local text = meta.twin or ""
  if text == "" or job.Stop then
    return {}
  end
  local count = math.tointeger(tonumber(text))
  if not count then
    return false
  end
  local list = {}
  for i = 1, count do
    list[i] = {
      id = ("twin-%d-%s"):format(i, job.ID),
      looks = function(child)
        local group = child.TaskGroups[1]
        local task = group.Tasks[1]
        return {
          { "type", "service", child.Type },
          { "level of the meta", version.level, child.Meta and child.Meta.level },
          { "level", version.level, task.Env and task.Env.LEVEL },
          { "owner", job.ID, task.Env and task.Env.OWNER },
          { "count", i, group.Count },
          { "command", "/bin/sleep", task.Config.command },
        }
      end,
    }
  end
  return list
end

local WANTS = { backup = wanted_backup, twin = wanted_twins }

-- All that is wanted: child key → { policy, owner, looks }, and the owners whose meta a policy refuses.
local function all_wanted(jobs, version)
  local wanted, refused = {}, {}
  for _, job in ipairs(jobs) do
    local mark = expected.marks(job)
    for policy, wants in pairs(WANTS) do
      if (job.ParentID or "") == "" and not (mark and mark.policy == policy) then
        local list = wants(job, version)
        refused[policy .. " " .. key_of(job)] = list == false
        for _, one in ipairs(list or {}) do
          local key = job.Namespace .. "/" .. one.id
          wanted[key] = { policy = policy, owner = key_of(job), looks = one.looks }
        end
      end
    end
  end
  return wanted, refused
end

local function look(key, one, child, say)
  local mark = child and expected.marks(child, "default")
  if child and not mark then
    return -- somebody else's: it stays as it is, and the policy does without
  elseif not child then
    return say("%s is missing (for %s)", key, one.owner)
  elseif mark.policy ~= one.policy or mark.owner ~= one.owner then
    return say("%s belongs to %s of %s, not to %s", key, mark.owner, mark.policy, one.owner)
  elseif child.Stop then
    return say("%s is stopped, though %s wants it", key, one.owner)
  end
  for _, entry in ipairs(one.looks(child)) do
    if entry[2] ~= entry[3] then
      say("%s: %s is %s, not %s", key, entry[1], tostring(entry[3]), tostring(entry[2]))
    end
  end
end

-- May the child go, if its owner is as given (false: gone)? Where a policy refuses the owner's meta nothing may.
function expected.may_go(owner, mark, key, version)
  if not owner or not WANTS[mark.policy] then
    return true
  end
  local wanted, refused = all_wanted({ owner }, version)
  local one = wanted[key]
  return not (one and one.policy == mark.policy) and not refused[mark.policy .. " " .. mark.owner]
end

-- Where the jobs differ from what `version` of the policies wants. Empty: all is right.
function expected.differences(nomad, version)
  local jobs, by_key, out = {}, {}, {}
  for _, job in ipairs(nomad:all_jobs()) do
    jobs[#jobs + 1], by_key[key_of(job)] = job, job
  end
  local function say(text, ...)
    out[#out + 1] = text:format(...)
  end
  local wanted, refused = all_wanted(jobs, version)
  for key, one in pairs(wanted) do
    look(key, one, by_key[key], say)
  end
  for key, job in pairs(by_key) do
    local mark = expected.marks(job, "default")
    if mark and not job.Stop and WANTS[mark.policy] then
      local one = wanted[key]
      local needed = one and one.policy == mark.policy and one.owner == mark.owner
      if not needed and not refused[mark.policy .. " " .. mark.owner] then
        say("%s is still there, but %s does not want it", key, mark.owner)
      end
    end
  end
  table.sort(out)
  return out
end

return expected
