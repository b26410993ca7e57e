-- rights: servers in trouble do not answer what the token may. Then the writes themselves tell; nothing waits for long,
-- and nothing is taken for a denial.
local looks = require "support.looks"
local policies = require "chaos.policies"
local samples = require "support.jobs"
local testing = require "operator.testing"

-- Seconds within which the children are there all the same.
local SOON = "15s"

local TROUBLES = {
  ["is a 500"] = { status = 500, body = "rpc error: EOF" },
  ["is that there is no leader"] = { status = 500, body = "No cluster leader" },
  ["is cut off"] = { error = "cut" },
  -- A workload identity through the task's own API without ACLs; a follower that has not heard of the token yet.
  ["is that the token has an odd form"] = { status = 403, body = "UUID must be 36 characters" },
  ["is that the token is not known"] = { status = 403, body = "ACL token not found" },
  ["is no plan"] = { status = 200, body = "[]" },
  ["does not come"] = { delay = 59 },
}

describe("where the answer to what the token may", function()
  local world

  before_each(function()
    world = testing.world { scripts = policies.SCRIPTS, files = policies.files(policies.first()) }
    world.nomad:namespace "ops"
  end)

  after_each(function()
    world:stop()
  end)

  local function register(id, namespace)
    local meta = { ["auto-backup"] = "true", twin = "2" }
    world.nomad:register(samples.service(id, { Namespace = namespace, Meta = meta }))
  end

  local function has_children(id, namespace)
    for _, name in ipairs { "backup-", "twin-1-", "twin-2-" } do
      assert.is_table(world.nomad:job(namespace, name .. id), name .. id .. " of " .. namespace)
    end
  end

  for what, fault in pairs(TROUBLES) do
    it(what .. ", all is written soon, and nothing is parked", function()
      fault.match = "POST /v1/job/.*/plan$"
      world:fault(fault)
      register("web", "default")
      world:start()
      world:advance(SOON)
      has_children("web", "default")
      register("db", "ops")
      world:advance(SOON)
      has_children("db", "ops")
      local said = looks.said(world)
      assert.is_nil(said:find("may only be read", 1, true), said)
      assert.is_nil(said:find("Failed", 1, true), said)
    end)
  end
end)
