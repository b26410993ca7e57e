-- scope: namespaces that come, go and may not be read; and lists that are waited for where there is no stream.
local testing = require "operator.testing"

local POLICY = [[
local operator = require "operator"
return operator.policy {
  name = "backup",
  watch = { topic = "Job", where = { Meta = { ["auto-backup"] = "true" } } },
  on = { JobRegistered = function(event, ctx) ctx.log("info", "heard of " .. event.key) end },
  desired = function(job)
    if job.Stop then return {} end
    return { {
      ID = "backup-" .. job.ID, Type = "batch", Datacenters = job.Datacenters,
      Periodic = { Spec = "@daily", SpecType = "cron" },
      TaskGroups = { { Name = "g", Tasks = {
        { Name = "t", Driver = "raw_exec", Config = { command = "true" } },
      } } },
    } }
  end,
}
]]

local function source(id, namespace)
  return {
    ID = id,
    Namespace = namespace,
    Type = "service",
    Datacenters = { "dc1" },
    Meta = { ["auto-backup"] = "true" },
    TaskGroups = {
      {
        Name = "g",
        Tasks = { { Name = "t", Driver = "raw_exec", Config = { command = "sleep" } } },
      },
    },
  }
end

local RIGHTS = { "read-job", "list-jobs", "submit-job" }

local function new_world(options)
  options = options or {}
  options.files = { ["backup.lua"] = POLICY }
  return testing.world(options)
end

-- Gives the token these namespaces.
local function grant(world, ...)
  local rules = {}
  for _, name in ipairs { ... } do
    rules[name] = RIGHTS
  end
  world.nomad:token { secret = "t", namespaces = rules }
end

local function alive(world, id, namespace)
  local job = world.nomad:job(namespace or "default", id)
  return job ~= nil and not job.Stop
end

local function count_logged(world, pattern)
  local count = 0
  for _, record in ipairs(world.log) do
    if record.message:find(pattern) and record.level ~= "debug" then
      count = count + 1
    end
  end
  return count
end

local function requests(world, path)
  local count = 0
  for _, request in ipairs(world.nomad.requests) do
    count = count + (request.path == path and 1 or 0)
  end
  return count
end

for _, version in ipairs { "1.11.3", "1.4.3" } do
  describe("a namespace, on Nomad " .. version, function()
    local world

    before_each(function()
      world = new_world { version = version }
      world:start()
    end)

    it("that is made while the operator runs is served", function()
      world.nomad:namespace "ops"
      world:settle()
      world.nomad:register(source("web", "ops"))
      world:advance(5)
      assert.is_true(alive(world, "backup-web", "ops"))
      assert.equal(1, count_logged(world, "Subscribing anew: namespace ops is new"))
      assert.equal(1, world.feed.overlaps)
    end)

    it("that holds jobs before it is known is listed too", function()
      world.nomad:namespace "ops"
      world.nomad:register(source("web", "ops"))
      world:advance(5)
      assert.is_true(alive(world, "backup-web", "ops"))
    end)

    it("that is removed is said to be so", function()
      world.nomad:namespace "ops"
      world:advance(5)
      world.nomad:http { method = "DELETE", path = "/v1/namespace/ops", inside = true }
      world:advance(5)
      assert.equal(1, count_logged(world, "Namespace ops no longer exists"))
      assert.equal(0, count_logged(world, "no longer sees"))
    end)

    it("that came while a reload was under way is served", function()
      world:hup()
      world.nomad:namespace "ops"
      world:advance(5)
      world.nomad:register(source("web", "ops"))
      world:advance(5)
      assert.is_true(alive(world, "backup-web", "ops"))
    end)
  end)

  describe("a token for two of three namespaces, on Nomad " .. version, function()
    local world

    local function start(options)
      options.version, options.token = version, "t"
      world = new_world(options)
      for _, name in ipairs { "a", "b", "c" } do
        world.nomad:namespace(name)
      end
      world.nomad:register(source("early", "a"))
      world.nomad:register(source("other", "c"))
      grant(world, "a", "b")
      world:start()
      world:advance(15)
    end

    local function serves_both()
      world.nomad:register(source("late", "b"))
      world:settle()
      assert.is_true(alive(world, "backup-early", "a"))
      assert.is_true(alive(world, "backup-late", "b"))
      assert.is_false(alive(world, "backup-other", "c"))
      world.nomad:register(source("unseen", "c"))
      world:settle()
      assert.matches("heard of b/late", world:blocks(), 1, true)
      assert.not_matches("heard of c/", world:blocks(), 1, true)
      assert.is_true(world.feed.live)
      assert.same({}, world:errors())
    end

    it("serves them", function()
      start {}
      serves_both()
    end)

    it("serves them when they are asked for", function()
      start { options = { namespaces = { "a", "b" } } }
      serves_both()
      for _, request in ipairs(world.nomad.requests) do
        assert.not_equal("*", request.query.namespace)
      end
    end)

    it("that loses the namespace of a child leaves it alone", function()
      start { options = { cross_namespace = { "a:b" } } }
      world:reload { ["backup.lua"] = POLICY:gsub('ID = "backup', 'Namespace = "b", %0') }
      world:settle()
      assert.is_true(alive(world, "backup-early", "b"))
      grant(world, "a")
      world:lose_stream()
      world:reconnect()
      world:advance("35m")
      assert.is_true(alive(world, "backup-early", "b"))
      assert.not_matches("Failed", world:blocks())
    end)

    it("that loses one removes nothing there, and says so once", function()
      start {}
      serves_both()
      grant(world, "a")
      world.nomad:drop_streams "subscription closed by server, client should resubscribe"
      world:advance("2h")
      assert.is_true(alive(world, "backup-late", "b"))
      assert.equal(1, count_logged(world, "The token no longer sees namespace b"))
      assert.not_matches("Failed", world:blocks())
      world.nomad:register(source("more", "a"))
      world:advance("1m")
      assert.is_true(alive(world, "backup-more", "a"))
      -- What happened meanwhile is found when it may be read again.
      world.nomad:stop("b", "late")
      grant(world, "a", "b")
      world:advance("1m")
      assert.equal(1, count_logged(world, "The token sees namespace b again"))
      assert.is_false(alive(world, "backup-late", "b"))
    end)

    it("that loses one of those asked for removes nothing there, and says so once", function()
      start { options = { namespaces = { "a", "b" } } }
      serves_both()
      grant(world, "a")
      world.nomad:drop_streams "subscription closed by server, client should resubscribe"
      world:advance("2h")
      assert.is_true(alive(world, "backup-late", "b"))
      assert.equal(1, count_logged(world, "amespace b"))
      assert.not_matches("Failed", world:blocks())
      world.nomad:register(source("more", "a"))
      world:advance("1m")
      assert.is_true(alive(world, "backup-more", "a"))
      grant(world, "a", "b")
      world:advance("1m")
      world.nomad:stop("b", "late")
      world:advance("1m")
      assert.is_false(alive(world, "backup-late", "b"))
    end)

    it("may come by one of those asked for later", function()
      start { options = { namespaces = { "a", "c" } } }
      assert.is_true(alive(world, "backup-early", "a"))
      assert.is_false(alive(world, "backup-other", "c"))
      grant(world, "a", "b", "c")
      world:advance("1m")
      assert.is_true(alive(world, "backup-other", "c"))
    end)
  end)
end

describe("without a stream", function()
  local world

  before_each(function()
    world = new_world { live = false }
    world:start()
  end)

  it("a change is seen within about a second", function()
    for i = 1, 5 do
      world:advance(17)
      world.nomad:register(source("web-" .. i))
      world:advance(1.5)
      assert.is_true(alive(world, "backup-web-" .. i))
    end
  end)

  it("nothing is listed while nothing changes but for the resync", function()
    world:advance("1m")
    local lists = world:status()[1]:match "(%d+) lists"
    world:advance("9m")
    assert.equal(lists, world:status()[1]:match "(%d+) lists")
    world:advance("2m")
    assert.equal(tostring(lists + 1), world:status()[1]:match "(%d+) lists")
  end)

  it("a server that answers at once is asked once a second at most", function()
    local index, asked = 100, 0
    world:fault {
      match = function(request)
        local mine = request.path == "/v1/jobs" and (request.method or "GET") == "GET"
        asked = asked + (mine and 1 or 0)
        return mine
      end,
      status = 200,
      body = "[]",
      headers = setmetatable({}, {
        __index = function(_, name)
          index = index + 1
          return name == "X-Nomad-Index" and tostring(index) or nil
        end,
      }),
    }
    world:advance("5m")
    -- Two requests each second: one that waits, one that lists.
    assert.is_true(asked >= 200 and asked <= 610, ("%d"):format(asked))
  end)

  it("a server that cannot wait is listed every ten seconds", function()
    world:fault {
      match = function(request)
        return request.query ~= nil and request.query.per_page == 1
      end,
      status = 500,
      body = "no blocking here",
    }
    world:advance("1m")
    world.nomad:register(source("web"))
    world:advance(12)
    assert.is_true(alive(world, "backup-web"))
  end)
end)

describe("a token that is good only later", function()
  it("has its namespaces followed from then on", function()
    local world = new_world { token = "t" }
    world.nomad:token { secret = "other", management = true }
    assert.is_false(world:start(60))
    world.nomad:token { secret = "t", management = true }
    world:advance("1m")
    world.nomad:namespace "ops"
    world:advance(5)
    world.nomad:register(source("web", "ops"))
    world:advance(5)
    assert.is_true(alive(world, "backup-web", "ops"))
  end)
end)

describe("a Nomad that does not tell the namespaces", function()
  it("is asked again at each resync, and said once", function()
    local world = new_world()
    world:fault { match = "GET /v1/namespaces$", status = 404, body = "" }
    world:start()
    world:advance("65m")
    assert.equal(1, count_logged(world, "The namespaces cannot be followed"))
    assert.equal(0, requests(world, "/v1/namespaces"))
    world.nomad:register(source("web"))
    world:settle()
    assert.is_true(alive(world, "backup-web"))
  end)
end)
