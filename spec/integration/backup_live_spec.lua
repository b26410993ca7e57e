-- The shipped backup policy beside a real Nomad: what a person does to jobs, and what becomes of their backups.
local live = require "support.live"
local http = require "support.http"

describe("the backup policy on a real Nomad", function()
  local cluster, scripts, operator

  setup(function()
    cluster = live.cluster()
    scripts = live.scripts()
    cluster:namespace("team-a")
    cluster:register(live.service("before", { ["backup-schedule"] = "@weekly" }))
    operator = live.operator(cluster, scripts.dir)
  end)

  teardown(function()
    if operator then operator:stop() end
    if scripts then scripts.remove() end
    if cluster then cluster:close() end
  end)

  local function expect(id, schedule, options)
    return live.expect(cluster, operator, id, schedule, options)
  end

  local function path(id, rest)
    return "/v1/job/" .. http.escape(id) .. (rest or "")
  end

  it("serves a job that existed before the operator", function()
    expect("backup-before", "@weekly")
  end)

  it("creates a backup that names its owner, in the datacenters of its source", function()
    cluster:register(live.service("created"))
    local backup = expect("backup-created", "@daily")
    assert.equal("default/created", backup.Meta["operator-owner"])
    assert.equal("backup", backup.Meta["operator-policy"])
    assert.same({ "dc1" }, backup.Datacenters)
  end)

  -- By the shipped resync: a list of every other second may see the change before its event comes.
  it("tells the story of a job", function()
    live.stop(operator)
    operator = live.operator(cluster)
    finally(function()
      live.stop(operator)
      operator = live.operator(cluster, scripts.dir)
    end)
    cluster:register(live.service("story"))
    expect("backup-story", "@daily")
    operator:wait_for("==> JobRegistered: story %(pending%)%.%.%.\n" ..
      "    Registering backup job\n" ..
      "    Backup created: backup%-story\n" ..
      "%-%-> Done\n", live.patience)
    cluster:stop("default", "story")
    operator:wait_for("==> JobDeregistered: story %([a-z]+%)%.%.%.\n" ..
      "    Backup removed: backup%-story %(source stopped%)\n" ..
      "%-%-> Done\n", live.patience)
  end)

  it("updates the schedule", function()
    cluster:register(live.service("updated"))
    expect("backup-updated", "@daily")
    cluster:register(live.service("updated", { ["backup-schedule"] = "@hourly" }))
    assert.equal(1, expect("backup-updated", "@hourly").Version)
    operator:wait_for("Backup updated: backup%-updated %(cron @daily → @hourly%)", live.patience)
  end)

  it("follows auto-backup off and on again", function()
    cluster:register(live.service("switched"))
    expect("backup-switched", "@daily")
    cluster:register(live.service("switched", { ["auto-backup"] = "false" }))
    expect("backup-switched", false)
    cluster:register(live.service("switched"))
    expect("backup-switched", "@daily")
  end)

  it("follows a stop and a start", function()
    cluster:register(live.service("stopped"))
    expect("backup-stopped", "@daily")
    cluster:stop("default", "stopped")
    expect("backup-stopped", false)
    cluster:register(live.service("stopped"))
    expect("backup-stopped", "@daily")
  end)

  it("removes the backup of a purged job, and gives it a new one when it is back", function()
    cluster:register(live.service("purged"))
    expect("backup-purged", "@daily")
    live.runs(cluster, "purged")
    cluster:stop("default", "purged", true)
    expect("backup-purged", false)
    cluster:register(live.service("purged"))
    expect("backup-purged", "@daily")
  end)

  -- Before 1.7.5 no event at all tells of this one: only the resync can see it.
  it("removes the backup of a purged job that had no evaluation", function()
    cluster:register(live.parameterized("silent"))
    expect("backup-silent", "@daily")
    cluster:stop("default", "silent", true)
    expect("backup-silent", false)
  end)

  it("keeps jobs of one ID in two namespaces apart", function()
    local other = live.service("twin", { ["backup-schedule"] = "@monthly" })
    other.Namespace = "team-a"
    cluster:register(live.service("twin"))
    cluster:register(other)
    expect("backup-twin", "@daily")
    expect("backup-twin", "@monthly", { namespace = "team-a" })
    cluster:stop("team-a", "twin")
    expect("backup-twin", false, { namespace = "team-a" })
    live.settle(cluster, operator)
    assert.equal("@daily", live.schedule(cluster:job("default", "backup-twin")))
  end)

  it("gives no backups to runs, dispatches and backups", function()
    cluster:register(live.periodic("clock"))
    cluster:register(live.parameterized("called"))
    expect("backup-clock", "@daily")
    expect("backup-called", "@daily")
    assert.equal(200, (cluster:request("PUT", path("clock", "/periodic/force"))))
    assert.equal(200, (cluster:request("PUT", path("called", "/dispatch"), { Meta = {} })))
    assert.equal(200, (cluster:request("PUT", path("backup-clock", "/periodic/force"))))
    live.settle(cluster, operator)
    -- At midnight other backups run too.
    local runs, wrong = {}, {}
    for _, id in ipairs(cluster:job_ids("default")) do
      runs[id:match("^([^/]+)/") or ""] = true
      if id:find("^backup%-backup") or id:find("^backup%-clock/.*backup") or
        id:find("^backup%-called/") then
        wrong[#wrong + 1] = id
      end
    end
    assert.same({}, wrong)
    assert.is_true(runs["clock"] and runs["called"] and runs["backup-clock"])
  end)

  it("leaves a foreign job of the backup's name alone, and says so", function()
    local foreign = live.service("backup-taken", { ["auto-backup"] = "false" })
    cluster:register(foreign)
    local before = cluster:job("default", "backup-taken").JobModifyIndex
    operator:forget()
    cluster:register(live.service("taken"))
    operator:wait_for("Error: [^\n]*backup%-taken[^\n]*not ours", live.patience)
    live.settle(cluster, operator)
    assert.equal(before, cluster:job("default", "backup-taken").JobModifyIndex)
    -- It heals when the name is free.
    live.runs(cluster, "backup-taken")
    cluster:stop("default", "backup-taken", true)
    expect("backup-taken", "@daily")
  end)

  it("puts right a backup that was edited by hand", function()
    cluster:register(live.service("edited"))
    local backup = expect("backup-edited", "@daily")
    backup.Periodic.Spec, backup.Periodic.Specs = "@yearly", nil
    backup.Version, backup.JobModifyIndex, backup.ModifyIndex = nil, nil, nil
    cluster:register(backup)
    expect("backup-edited", "@daily")
    assert.equal(2, cluster:job("default", "backup-edited").Version)
  end)

  it("puts right a backup that was stopped or purged by hand", function()
    cluster:register(live.service("robbed"))
    expect("backup-robbed", "@daily")
    cluster:stop("default", "backup-robbed")
    expect("backup-robbed", "@daily")
    cluster:stop("default", "backup-robbed", true)
    expect("backup-robbed", "@daily")
  end)

  it("names a bad schedule, serves the others, and heals at once", function()
    operator:forget()
    cluster:register(live.service("bad", { ["backup-schedule"] = "whenever" }))
    operator:wait_for("Error: [^\n]*bad[^\n]*backup%-schedule[^\n]*whenever", live.patience)
    live.settle(cluster, operator)
    assert.is_nil(cluster:job("default", "backup-bad"))
    cluster:register(live.service("bad", { ["backup-schedule"] = "@hourly" }))
    expect("backup-bad", "@hourly")
  end)

  it("takes up what happened while it was away", function()
    for _, id in ipairs { "away-purged", "away-updated", "away-stopped" } do
      cluster:register(live.service(id))
    end
    for _, id in ipairs { "away-purged", "away-updated", "away-stopped" } do
      expect("backup-" .. id, "@daily")
    end
    live.stop(operator)
    live.runs(cluster, "away-purged")
    cluster:stop("default", "away-purged", true)
    cluster:stop("default", "away-stopped")
    cluster:register(live.service("away-updated", { ["backup-schedule"] = "@hourly" }))
    cluster:register(live.service("away-new"))
    operator = live.operator(cluster, scripts.dir)
    expect("backup-away-purged", false, { seconds = 5 })
    expect("backup-away-stopped", false)
    expect("backup-away-updated", "@hourly")
    expect("backup-away-new", "@daily")
  end)

  it("prints its status on SIGUSR1 and goes on", function()
    operator:forget()
    operator:signal("sigusr1")
    operator:wait_for("policy backup: %d+ watched", live.patience)
    assert.is_true(operator:running())
  end)

  it("ends with 0 on SIGINT", function()
    operator:signal("sigint")
    assert.equal(0, (operator:wait(live.patience)))
    operator = live.operator(cluster, scripts.dir)
  end)
end)
