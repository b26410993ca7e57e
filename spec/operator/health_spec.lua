-- health: what the Lua half says of its own progress, in the model's world.
local testing = require "operator.testing"

local POLICY = [[
local operator = require "operator"
return operator.policy {
  name = "watcher",
  watch = { topic = "Job" },
  resync = "1h",
  reconcile = function(job)
    local meta = job.Meta or {}
    if meta.fail then
      operator.fail("it cannot be")
    elseif meta.retry then
      operator.retry("not yet")
    elseif meta.after then
      return operator.after("10m")
    end
  end,
}
]]

local function job(id, meta)
  return {
    ID = id,
    Type = "service",
    Datacenters = { "dc1" },
    Meta = meta,
    TaskGroups = {
      { Name = "g", Tasks = { { Name = "t", Driver = "raw_exec", Config = { command = "x" } } } },
    },
  }
end

describe("health", function()
  local world

  before_each(function()
    world = testing.world({ files = { ["watcher.lua"] = POLICY } })
  end)

  local function health()
    return world.current.gen:health()
  end

  it("has the epoch of the connection that the last list belongs to", function()
    world:start()
    assert.equal(world.current.gen.connection.epoch, health().epoch)
    world:lose_stream("cut")
    world:fault({ match = "GET /v1/jobs$", status = 500, times = 1 })
    local before = health().epoch
    world:reconnect()
    world:advance("20ms")
    assert.equal(before, health().epoch)
    assert.is_truthy(world.current.gen.connection.epoch > before)
    assert.matches("GET /v1/jobs", health().list_error, 1, true)
    assert.is_false(health().denied)
    world:advance("40s")
    assert.equal(world.current.gen.connection.epoch, health().epoch)
    assert.is_nil(health().list_error)
  end)

  it("tells a refused token from other trouble", function()
    world:start()
    world:lose_stream("cut")
    local mend = world:fault({ match = "GET /v1/jobs$", status = 403, body = "Permission denied" })
    world:reconnect()
    world:advance("5s")
    assert.is_true(health().denied)
    mend()
    world:advance("40s")
    assert.is_false(health().denied)
  end)

  it("counts keys by state, and the age of the oldest that is neither done nor parked", function()
    world:start()
    world.nomad:register(job("fails", { fail = "1" }))
    world.nomad:register(job("waits", { after = "1" }))
    world:settle()
    world:advance("9m")
    local one = health().policies[1]
    assert.equal("watcher", one.name)
    assert.equal(1, one.parked)
    assert.equal(1, one.waiting)
    assert.equal(0, one.oldest)
    world.nomad:register(job("retries", { retry = "1" }))
    world:advance("6m")
    one = health().policies[1]
    assert.equal(2, one.waiting)
    assert.is_true(one.oldest > 300, one.oldest)
    world.nomad:register(job("retries"))
    world:settle()
    assert.equal(0, health().policies[1].oldest)
  end)
end)
