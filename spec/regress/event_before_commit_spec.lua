-- Nomad publishes an event a moment before what it tells of can be read. Found by a live spec: a backup that a person
-- had stopped was read so soon after the event that it was still there as it should be. It was taken for right, under
-- the index of the event, and no list brought it back.
local looks = require "support.looks"
local policies = require "chaos.policies"
local samples = require "support.jobs"
local testing = require "operator.testing"

describe("what is read before the commit of which an event told", function()
  local world, nomad

  -- A job with its backup; from then on the moment takes 20 ms.
  local function begin(options)
    options = options or {}
    options.scripts = options.scripts or { "scripts/backup.lua" }
    world = testing.world(options)
    nomad = world.nomad
    nomad:register(samples.service("web", { Meta = { ["auto-backup"] = "true" } }))
    world:start()
    world:delay_commits(0.02)
  end

  after_each(function()
    world:stop()
  end)

  local function backup()
    return nomad:job("default", "backup-web")
  end

  local function register(schedule)
    local meta = { ["auto-backup"] = "true", ["backup-schedule"] = schedule }
    nomad:register(samples.service("web", { Meta = meta }))
  end

  -- Somebody changes the backup by hand.
  local function edit(change)
    local edited = backup()
    change(edited)
    nomad:register(edited)
  end

  local function edit_schedule()
    edit(function(job)
      job.Periodic.Spec = "@yearly"
    end)
  end

  -- How many requests of a path were answered so.
  local function count(method, path, status, query)
    local number = 0
    for _, one in ipairs(nomad.requests) do
      local fits = one.method == method and one.path == path and one.status == status
      number = number + (fits and (not query or one.query[query]) and 1 or 0)
    end
    return number
  end

  it("is not what became of a child that was stopped", function()
    begin()
    nomad:stop("default", "backup-web")
    world:advance "10s"
    assert.is_false(backup().Stop)
  end)

  it("is not what became of a child that was purged", function()
    begin()
    nomad:purge("default", "backup-web")
    world:advance "10s"
    assert.is_false(backup().Stop)
  end)

  -- Two jobs of the policy twin.
  local function begin_twins(options)
    options = options or {}
    options.scripts, options.files = policies.SCRIPTS, policies.files(policies.first())
    begin(options)
    nomad:register(samples.service("two", { Meta = { twin = "2" } }))
    world:settle()
  end

  it("is not what became of a child of whose purge an evaluation tells", function()
    begin_twins { version = "1.4.3" }
    nomad:purge("default", "twin-2-two")
    world:advance "10s"
    assert.is_table(nomad:job("default", "twin-2-two"))
  end)

  it("is not what became of a child that was edited", function()
    begin()
    edit_schedule()
    world:advance "10s"
    assert.equal("@daily", backup().Periodic.Spec)
  end)

  it("is not what became of a child that lost its marks", function()
    begin()
    edit(function(job)
      job.Meta = nil
    end)
    world:advance "10s"
    assert.matches("backup-web exists and is not ours", looks.said(world), 1, true)
  end)

  it("is not what became of an owner that was stopped, purged or changed", function()
    begin()
    nomad:stop("default", "web")
    world:advance "10s"
    assert.is_true(backup().Stop)
    register "@weekly"
    world:advance "10s"
    assert.equal("@weekly", backup().Periodic.Spec)
    nomad:purge("default", "web")
    world:advance "10s"
    assert.is_true(backup().Stop)
  end)

  -- The write is sent at once and arrives a second later.
  local function begin_write()
    begin()
    world:fault { match = "POST /v1/jobs$", delay = 1, times = 1 }
    register "@weekly"
    world:advance "1.01s"
    assert.equal("@weekly", backup().Periodic.Spec)
  end

  it("is not what became of a child that was stopped before its write was answered", function()
    begin_write()
    nomad:stop("default", "backup-web")
    world:advance "10s"
    assert.is_false(backup().Stop)
    assert.equal("@weekly", backup().Periodic.Spec)
  end)

  it("is not what became of a child that was edited before its write was answered", function()
    begin_write()
    edit_schedule()
    world:advance "10s"
    assert.equal("@weekly", backup().Periodic.Spec)
  end)

  it("is not what is stopped: no write is refused", function()
    begin()
    world:fault { match = "GET /v1/job/web$", delay = 1, times = 1 }
    nomad:stop("default", "web")
    world:advance "990ms"
    edit_schedule()
    world:advance "10s"
    assert.is_true(backup().Stop)
    assert.equal(0, count("POST", "/v1/jobs", 500))
  end)

  it("does not confirm a decision to remove, once there is news of the owner", function()
    begin_twins()
    world:fault { match = "POST /v1/jobs$", delay = 1, times = 1 }
    nomad:register(samples.service("two", { Meta = { twin = "0" } }))
    world:advance "1.015s"
    nomad:register(samples.service("two", { Meta = { twin = "2" } }))
    world:advance "10s"
    assert.equal(0, nomad:job("default", "twin-2-two").Version)
  end)

  it("is the truth where nothing newer comes: the indexes went back", function()
    begin()
    local saved = nomad:snapshot()
    for _ = 1, 3 do
      edit_schedule()
      world:advance "10s"
    end
    world.feed:close() -- the host has not noticed yet
    nomad:restore(saved, { new_servers = true })
    local before = count("GET", "/v1/job/backup-web", 200, "index")
    for _, schedule in ipairs { "@weekly", "@monthly" } do
      register(schedule)
      world:advance "1s"
      world.current.gen:ask("retry", "default/web")
      world:advance "10s"
      assert.equal(schedule, backup().Periodic.Spec)
    end
    assert.equal(1, count("GET", "/v1/job/backup-web", 200, "index") - before)
  end)
end)
