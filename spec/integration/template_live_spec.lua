-- The parse results that the model holds for the shipped templates are what a real Nomad answers.
local live = require "support.live"
local process = require "support.process"

describe("the shipped template on a real Nomad", function()
  local cluster

  setup(function() cluster = live.cluster() end)
  teardown(function() if cluster then cluster:close() end end)

  it("parses to what operator.testing.parsed holds", function()
    local run = process.operator {
      "exec", "tools/parse_fixture.lua", "scripts/backup.nomad.hcl",
      env = { NOMAD_ADDR = cluster.address },
    }
    local code = run:wait(30)
    assert.equal(0, code, run:said())
    local file = assert(io.open("lib/operator/testing/parsed.lua"))
    local fixture = file:read("a")
    file:close()
    assert.equal(fixture, run.stdout)
  end)
end)
