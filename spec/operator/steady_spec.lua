-- steady: where nothing changes nothing is written, however often it is looked at, restarted, or done by two.
local json = require "host.json"
local marks = require "operator.marks"
local testing = require "operator.testing"

local POLICY = [[
local operator = require "operator"
local function child(job, kind)
  return {
    ID = kind .. "-" .. job.ID, Type = kind == "periodic" and "batch" or "service",
    Datacenters = { "dc1" },
    Periodic = kind == "periodic"
      and { Spec = job.Meta.cron or "@daily", SpecType = "cron" } or nil,
    TaskGroups = { { Name = "g", Count = 3, Tasks = { { Name = "t", Driver = "raw_exec",
      Config = { command = "sleep", args = { job.Meta.seconds or "3600" } } } } } },
  }
end
return operator.policy {
  name = "p", watch = { topic = "Job", where = { Meta = { child = "true" } } }, resync = "10s",
  desired = function(job)
    return job.Stop and {} or { child(job, "service"), child(job, "periodic") }
  end,
}
]]

local function source(id, meta)
  local job = {
    ID = id,
    Type = "service",
    Datacenters = { "dc1" },
    Meta = { child = "true" },
    TaskGroups = {
      {
        Name = "g",
        Tasks = { { Name = "t", Driver = "raw_exec", Config = { command = "sleep" } } },
      },
    },
  }
  for name, value in pairs(meta or {}) do
    job.Meta[name] = value
  end
  return job
end

local function new_world(options)
  options = options or {}
  options.files = options.files or { ["p.lua"] = POLICY }
  return testing.world(options)
end

local function serve(world, count)
  for i = 1, count do
    world.nomad:register(source("job-" .. i))
  end
  world:start()
  world:settle()
end

-- What every job is, with its version and indexes.
local function snapshot(world)
  local answer = world.nomad:http({ path = "/v1/jobs", query = { meta = "true" }, inside = true })
  local list = {}
  for _, stub in ipairs(json.decode(answer.body)) do
    local job = world.nomad:job(stub.Namespace, stub.ID)
    list[#list + 1] = ("%s version %d index %d stop %s"):format(
      job.ID,
      job.Version,
      job.JobModifyIndex,
      tostring(job.Stop)
    )
  end
  table.sort(list)
  return list
end

local function lists(world)
  return world.counters['resync_total{result="ok"}']
end

describe("an unchanged state", function()
  for _, version in ipairs { "1.11.3", "1.4.3" } do
    it("takes 10,000 resyncs without a write, on " .. version, function()
      local world = new_world({ version = version })
      serve(world, 2)
      local before, writes, listed = snapshot(world), #world.nomad:writes(), lists(world)
      assert.equal(6, #before)
      world:advance(100010)
      assert.is_true(lists(world) - listed >= 10000, tostring(lists(world)))
      assert.equal(writes, #world.nomad:writes())
      assert.same(before, snapshot(world))
    end)

    it("takes 100 restarts, by SIGTERM and by kill -9, without a write, on " .. version, function()
      local world = new_world({ version = version })
      serve(world, 5)
      local before, writes = snapshot(world), #world.nomad:writes()
      for i = 1, 100 do
        if i % 2 == 0 then
          world:stop()
        else
          world:kill()
        end
        world:start()
        world:settle()
      end
      assert.equal(writes, #world.nomad:writes())
      assert.same(before, snapshot(world))
    end)
  end

  it("takes 50 reloads without a write", function()
    local world = new_world()
    serve(world, 5)
    local before, writes = snapshot(world), #world.nomad:writes()
    for _ = 1, 50 do
      assert.is_true(world:reload())
    end
    assert.equal(writes, #world.nomad:writes())
    assert.same(before, snapshot(world))
  end)

  it("takes an upgrade of the way of hashing without a write", function()
    local world = new_world()
    serve(world, 2)
    world:stop()
    for i = 1, 2 do
      local child = world.nomad:job("default", "periodic-job-" .. i)
      assert.matches("^1:", child.Meta[marks.HASH])
      child.Meta[marks.HASH] = child.Meta[marks.HASH]:gsub("^1:", "0:")
      world.nomad:register(child)
    end
    local before, writes = snapshot(world), #world.nomad:writes()
    world:start()
    world:advance("10m")
    assert.equal(writes, #world.nomad:writes())
    assert.same(before, snapshot(world))
  end)
end)

describe("two operators side by side", function()
  local function pair(instance)
    local one = new_world({ seed = 1 })
    local two = new_world({ seed = 2, beside = one, options = { instance = instance } })
    one:start()
    two:start()
    return one, two
  end

  local function change(world)
    for i = 1, 10 do
      world.nomad:register(source("job-" .. i))
    end
    world:settle()
    for i = 1, 5 do
      world.nomad:register(source("job-" .. i, { cron = "@hourly", seconds = "60" }))
    end
    world:settle()
    world.nomad:stop("default", "job-9")
    world.nomad:purge("default", "job-10")
    world:advance("2m")
  end

  it("with the same instance agree: each change is written once", function()
    local one = pair "default"
    change(one)
    -- Two children a job: made, five of each updated once, four stopped.
    for i = 1, 8 do
      for _, kind in ipairs { "periodic", "service" } do
        local job = one.nomad:job("default", ("%s-job-%d"):format(kind, i))
        assert.is_false(job.Stop)
        assert.equal(i <= 5 and 1 or 0, job.Version)
      end
    end
    for _, owner in ipairs { "job-9", "job-10" } do
      for _, kind in ipairs { "periodic", "service" } do
        local job = one.nomad:job("default", kind .. "-" .. owner)
        assert.is_true(job.Stop, job.ID)
        assert.equal(1, job.Version)
      end
    end
    local before, writes = snapshot(one), #one.nomad:writes()
    one:advance("1h")
    assert.equal(writes, #one.nomad:writes())
    assert.same(before, snapshot(one))
  end)

  it("do not undo each other where one is behind", function()
    local one = pair "default"
    one.nomad:register(source("web"))
    one:settle()
    -- Between the second operator's look at the owner and its look at the child, both change.
    local done = false
    local two = new_world({ seed = 3, beside = one })
    two:start()
    two:fault({
      match = function(request)
        if not done and request.path == "/v1/job/periodic-web" then
          done = true
          one.nomad:register(source("web", { cron = "@hourly" }))
          one.network.latency, two.network.latency = 0.0001, 0.1
        end
        return false
      end,
    })
    two:reload({ ["p.lua"] = POLICY .. "\n" })
    one:advance("1m")
    assert.is_true(done)
    assert.equal("@hourly", one.nomad:job("default", "periodic-web").Periodic.Spec)
    assert.equal(1, one.nomad:job("default", "periodic-web").Version)
  end)

  it("with different instances leave each other's alone", function()
    local one, two = pair "other"
    two:kill()
    change(one)
    local before, writes = snapshot(one), #one.nomad:writes()
    two:start()
    one:advance("1h")
    assert.equal(writes, #one.nomad:writes())
    assert.same(before, snapshot(one))
    assert.matches(
      "belongs to operator instance default, and this one is other",
      two:log_text() .. two:blocks(),
      1,
      true
    )
  end)
end)

describe("a dry run", function()
  local READS = {
    "^GET /v1/jobs$",
    "^GET /v1/job/[^/]+$",
    "^GET /v1/namespaces$",
    "^GET /v1/event/stream$",
    "^POST /v1/jobs/parse$",
  }

  local function is_read(request)
    local text = (request.method or "GET") .. " " .. request.path
    for _, pattern in ipairs(READS) do
      if text:find(pattern) then
        return true
      end
    end
    return false
  end

  it("sends reads only, whatever happens", function()
    local world = new_world({ options = { dry_run = true } })
    serve(world, 3)
    world.nomad:register(source("job-1", { cron = "@hourly" }))
    world.nomad:stop("default", "job-2")
    world.nomad:purge("default", "job-3")
    world:advance("30m")
    world:disconnect()
    world:reconnect()
    world:reload({ ["p.lua"] = (POLICY:gsub("job.Stop and", "true and")) })
    world:advance("30m")
    for _, request in ipairs(world.nomad.requests) do
      assert.is_true(is_read(request), request.method .. " " .. request.path)
    end
    assert.is_true(#world.nomad.requests > 100)
  end)
end)
