-- New scripts take over while a reconcile of the old ones waits for an answer. Found by chaos: that reconcile went on
-- to write what the old scripts wanted, over what the new ones had just written.
local samples = require "support.jobs"
local testing = require "operator.testing"

describe("a reconcile of scripts that were replaced", function()
  it("begins no write", function()
    local world = testing.world { scripts = { "scripts/backup.lua" } }
    local text = world.files:read "scripts/backup.lua"
    world:fault { match = "GET /v1/job/backup", delay = 5, times = 1 }
    world.nomad:register(samples.service("web", { Meta = { ["auto-backup"] = "true" } }))
    world:start()
    assert.equal(0, #world.nomad:writes())
    local weekly = text:gsub("@daily", "@weekly")
    assert.is_true(world:reload { ["scripts/backup.lua"] = weekly })
    world:advance "1m"
    assert.equal("@weekly", world.nomad:job("default", "backup-web").Periodic.Spec)
    assert.equal(1, #world.nomad:writes())
    assert.is_true(world:stop())
  end)
end)
