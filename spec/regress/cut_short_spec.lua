-- New scripts take over while the old generation waits for an answer. Found by chaos: what was cut short at the end of
-- the drain was shown as an error with a traceback, and a next try was promised that nobody would make.
local samples = require "support.jobs"
local testing = require "operator.testing"

describe("what the end of a generation cuts short", function()
  local world

  before_each(function()
    world = testing.world { scripts = { "scripts/backup.lua" } }
    world:start()
  end)

  after_each(function()
    world:stop()
  end)

  local function nothing_failed()
    local said = table.concat(world.transcript)
    assert.is_nil(said:find("traceback", 1, true), said)
    assert.is_nil(said:find("next try", 1, true), said)
    for _, record in ipairs(world.log) do
      assert.not_equal("error", record.level, record.message)
    end
  end

  it("is a reconcile, of which nothing is said", function()
    local stop = world:fault { match = "GET /v1/job/backup", delay = 50 }
    world.nomad:register(samples.service("web", { Meta = { ["auto-backup"] = "true" } }))
    world:settle()
    assert.is_true(world:reload())
    world:advance "40s"
    stop()
    nothing_failed()
    world:advance "60s"
    assert.truthy(world.nomad:job("default", "backup-web"))
  end)

  it("is a list, of which nothing is said", function()
    local stop = world:fault { match = "GET /v1/jobs$", delay = 20, times = 1 }
    world:gap()
    world:settle()
    stop()
    assert.is_true(world:reload())
    world:advance "60s"
    nothing_failed()
  end)
end)
