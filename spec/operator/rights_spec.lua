-- rights: namespaces that the token may only read, and where templates are parsed, in the model's world.
local looks = require "support.looks"
local testing = require "operator.testing"

local POLICY = [[
local operator = require "operator"
return operator.policy {
  name = "p", watch = { topic = "Job", where = { Meta = { child = "true" } } },
  desired = function(job)
    if job.Stop then return {} end
    return { {
      ID = "c-" .. job.ID, Type = "batch", Datacenters = { "dc1" },
      TaskGroups = { { Name = "g", Tasks = {
        { Name = "t", Driver = "raw_exec", Config = { command = "true" } },
      } } },
    } }
  end,
}
]]

local READ = { "list-jobs", "read-job" }
local SENTENCE =
  "Namespace ops may only be read with this token: the capability submit-job is missing"

local said, times = looks.said, looks.times

local function source(id, namespace)
  return looks.source(id, { child = "true" }, { Namespace = namespace })
end

-- A world with five jobs in default and five in ops, and a token with these rights in ops.
local function new_world(rights, options)
  options = options or {}
  options.files = options.files or { ["p.lua"] = POLICY }
  options.token = "t"
  local world = testing.world(options)
  world.nomad:namespace("ops")
  world.nomad:token({ secret = "boot", management = true })
  world.nomad:token({ secret = "t", namespaces = { default = "write", ops = rights } })
  for i = 1, 5 do
    world.nomad:register(source("web-" .. i))
    world.nomad:register(source("web-" .. i, "ops"))
  end
  return world
end

local function in_ops(world)
  local count = 0
  for i = 1, 5 do
    count = count + (looks.alive(world, "c-web-" .. i, "ops") and 1 or 0)
  end
  return count
end

local function count_requests(world, method, pattern)
  local count = 0
  for _, request in ipairs(world.nomad.requests) do
    if request.method == method and request.path:find(pattern) then
      count = count + 1
    end
  end
  return count
end

for _, version in ipairs { "1.11.3", "1.4.3" } do
  describe("a namespace that may only be read, on " .. version, function()
    it("is said once, no write is tried in it, the others are served", function()
      local world = new_world(READ, { version = version })
      local before = #world.nomad:writes()
      world:start()
      world:settle()
      assert.equal(5, looks.count_alive(world, "^c%-"))
      assert.equal(0, in_ops(world))
      assert.equal(1, times(said(world), SENTENCE), said(world))
      assert.is_nil(said(world):find("Failed", 1, true))
      assert.is_nil(said(world):find("traceback", 1, true))
      world:advance("31m")
      assert.equal(1, times(said(world), SENTENCE), said(world))
      assert.equal(5, #world.nomad:writes() - before)
    end)

    it("is worked by itself when the rights are there", function()
      local world = new_world(READ, { version = version })
      world:start()
      world:settle()
      world.nomad:token({ secret = "t", namespaces = { default = "write", ops = "write" } })
      world:advance("31s")
      world:settle()
      assert.equal(5, in_ops(world))
      assert.equal(1, times(said(world), "Namespace ops can be written again"))
    end)

    it("is found at the first write where the right is lost later", function()
      local world = new_world("write", { version = version })
      world:start()
      world:settle()
      assert.equal(5, in_ops(world))
      world.nomad:token({ secret = "t", namespaces = { default = "write", ops = READ } })
      world.nomad:register(source("late", "ops"))
      world:settle()
      assert.equal(1, times(said(world), "Nothing can be written in namespace ops"), said(world))
      -- The next list asks, and no write is tried after that.
      world:advance("11m")
      local before = #world.nomad:writes()
      world:advance("40m")
      assert.equal(before, #world.nomad:writes())
      world.nomad:token({ secret = "t", namespaces = { default = "write", ops = "write" } })
      world:advance("31s")
      world:settle()
      assert.is_table(looks.alive(world, "c-late", "ops"))
    end)

    it("is not planned in where ACLs are off", function()
      local world = testing.world({ version = version, files = { ["p.lua"] = POLICY } })
      for i = 1, 5 do
        world.nomad:register(source("web-" .. i))
      end
      world:start()
      world:settle()
      assert.equal(5, looks.count_alive(world, "^c%-"))
      assert.equal(0, count_requests(world, "POST", "/plan$"))
      assert.equal(1, count_requests(world, "GET", "^/v1/acl/policies"))
    end)

    it("is asked about once, and the question changes nothing", function()
      local world = new_world(READ, { version = version })
      local index = world.nomad.state.index
      local writes = #world.nomad:writes()
      world:start()
      world:settle()
      assert.equal(2, count_requests(world, "POST", "/plan$"))
      assert.equal(5, #world.nomad:writes() - writes)
      assert.is_true(world.nomad.state.index > index)
      local ids = world.nomad:http({ path = "/v1/jobs?namespace=*", inside = true }).body
      assert.is_nil(ids:find("asks-for-its-rights", 1, true))
    end)
  end)
end

describe("the right to register without the right to plan", function()
  it("is enough", function()
    local world = new_world({ "list-jobs", "read-job", "register-job" })
    world:start()
    world:settle()
    assert.equal(5, in_ops(world))
    assert.is_nil(said(world):find("may only be read", 1, true))
  end)
end)

describe("where nothing is written", function()
  it("no rights are asked for", function()
    local world = new_world(READ, { options = { dry_run = true } })
    world:start()
    world:settle()
    assert.equal(0, count_requests(world, "POST", "/plan$"))
    assert.equal(5, times(said(world), "would be created: ops/c-web-"), said(world))
  end)

  it("no rights are asked for, where there is nothing to do", function()
    local world = testing.world { files = { ["p.lua"] = POLICY } }
    world.nomad:register(looks.source("other"))
    world:start()
    world:settle()
    assert.equal(0, count_requests(world, "POST", "/plan$"))
  end)
end)

describe("job templates", function()
  local function parse_world(rights)
    local world = testing.world { scripts = { "scripts/backup.lua" }, token = "t" }
    world.nomad:namespace("ops")
    world.nomad:namespace("tools")
    world.nomad:token({ secret = "boot", management = true })
    world.nomad:token({ secret = "t", namespaces = rights })
    return world
  end

  -- The namespaces in which parsing was asked for.
  local function asked(world)
    local list = {}
    for _, request in ipairs(world.nomad.requests) do
      if request.path == "/v1/jobs/parse" then
        list[#list + 1] = request.query.namespace or "default"
      end
    end
    return list
  end

  it("are parsed where the token may", function()
    local world = parse_world({ ops = READ, tools = "write" })
    world:start()
    assert.same({ "default", "ops", "tools" }, asked(world))
    world.nomad:register(looks.source("web", nil, { Namespace = "tools" }))
    world:settle()
    assert.is_table(looks.alive(world, "backup-web", "tools"))
  end)

  it("name the capability where the token may nowhere, and go on when it may", function()
    local world = parse_world({ ops = READ, tools = READ })
    pcall(world.start, world)
    local wanted = "grant the capability parse-job (or submit-job)"
    assert.is_true(times(said(world), wanted) > 0, said(world))
    world.nomad:token({ secret = "t", namespaces = { ops = READ, tools = "write" } })
    world:advance("31s")
    world.nomad:register(looks.source("web", nil, { Namespace = "tools" }))
    world:settle()
    assert.is_table(looks.alive(world, "backup-web", "tools"))
  end)
end)
