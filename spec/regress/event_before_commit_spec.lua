-- Nomad publishes an event a moment before what it tells of can be read. Found by a live spec: a backup that a person
-- had stopped was read so soon after the event that it was still there as it should be. It was taken for right, under
-- the index of the event, and no list brought it back.
local samples = require "support.jobs"
local testing = require "operator.testing"

describe("what is read before the commit of which an event told", function()
  local world, nomad

  before_each(function()
    world = testing.world { scripts = { "scripts/backup.lua" } }
    nomad = world.nomad
    nomad:register(samples.service("web", { Meta = { ["auto-backup"] = "true" } }))
    world:start()
    world:delay_commits(0.02)
  end)

  after_each(function()
    world:stop()
  end)

  local function backup()
    return nomad:job("default", "backup-web")
  end

  it("is not what became of a child that was stopped", function()
    nomad:stop("default", "backup-web")
    world:advance "10s"
    assert.is_false(backup().Stop)
  end)

  it("is not what became of a child that was purged", function()
    nomad:purge("default", "backup-web")
    world:advance "10s"
    assert.is_false(backup().Stop)
  end)

  it("is not what became of a child that was edited", function()
    local edited = backup()
    edited.Periodic.Spec = "@yearly"
    nomad:register(edited)
    world:advance "10s"
    assert.equal("@daily", backup().Periodic.Spec)
  end)

  it("is not what became of an owner that was stopped, purged or changed", function()
    nomad:stop("default", "web")
    world:advance "10s"
    assert.is_true(backup().Stop)
    local meta = { ["auto-backup"] = "true", ["backup-schedule"] = "@weekly" }
    nomad:register(samples.service("web", { Meta = meta }))
    world:advance "10s"
    assert.equal("@weekly", backup().Periodic.Spec)
    nomad:purge("default", "web")
    world:advance "10s"
    assert.is_true(backup().Stop)
  end)

  it("is not what became of a child while its owner was at work", function()
    world:fault { match = "POST /v1/jobs$", delay = 1, times = 1 }
    local meta = { ["auto-backup"] = "true", ["backup-schedule"] = "@weekly" }
    nomad:register(samples.service("web", { Meta = meta }))
    world:advance "1.01s"
    nomad:stop("default", "backup-web")
    world:advance "10s"
    assert.is_false(backup().Stop)
    assert.equal("@weekly", backup().Periodic.Spec)
  end)
end)
