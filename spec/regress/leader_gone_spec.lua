-- A server that hands requests on to a leader that is just gone says so with a 500 of many words. Found by chaos on
-- three real servers: they were taken for a refusal, and the key was parked until the next resync.
local samples = require "support.jobs"
local testing = require "operator.testing"

local TEXTS = {
  "rpc error: failed to get conn: dial tcp 127.0.0.1:4647: connect: connection refused",
  "rpc error: rpc error: failed to get conn: rpc error: lead thread didn't get connection",
  "rpc error: shutdown",
  "rpc error: session shutdown",
  "rpc error: stream closed",
  "rpc error: read tcp 127.0.0.1:9->127.0.0.1:4647: read: connection reset by peer",
  "rpc error: keepalive timeout",
  "node is not the leader",
  "leadership lost while committing log",
  "leadership transfer in progress",
  "snapshot restored while committing log",
  "raft is already shutdown",
  "timed out enqueuing operation",
}

describe("a server without its leader", function()
  for _, text in ipairs(TEXTS) do
    it(("that answers %q is asked again"):format(text), function()
      local world = testing.world { scripts = { "scripts/backup.lua" } }
      world:start()
      world:fault { match = "POST /v1/jobs$", status = 500, body = text, times = 2 }
      world.nomad:register(samples.service("web", { Meta = { ["auto-backup"] = "true" } }))
      world:advance "30s"
      assert.is_table(world.nomad:job("default", "backup-web"))
      assert.is_true(world:stop())
    end)
  end
end)
