-- A proxy answers a registration with 200 and something else. Found by chaos: the answer was believed, and the key
-- ended in a traceback instead of a retry.
local samples = require "support.jobs"
local testing = require "operator.testing"

describe("the answer to a registration", function()
  for _, body in ipairs { "null", "{}", "[]", "", '{"JobModifyIndex":"7"}', "7" } do
    it(("that is %q is an error which is tried again"):format(body), function()
      local world = testing.world { scripts = { "scripts/backup.lua" } }
      world:start()
      world:fault { match = "POST /v1/jobs$", status = 200, body = body, times = 2 }
      world.nomad:register(samples.service("web", { Meta = { ["auto-backup"] = "true" } }))
      world:advance "30s"
      assert.equal("@daily", world.nomad:job("default", "backup-web").Periodic.Spec)
      local said = table.concat(world.transcript)
      assert.is_nil(said:find("traceback", 1, true))
      assert.truthy(said:find("the answer is not that of a registration", 1, true))
      assert.is_true(world:stop())
    end)
  end
end)
