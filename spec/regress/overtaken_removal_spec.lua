-- A removal is decided on what an owner was like. Found by chaos on three servers: a server that was held answered the
-- read of an owner only after it went on, as it had been; and the first of several children took its time to be
-- stopped. Meanwhile the owner wanted them again, and they were stopped all the same, to be made anew at once.
local policies = require "chaos.policies"
local samples = require "support.jobs"
local testing = require "operator.testing"

describe("a removal whose owner has changed since it was decided", function()
  local world, nomad

  before_each(function()
    world = testing.world { scripts = policies.SCRIPTS, files = policies.files(policies.first()) }
    nomad = world.nomad
    world:start()
  end)

  after_each(function()
    world:stop()
  end)

  local function register(meta)
    nomad:register(samples.service("web", { Meta = meta }))
    world:settle()
  end

  -- The stops that were sent, in order.
  local function stops()
    local list = {}
    for _, write in ipairs(nomad:writes()) do
      list[#list + 1] = write.body:match '"Stop":true' and write.body:match '"ID":"([^"]+)"' or nil
    end
    return list
  end

  -- One answer comes late, and says that the job is gone.
  local function held(match)
    world:fault { match = match, delay = 10, status = 404, body = "job not found", times = 1 }
  end

  it("is given up where the answer that brought it was long under way", function()
    register { ["auto-backup"] = "true" }
    held "GET /v1/job/web$"
    nomad:purge("default", "web")
    world:advance "5s"
    register { ["auto-backup"] = "true", note = "1" }
    world:advance "30s"
    assert.same({}, stops())
    assert.falsy(nomad:job("default", "backup-web").Stop)
  end)

  it("is given up where the stream did not tell of the change", function()
    register { ["auto-backup"] = "true" }
    held "GET /v1/job/web$"
    nomad:purge("default", "web")
    world:settle()
    world:lose_stream "the server is held"
    register { ["auto-backup"] = "true", note = "1" }
    world:advance "30s"
    assert.same({}, stops())
    assert.falsy(nomad:job("default", "backup-web").Stop)
  end)

  it("is given up for the children that have not had their turn", function()
    register { twin = "3" }
    world:fault { match = "POST /v1/jobs$", delay = 10, times = 1 }
    register { twin = "0" }
    world:advance "5s"
    register { twin = "3" }
    world:advance "30s"
    assert.same({ "twin-1-web" }, stops())
    for i = 1, 3 do
      assert.falsy(nomad:job("default", ("twin-%d-web"):format(i)).Stop)
    end
  end)

  it("is made where the owner is as it was, however long the answers take", function()
    register { twin = "3" }
    world:fault { match = "^GET /v1/job/", delay = 4 }
    register { twin = "0" }
    world:advance "60s"
    assert.same({ "twin-1-web", "twin-2-web", "twin-3-web" }, stops())
  end)
end)
