-- reads: what several policies ask for in one moment is read once, and each of them works on it.
local looks = require "support.looks"
local testing = require "operator.testing"

local said = looks.said
local source = looks.source

-- Policies that look at each job.
local function policies(...)
  local list = {}
  for i, name in ipairs { ... } do
    list[i] = ([[operator.policy {
      name = "%s", watch = { topic = "Job" }, resync = "1h",
      reconcile = function(job, ctx)
        ctx.log("info", "%s sees " .. job.ID .. " " .. job.Version)
      end,
    }]]):format(name, name)
  end
  return 'local operator = require "operator"\nreturn { ' .. table.concat(list, ", ") .. " }"
end

local function new_world(...)
  return testing.world { files = { ["p.lua"] = policies(...) } }
end

local function reads_of(world, id)
  local count = 0
  for _, request in ipairs(world.nomad.requests) do
    local is_read = request.method == "GET" and request.path == "/v1/job/" .. id
    count = count + (is_read and 1 or 0)
  end
  return count
end

describe("operator.reads", function()
  it("reads a job once for all policies", function()
    local world = new_world("one", "two")
    world.nomad:register(source("a"))
    world.nomad:register(source("b"))
    world:start()
    world:advance("1s")
    assert.equal(1, reads_of(world, "a"))
    assert.equal(1, reads_of(world, "b"))
    for _, name in ipairs { "one", "two" } do
      assert.matches(name .. " sees a 0", said(world), 1, true)
      assert.matches(name .. " sees b 0", said(world), 1, true)
    end
  end)

  it("asks as often for two as for one", function()
    local counts = {}
    for i, world in ipairs { new_world("one"), new_world("one", "two") } do
      world.nomad:register(source("a"))
      world:start()
      world:advance("1s")
      world.nomad:stop("default", "a")
      world:advance("1s")
      world.nomad:register(source("a", { x = "1" }))
      world:advance("1s")
      assert.matches("one sees a 2", said(world), 1, true)
      counts[i] = reads_of(world, "a")
    end
    assert.is_true(counts[1] >= 2)
    assert.equal(counts[1], counts[2])
  end)

  it("tells all of them of a failure, and all try again", function()
    local world = new_world("one", "two")
    world.nomad:register(source("a"))
    world:fault { match = "GET /v1/job/a$", error = "cut", times = 1 }
    world:start()
    world:advance("30s")
    for _, name in ipairs { "one", "two" } do
      assert.matches(name .. " sees a 0", said(world), 1, true)
    end
    local _, failures = said(world):gsub("GET /v1/job/a:", "")
    assert.equal(2, failures, said(world))
  end)
end)
