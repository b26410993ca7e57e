-- A list breaks off in the middle, and the next one comes through. Found by chaos: children that the first had shown to
-- be changed were no news to the second, and their owners were not looked at.
local samples = require "support.jobs"
local testing = require "operator.testing"

describe("a list that breaks off", function()
  it("does not lose what it has shown", function()
    local world = testing.world { scripts = { "scripts/backup.lua" } }
    world:start()
    for _, id in ipairs { "a", "b", "c" } do
      world.nomad:register(samples.service(id, { Meta = { ["auto-backup"] = "true" } }))
    end
    world:settle()
    world:lose_stream()
    local child = world.nomad:job("default", "backup-a")
    child.Periodic.Spec = "@hourly"
    world.nomad:register(child)
    world.nomad:register(samples.service "z") -- the newest event is replayed: not the child's
    world:fault { match = "GET /v1/jobs$", error = "cut", after = 5, times = 2 }
    world:reconnect()
    world:advance "20s"
    assert.equal("@daily", world.nomad:job("default", "backup-a").Periodic.Spec)
    assert.is_true(world:stop())
  end)
end)
