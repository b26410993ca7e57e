-- ahead: the children of an owner that is said to be gone are read while the owner is; and what was read too early
-- undoes nothing.
local child_policy = require "support.child_policy"
local looks = require "support.looks"
local payloads = require "operator.payloads"

local new_world, source = child_policy.world, child_policy.source
local alive, said = looks.alive, looks.said

describe("the children of an owner that is said to be gone", function()
  local world, from

  -- A job with its child, and how Nomad is asked from then on.
  local function begin(fields, options)
    world = new_world(fields, options)
    world:start()
    world.nomad:register(source("web"))
    world:settle()
    assert.is_table(alive(world, "c-web"))
    from = #world.nomad.requests
  end

  after_each(function()
    world:stop()
  end)

  -- The owner's answer comes a second later than the child's.
  local function held(fault)
    fault = fault or {}
    fault.match, fault.delay, fault.times = "^GET /v1/job/web$", 1, 1
    world:fault(fault)
  end

  -- The owner has stopped, its child was read ahead, and its own answer is still to come.
  local function begin_stop()
    begin()
    held()
    world.nomad:stop("default", "web")
    world:advance "500ms"
  end

  -- Somebody else changes the child.
  local function write_theirs()
    local child = alive(world, "c-web")
    child.TaskGroups[1].Tasks[1].Env.A = "theirs"
    world.nomad:register(child)
  end

  local function reads(id)
    local count = 0
    for i = from + 1, #world.nomad.requests do
      local one = world.nomad.requests[i]
      count = count + (one.method == "GET" and one.path == "/v1/job/" .. id and 1 or 0)
    end
    return count
  end

  local function stops(status)
    local count = 0
    for i = from + 1, #world.nomad.requests do
      local one = world.nomad.requests[i]
      local is_stop = one.method == "POST"
        and one.path == "/v1/jobs"
        and one.status == (status or 200)
      count = count + (is_stop and one.body:find('"Stop":true', 1, true) and 1 or 0)
    end
    return count
  end

  it("are read while it is, and once", function()
    begin_stop()
    assert.equal(0, reads "web")
    assert.equal(1, reads "c-web")
    assert.equal(0, stops())
    world:advance "2s"
    assert.equal(1, reads "c-web")
    assert.equal(1, stops())
    assert.is_nil(alive(world, "c-web"))
  end)

  it("stay where it has come back", function()
    begin()
    held()
    world.nomad:purge("default", "web")
    world:advance "500ms"
    assert.equal(1, reads "c-web")
    world.nomad:register(source("web"))
    world:advance "30s"
    assert.equal(0, stops())
    assert.equal(0, alive(world, "c-web").Version)
  end)

  it("do not hold it up where it has come back", function()
    begin()
    world:fault { match = "^GET /v1/job/c%-web$", delay = 20, times = 1 }
    held()
    world.nomad:purge("default", "web")
    world:advance "500ms"
    world.nomad:register(source("web", { a = "2" }))
    world:advance "10s"
    assert.equal("2", alive(world, "c-web").TaskGroups[1].Tasks[1].Env.A)
    -- Nobody waits for what was asked ahead: it was given up.
    world:advance "20s"
    assert.equal(1, reads "c-web")
  end)

  it("are read again where somebody has written them meanwhile", function()
    begin_stop()
    write_theirs()
    world:advance "5s"
    local child = world.nomad:job("default", "c-web")
    assert.is_true(child.Stop)
    assert.equal("theirs", child.TaskGroups[1].Tasks[1].Env.A)
    assert.equal(1, stops())
    assert.equal(0, stops(500))
  end)

  it("are read again where nothing told of what somebody has written", function()
    begin_stop()
    world:lose_stream "the server is held"
    write_theirs()
    world:advance "30s"
    local child = world.nomad:job("default", "c-web")
    assert.is_true(child.Stop)
    assert.equal("theirs", child.TaskGroups[1].Tasks[1].Env.A)
  end)

  it("are left alone where they are somebody else's by now", function()
    begin_stop()
    world:lose_stream "the server is held"
    world.nomad:purge("default", "c-web")
    world.nomad:register(looks.source("c-web"))
    world:advance "30s"
    assert.equal(0, stops())
    assert.is_table(alive(world, "c-web"))
  end)

  it("may be gone too", function()
    begin_stop()
    world.nomad:purge("default", "c-web")
    world:advance "30s"
    assert.equal(0, stops())
    assert.is_nil(world.nomad:job("default", "c-web"))
    assert.is_nil(said(world):find("rror", 1, true), said(world))
  end)

  it("stay where Nomad forbids to read it", function()
    begin()
    local heal = world:fault { match = "^GET /v1/job/web$", status = 403, body = "denied" }
    world.nomad:purge("default", "web")
    world:advance "5m"
    assert.is_true(reads "c-web" > 0)
    assert.equal(0, stops())
    assert.is_table(alive(world, "c-web"))
    heal()
    world:advance "1h"
    assert.equal(1, stops())
  end)

  it("go where they can be read only when it is their turn", function()
    begin()
    held()
    world:fault { match = "^GET /v1/job/c%-web$", status = 500, body = "No leader", times = 1 }
    world.nomad:stop("default", "web")
    world:advance "3s"
    assert.equal(1, stops())
    assert.is_nil(said(world):find("No leader", 1, true), said(world))
  end)

  it("stay, and that is told, where they cannot be read", function()
    begin()
    local heal = world:fault { match = "^GET /v1/job/c%-web$", status = 403, body = "denied" }
    world.nomad:stop("default", "web")
    world:advance "500ms"
    assert.equal(0, stops())
    assert.matches("GET /v1/job/c-web", said(world), 1, true)
    heal()
    world:advance "1h"
    assert.equal(1, stops())
  end)

  it("are not read where the policy keeps them", function()
    begin "keep_on_stop = true,"
    world.nomad:stop("default", "web")
    world:advance "5s"
    assert.equal(0, reads "c-web")
    assert.is_table(alive(world, "c-web"))
  end)

  it("are not read ahead where it has changed, and its event was too long to be kept", function()
    begin()
    local text = ("x"):rep(1024)
    local meta = {}
    for i = 1, payloads.MAX // #text + 1 do
      meta["long" .. i] = text
    end
    held()
    world.nomad:register(source("web", meta))
    world:advance "500ms"
    assert.equal(0, reads "c-web")
    world:advance "5s"
    assert.equal(1, reads "web")
    assert.is_table(alive(world, "c-web"))
  end)

  it("are not read ahead where it is only missing in a list", function()
    begin()
    world:lose_stream "the server is held"
    held()
    world.nomad:purge("default", "web")
    world:run_until(function()
      return reads "web" > 0 or reads "c-web" > 0
    end, 120)
    assert.equal(0, reads "c-web")
  end)

  it("go by their owner's own change where the budget of removals is used up", function()
    begin("max_delete = 0,")
    world.nomad:stop("default", "web")
    world:settle()
    assert.equal(1, stops())
  end)

  it("stay where the budget is used up and their owner was not said to be gone", function()
    begin("max_delete = 0,")
    world:kill()
    world.nomad:purge("default", "web")
    world:start()
    world:advance "5m"
    assert.equal(0, stops())
    assert.is_table(alive(world, "c-web"))
  end)
end)

it("with -dry-run only reads are sent, ahead or not", function()
  local first = new_world()
  first:start()
  first.nomad:register(source("web"))
  first:settle()
  first:kill()
  local world = new_world(nil, { beside = first, options = { dry_run = true } })
  world:start()
  world:settle()
  local writes = #world.nomad:writes()
  world.nomad:stop("default", "web")
  world:advance "5s"
  assert.equal(writes, #world.nomad:writes())
  assert.is_table(alive(world, "c-web"))
  assert.matches("would be removed: c-web", said(world), 1, true)
end)
