-- live: what the live specs share: the cluster of the wanted version, the operator beside it, jobs to try it with.
local uv = require "luv"
local nomad = require "support.nomad"
local process = require "support.process"
local wait = require "support.wait"

local live = {}

-- Seconds that the operator has for anything. Far more than it needs, also with the sanitizers.
live.patience = 15

-- A Nomad of $NOMAD_VERSION, or of any version when that is not set.
function live.cluster(options)
  options = options or {}
  options.version = os.getenv("NOMAD_VERSION")
  return nomad.start(options)
end

-- True on Nomads of at least this minor version of 1.x.
function live.at_least(minor)
  local version = os.getenv("NOMAD_VERSION") or "1.11.3"
  return tonumber(version:match("^1%.(%d+)")) >= minor
end

-- Starts the operator with the scripts in `dir` (default: the repository's own), without waiting for anything.
function live.launch(cluster, dir)
  return process.operator {
    "run", "-log-format", "text", dir or "scripts",
    env = { NOMAD_ADDR = cluster.address },
  }
end

-- Starts it and waits until it knows the cluster.
function live.operator(cluster, dir)
  local operator = live.launch(cluster, dir)
  operator:wait_for("Synced", live.patience)
  return operator
end

-- Ends it as a service manager would; the exit code must be 0.
function live.stop(operator)
  operator:signal("sigterm")
  local code = operator:wait(live.patience)
  if code ~= 0 then error(("exit code %d; %s"):format(code, operator:said()), 2) end
end

-- A copy of the shipped scripts in a directory of their own, with a short resync. edit(name, change) rewrites one.
function live.scripts()
  local temporary = os.getenv("TMPDIR") or "/tmp"
  local dir = assert(uv.fs_mkdtemp(temporary .. "/nomad-operator-scripts-XXXXXX"))
  local scripts = { dir = dir }
  function scripts.edit(name, change)
    local file = assert(io.open(dir .. "/" .. name))
    local text = file:read("a")
    file:close()
    local changed = change(text)
    assert(changed ~= text, "the edit of " .. name .. " changed nothing")
    -- Written aside and moved: the operator must never read half a file.
    file = assert(io.open(dir .. "/." .. name, "w"))
    file:write(changed)
    file:close()
    assert(os.rename(dir .. "/." .. name, dir .. "/" .. name))
  end
  function scripts.remove()
    process.run { "rm", "-rf", dir }
  end
  assert(process.run { "cp", "-R", "scripts/.", dir } == 0)
  scripts.edit("backup.lua", function(text)
    return (text:gsub('resync%s*=%s*"[^"]*"', 'resync = "2s"'))
  end)
  return scripts
end

local function task()
  return {
    Name = "task",
    Driver = "raw_exec",
    Config = { command = "/bin/sleep", args = { "3600" } },
    Resources = { CPU = 20, MemoryMB = 16 },
  }
end

local function job(id, type, meta)
  return {
    ID = id,
    Name = id,
    Type = type,
    Datacenters = { "dc1" },
    Meta = meta,
    TaskGroups = { { Name = "group", Count = 1, Tasks = { task() } } },
  }
end

-- A running service. `meta` is laid over auto-backup = "true".
function live.service(id, meta)
  local all = { ["auto-backup"] = "true" }
  for name, value in pairs(meta or {}) do all[name] = value end
  return job(id, "service", all)
end

-- A job that has no allocations until it is dispatched: cheap to have many of.
function live.parameterized(id, meta)
  local result = job(id, "batch", meta or { ["auto-backup"] = "true" })
  result.ParameterizedJob = {}
  result.TaskGroups[1].Tasks[1].Config = { command = "/bin/true" }
  return result
end

-- A job that runs from a clock.
function live.periodic(id, meta)
  local result = job(id, "batch", meta or { ["auto-backup"] = "true" })
  result.Periodic = { Enabled = true, SpecType = "cron", Spec = "0 0 1 1 *" }
  result.TaskGroups[1].Tasks[1].Config = { command = "/bin/true" }
  return result
end

-- The schedule of a job that runs from a clock; nil for one that does not exist or is stopped.
function live.schedule(found)
  if not found or found.Stop or type(found.Periodic) ~= "table" then return nil end
  return found.Periodic.Spec ~= "" and found.Periodic.Spec or found.Periodic.Specs[1]
end

-- Waits until job `id` has the schedule (false: is gone or stopped), and returns it as it is then.
function live.expect(cluster, operator, id, schedule, options)
  options = options or {}
  local namespace = options.namespace or "default"
  local found
  wait.poll(options.seconds or live.patience, function()
    return ("job %s/%s should have schedule %s, it has %s; %s"):format(namespace, id,
      tostring(schedule), tostring(live.schedule(found)), operator:said())
  end, function()
    if not operator:running() then error(operator:said(), 0) end
    found = cluster:job(namespace, id)
    return live.schedule(found) == (schedule or nil)
  end)
  return found
end

-- Waits until job `id` runs. Before that it had better not be purged: Nomad 1.11.3 itself crashes where that happens
-- while the job's first plan is being applied.
function live.runs(cluster, id)
  wait.poll(live.patience, function() return ("job %s does not run"):format(id) end, function()
    local allocation = cluster:get(("/v1/job/%s/allocations"):format(id))[1]
    return allocation ~= nil and allocation.ClientStatus == "running"
  end)
end

-- Waits until the operator has worked all that was asked of it so far: a job asked for now has its backup.
function live.settle(cluster, operator)
  live.settled = (live.settled or 0) + 1
  local id = ("settle-%d"):format(live.settled)
  cluster:register(live.parameterized(id))
  live.expect(cluster, operator, "backup-" .. id, "@daily")
end

return live
