-- A child's name is somebody else's. Found by chaos on three servers: at every resync the child was registered without
-- a look, as if its owner had just changed, and Nomad had to refuse it.
local samples = require "support.jobs"
local testing = require "operator.testing"

describe("a child whose name is taken", function()
  local world

  before_each(function()
    world = testing.world { scripts = { "scripts/backup.lua" } }
    world.nomad:register(samples.batch "backup-web")
    world:start()
    world.nomad:register(samples.service("web", { Meta = { ["auto-backup"] = "true" } }))
    world:settle()
  end)

  after_each(function()
    world:stop()
  end)

  it("is not written again at each resync", function()
    local before = #world.nomad:writes()
    world:advance "35m"
    assert.equal(before, #world.nomad:writes())
    assert.is_nil(world.nomad:job("default", "backup-web").Meta)
  end)

  it("is made when the name is free again", function()
    world.nomad:purge("default", "backup-web")
    world:advance "11m"
    assert.equal("@daily", world.nomad:job("default", "backup-web").Periodic.Spec)
  end)
end)
