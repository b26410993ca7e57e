-- scripts/backup.lua in a world: from a job's meta to its backup job, and what people get wrong.
local json = require "host.json"
local samples = require "support.jobs"
local testing = require "operator.testing"

local SCRIPTS = { "scripts/backup.lua" }

describe("the backup policy", function()
  local world

  local function start(options)
    options = options or {}
    options.scripts = SCRIPTS
    world = testing.world(options)
    world:start()
  end

  before_each(function()
    start()
  end)

  after_each(function()
    assert.is_true(world:stop())
  end)

  --- Registers a job and lets the operator work.
  local function register(id, meta, more)
    local job = samples.service(id, more)
    job.Meta = meta
    world.nomad:register(job)
    world:settle()
  end

  --- The live backup of a job; nil when there is none or it is stopped.
  local function backup_of(id, namespace)
    local job = world.nomad:job(namespace or "default", "backup-" .. id)
    return job and not job.Stop and job or nil
  end

  --- All that was said at a level, as one text.
  local function said(level)
    local lines = {}
    for _, record in ipairs(world.log) do
      if record.level == level then
        lines[#lines + 1] = record.message
      end
    end
    return table.concat(lines, "\n") .. "\n" .. table.concat(world.transcript, "\n")
  end

  it("gives a marked job its backup", function()
    register("web", { ["auto-backup"] = "true" })
    local backup = assert(backup_of "web")
    assert.equal("batch", backup.Type)
    assert.equal("@daily", backup.Periodic.Spec)
    assert.is_true(backup.Periodic.ProhibitOverlap)
    assert.same({ "dc1" }, backup.Datacenters)
    local task = backup.TaskGroups[1].Tasks[1]
    assert.equal("raw_exec", task.Driver)
    assert.same({ SOURCE_JOB_ID = "web", SOURCE_NS = "default", TARGET_DB = "web" }, task.Env)
  end)

  it("leaves other jobs alone", function()
    register("web")
    register("off", { ["auto-backup"] = "false" })
    assert.is_nil(backup_of "web")
    assert.is_nil(backup_of "off")
    assert.equal(2, #json.decode(world.nomad:http({ path = "/v1/jobs", query = {} }).body))
  end)

  it("takes schedule and target from the meta, and follows their change", function()
    local meta = { ["auto-backup"] = "true", ["backup-schedule"] = "0 3 * * *" }
    meta["backup-target-db"] = "orders"
    register("web", meta)
    assert.equal("0 3 * * *", backup_of("web").Periodic.Spec)
    assert.equal("orders", backup_of("web").TaskGroups[1].Tasks[1].Env.TARGET_DB)
    register("web", { ["auto-backup"] = "true", ["backup-schedule"] = "@hourly" })
    assert.equal("@hourly", backup_of("web").Periodic.Spec)
    assert.equal("web", backup_of("web").TaskGroups[1].Tasks[1].Env.TARGET_DB)
  end)

  it("follows the datacenters and the node pool", function()
    local place = { Datacenters = json.array { "dc2", "dc3" }, NodePool = "all" }
    register("web", { ["auto-backup"] = "true" }, place)
    assert.same({ "dc2", "dc3" }, backup_of("web").Datacenters)
    assert.equal("all", backup_of("web").NodePool)
  end)

  it("removes the backup when the mark goes, the job stops or is purged", function()
    local meta = { ["auto-backup"] = "true" }
    register("web", meta)
    assert(backup_of "web")
    register("web")
    assert.is_nil(backup_of "web")
    register("web", meta)
    assert(backup_of "web")
    world.nomad:stop("default", "web")
    world:settle()
    assert.is_nil(backup_of "web")
    register("web", meta)
    assert(backup_of "web")
    world.nomad:purge("default", "web")
    world:settle()
    assert.is_nil(backup_of "web")
  end)

  it("works in each namespace", function()
    world:stop()
    world = testing.world { scripts = SCRIPTS }
    world.nomad:http { method = "POST", path = "/v1/namespace/ops", body = '{"Name":"ops"}' }
    world:start()
    register("web", { ["auto-backup"] = "true" }, { Namespace = "ops" })
    assert.is_nil(backup_of "web")
    assert.equal("ops", backup_of("web", "ops").Namespace)
  end)

  it("works with any ID", function()
    for _, id in ipairs { "a/b", "a:b", "50%", "über", 'q"uote', "back\\slash" } do
      register(id, { ["auto-backup"] = "true" })
      local backup = assert(backup_of(id), id)
      assert.equal(id, backup.TaskGroups[1].Tasks[1].Env.SOURCE_JOB_ID)
    end
  end)

  it("serves periodic and parameterized jobs, but neither their runs nor the backups", function()
    local marked = { Meta = { ["auto-backup"] = "true" } }
    world.nomad:register(samples.periodic("cron", marked))
    world.nomad:register(samples.parameterized("param", marked))
    world:settle()
    assert(backup_of "cron")
    assert(backup_of "param")
    world.nomad:http { method = "PUT", path = "/v1/job/cron/periodic/force", query = {} }
    world.nomad:http { method = "PUT", path = "/v1/job/backup-cron/periodic/force", query = {} }
    world.nomad:http { method = "PUT", path = "/v1/job/param/dispatch", query = {}, body = "{}" }
    world:settle()
    local backups, runs = 0, 0
    for _, stub in ipairs(json.decode(world.nomad:http({ path = "/v1/jobs", query = {} }).body)) do
      if stub.ParentID ~= "" then
        runs = runs + 1
      elseif stub.ID:find "^backup%-" then
        backups = backups + 1
      end
    end
    assert.same({ 2, 3 }, { backups, runs })
  end)

  describe("refuses", function()
    local cases = {
      { "backup-schedule", "whenever", "expected five to seven fields" },
      { "backup-schedule", "@every 1h", "@yearly @annually @monthly @weekly @daily @hourly" },
      { "backup-schedule", "", "expected five to seven fields" },
      { "backup-target-db", "a{{ env }}", "expected a name without {{, ${" },
      { "backup-target-db", "${attr.x}", "expected a name without {{, ${" },
      { "backup-target-db", "%{ if }", "expected a name without {{, ${" },
      { "backup-target-db", "a\nb", "control characters" },
      { "backup-target-db", "", "expected a name" },
    }
    for _, case in ipairs(cases) do
      local key, value, allowed = case[1], case[2], case[3]
      it(("%s = %q, in one line, and heals"):format(key, value:gsub("\n", "\\n")), function()
        register("web", { ["auto-backup"] = "true", [key] = value })
        assert.is_nil(backup_of "web")
        local text = said "error"
        assert.matches("default/web: meta " .. key .. " = ", text, 1, true)
        assert.matches(allowed, text, 1, true)
        assert.is_nil(text:find "traceback")
        -- Others go on.
        register("api", { ["auto-backup"] = "true" })
        assert(backup_of "api")
        register("web", { ["auto-backup"] = "true" })
        assert(backup_of "web")
      end)
    end
  end)

  describe("warns of near misses:", function()
    local function task_with(meta)
      local groups = samples.service("x").TaskGroups
      groups[1].Tasks[1].Meta = meta
      return { TaskGroups = groups }
    end

    local function group_with(meta)
      local groups = samples.service("x").TaskGroups
      groups[1].Meta = meta
      return { TaskGroups = groups }
    end

    local marked = { ["auto-backup"] = "true" }
    local cases = {
      { "True", { ["auto-backup"] = "True" }, nil, 'auto-backup = "True" in the meta' },
      { "yes", { ["auto-backup"] = "yes" }, nil, 'auto-backup = "yes" in the meta' },
      { "1", { ["auto-backup"] = "1" }, nil, 'auto-backup = "1" in the meta' },
      { "auto_backup", { auto_backup = "true" }, nil, "auto_backup" },
      { "autobackup", { autobackup = "true" }, nil, "autobackup" },
      { "a group's meta", nil, group_with(marked), "in the meta of group group" },
      { "a task's meta", nil, task_with(marked), "in the meta of task task" },
    }
    for _, case in ipairs(cases) do
      it(case[1], function()
        register("web", case[2], case[3])
        local text = said "warn"
        assert.matches("job web: ", text, 1, true)
        assert.matches(case[4], text, 1, true)
        assert.matches('write auto-backup = "true" in the job\'s own meta', text, 1, true)
        assert.is_nil(backup_of "web")
      end)
    end

    --- How often a text was said to those who watch.
    local function times(text)
      return select(2, said("warn"):gsub(text:gsub("%p", "%%%0"), ""))
    end

    it("in a job with a backup too, once for each change", function()
      local nested = ' in the meta of task task does nothing; write auto-backup = "true"'
      local misspelt = 'backup_schedule = "@hourly" in the meta does nothing; write backup-schedule'
      local meta = { ["auto-backup"] = "true", backup_schedule = "@hourly" }
      register("web", meta, task_with(marked))
      assert.equal("@daily", backup_of("web").Periodic.Spec)
      assert.same({ 1, 1 }, { times(nested), times(misspelt) })
      -- Neither what becomes of the backup nor a list says it again.
      world.nomad:stop("default", "backup-web")
      world:settle()
      assert(backup_of "web")
      world:advance "1h"
      assert.same({ 1, 1 }, { times(nested), times(misspelt) })
      meta.other = "x"
      register("web", meta, task_with(marked))
      assert.same({ 2, 2 }, { times(nested), times(misspelt) })
    end)

    it("once, however often Nomad has to be asked", function()
      local ended = world:fault { path = "^/v1/jobs$", method = "POST", status = 500, body = "no" }
      register("web", { ["auto-backup"] = "true", backup_schedule = "@hourly" })
      world:advance "2m"
      assert.is_nil(backup_of "web")
      ended()
      world:advance "10m"
      assert(backup_of "web")
      assert.equal(1, times "backup_schedule =")
    end)

    it("in a job that is stopped, or refused, too", function()
      register("web", { ["auto-backup"] = "true", backup_schedule = "@hourly" }, { Stop = true })
      assert.equal(1, times "job web: backup_schedule =")
      local bad = { ["auto-backup"] = "true", ["backup-target-db"] = "", backup_schedule = "x" }
      register("api", bad)
      assert.equal(1, times "job api: backup_schedule =")
    end)

    it("when the mark is put right, and when it goes", function()
      register("web", { auto_backup = "true" })
      assert.equal(1, times "job web: auto_backup =")
      register("web", { auto_backup = "true", ["auto-backup"] = "true" })
      assert.equal(2, times "job web: auto_backup =")
      assert(backup_of "web")
      register("web", { auto_backup = "true" })
      assert.equal(3, times "job web: auto_backup =")
      assert.is_nil(backup_of "web")
    end)

    it("at a start, of a job that was there before", function()
      world:stop()
      world = testing.world { scripts = SCRIPTS }
      local job = samples.service("web", group_with(marked))
      job.Meta = marked
      world.nomad:register(job)
      world:start()
      assert(backup_of "web")
      assert.equal(1, times "in the meta of group group")
    end)

    it("and a job with a backup costs the other policy nothing", function()
      local function reconciled(policy)
        return world.counters[('reconcile_total{policy="%s",result="done"}'):format(policy)] or 0
      end
      register("web", { ["auto-backup"] = "true" })
      register("api", { ["auto-backup"] = "true", backup_schedule = "@hourly" })
      assert(reconciled "backup" >= 2)
      assert.equal(0, reconciled "backup-hints")
      register("db", { auto_backup = "true" })
      assert.equal(1, reconciled "backup-hints")
    end)

    it("none where all is well", function()
      register("web", { ["auto-backup"] = "true", ["backup-schedule"] = "@hourly", other = "x" })
      register("off", { ["auto-backup"] = "false" })
      assert.is_nil(said("warn"):find "does nothing")
    end)
  end)

  it("works with Nomad 1.4", function()
    world:stop()
    start { version = "1.4.3" }
    register("web", { ["auto-backup"] = "true" })
    assert(backup_of "web")
    world.nomad:stop("default", "web")
    world:settle()
    assert.is_nil(backup_of "web")
  end)
end)
