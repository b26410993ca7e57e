-- Nomad stops a child, and its answer gets lost. Found by chaos: the removal was given back to the budget, so that more
-- children were removed than a day allows.
local samples = require "support.jobs"
local testing = require "operator.testing"

local KEEPS = [[
local operator = require "operator"
return operator.policy {
  name = "side",
  watch = { topic = "Job", where = { Meta = { side = "true" } } },
  desired = function(job)
    local child = { ID = "side-" .. job.ID, Datacenters = job.Datacenters,
      TaskGroups = job.TaskGroups }
    return { job.Stop and nil or child }
  end,
}
]]
local WITHDRAWN = KEEPS:gsub("return { job.Stop and nil or child }", "return {}")

describe("a removal whose answer is lost", function()
  for _, code in ipairs { "cut", "timeout", "idle" } do
    it(("costs the budget all the same, %s"):format(code), function()
      local world = testing.world { files = { ["side.lua"] = KEEPS } }
      for i = 1, 12 do
        world.nomad:register(samples.service("job-" .. i, { Meta = { side = "true" } }))
      end
      world:start()
      local function children()
        local count = 0
        for _, id in ipairs(world.nomad:ids()) do
          count = count + (id:find "^side%-" and 1 or 0)
        end
        return count
      end
      assert.equal(12, children())
      world:fault { match = "POST /v1/jobs$", error = code, applied = true, times = 3 }
      assert.is_true(world:reload { ["side.lua"] = WITHDRAWN })
      world:advance "1h"
      assert.equal(7, children())
      assert.is_true(world:stop())
    end)
  end
end)
