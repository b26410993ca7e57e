-- examples: each one does what its page says, in the model's world.
local json = require "host.json"
local testing = require "operator.testing"

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

-- A world that runs the example, with its job registered.
local function run(name)
  local world = testing.world { scripts = { "examples/" .. name } }
  world:start()
  local job = json.decode(read("examples/" .. name .. "/job.json")).Job
  world.nomad:register(job)
  world:settle()
  return world, job
end

describe("example", function()
  it("01-hello sees a job come and go", function()
    local world = run "01-hello"
    assert.matches("Hello hello, version 0", world:blocks(), 1, true)
    world.nomad:stop("default", "hello")
    world:settle()
    assert.matches("Goodbye hello", world:blocks(), 1, true)
  end)

  it("02-child keeps a second job beside the first", function()
    local world, job = run "02-child"
    local child = world.nomad:job("default", "warm-shop")
    assert.equal("http://shop.service.consul/", child.TaskGroups[1].Tasks[1].Config.args[3])
    job.Meta["warm-url"] = nil
    world.nomad:register(job)
    world:settle()
    assert.is_true(world.nomad:job("default", "warm-shop").Stop)
  end)

  it("03-reconcile reports once a day until there is an owner", function()
    local world, job = run "03-reconcile"
    local function reports()
      local _, count = world:blocks():gsub("has no owner in its meta", "")
      return count
    end
    assert.equal(1, reports())
    world:advance("25h")
    assert.equal(2, reports())
    job.Meta.owner = "web"
    world.nomad:register(job)
    world:advance("50h")
    assert.equal(2, reports())
  end)

  it("04-timer counts the jobs", function()
    local world = run "04-timer"
    world:advance("11m")
    local _, count = world:blocks():gsub("1 jobs", "")
    assert.equal(2, count)
  end)

  it("05-topics reports what failed, and nodes that take no work", function()
    local world = run "05-topics"
    local function said(text)
      local _, count = world:blocks():gsub(text, "")
      return count
    end
    world.nomad:put("Allocation", {
      ID = "a1",
      Namespace = "default",
      JobID = "unlucky",
      NodeID = "n1",
      NodeName = "model",
      DesiredStatus = "run",
      ClientStatus = "failed",
      TaskStates = { main = { Failed = true, Events = { { DisplayMessage = "Exit Code: 1" } } } },
    })
    world:settle()
    assert.equal(1, said "job unlucky failed on node model: task main: Exit Code: 1")

    local function set(eligibility)
      local id = "5a1c0000-0000-4000-8000-000000000001"
      local body = json.encode { NodeID = id, Eligibility = eligibility }
      local path = ("/v1/node/%s/eligibility"):format(id)
      world.nomad:http { method = "PUT", path = path, body = body, inside = true }
      world:settle()
    end
    set "ineligible"
    assert.equal(1, said "node model takes no work: ineligible")
    world:advance "150m"
    assert.equal(3, said "node model takes no work: ineligible")
    set "eligible"
    assert.equal(1, said "node model takes work")
    world:advance "3h"
    assert.equal(3, said "takes no work")
  end)
end)
