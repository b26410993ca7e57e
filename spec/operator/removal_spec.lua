-- removal: which children are removed, what becomes of their runs, and the budget that holds removals back, in the
-- model's world.
local child_policy = require "support.child_policy"
local looks = require "support.looks"

local new_world, source = child_policy.world, child_policy.source
local count_alive, alive, said = child_policy.count_alive, looks.alive, looks.said

describe("the runs of a removed child", function()
  local function with_run(fields)
    local world = new_world(fields, { nomad = { batch_seconds = -1 } })
    world:start()
    world.nomad:register(source("web", { cron = "@daily" }))
    world:settle()
    world.nomad:force("default", "c-web")
    world:settle()
    local run
    for _, id in ipairs(world.nomad:ids("default")) do
      run = id:find("^c%-web/") and id or run
    end
    return world, run
  end

  it("finish", function()
    local world, run = with_run("")
    world.nomad:stop("default", "web")
    world:settle()
    assert.is_nil(alive(world, "c-web"))
    assert.is_table(alive(world, run))
  end)

  it("are stopped too with stop_runs", function()
    local world, run = with_run("stop_runs = true,")
    world.nomad:stop("default", "web")
    world:settle()
    assert.is_nil(alive(world, "c-web"))
    assert.is_nil(alive(world, run))
    assert.matches("P 1 run stopped: c-web", said(world), 1, true)
  end)

  it("are stopped later where Nomad fails meanwhile", function()
    local world, run = with_run("stop_runs = true,")
    local heal = world:fault({ match = "^DELETE ", status = 500, body = "No cluster leader" })
    world.nomad:stop("default", "web")
    world:settle()
    assert.is_nil(alive(world, "c-web"))
    assert.is_table(alive(world, run))
    heal()
    world:advance("2m")
    assert.is_nil(alive(world, run))
  end)

  it("are stopped after a crash between the two", function()
    local world, run = with_run("stop_runs = true,")
    world:fault({ match = "^DELETE ", status = 500, body = "No cluster leader" })
    world.nomad:stop("default", "web")
    world:settle()
    world:kill()
    world.network.faults = {}
    world:start()
    world:settle()
    assert.is_nil(alive(world, run))
  end)
end)

it("a removal is not tried in a namespace in which a write was denied", function()
  local world = new_world()
  world:start()
  world.nomad:register(source("a"))
  world.nomad:register(source("b"))
  world:settle()
  local from = #world.nomad.requests
  local refused = 0
  world:fault {
    match = function(request)
      local is_write = request.method == "POST" and request.path == "/v1/jobs"
      refused = refused + (is_write and 1 or 0)
      return is_write
    end,
    status = 403,
    body = "Permission denied",
  }
  world.nomad:stop("default", "a")
  world:settle()
  world.nomad:stop("default", "b")
  world:settle()
  assert.is_true(#world.nomad.requests > from)
  assert.equal(1, refused)
end)

describe("a stopped owner", function()
  it("keeps its children as they are with keep_on_stop, until it is gone", function()
    local world = new_world("keep_on_stop = true,")
    world:start()
    world.nomad:register(source("web", { cron = "@daily" }))
    world.nomad:register(source("never", { cron = "@daily" }, { Stop = true }))
    world:settle()
    world.nomad:stop("default", "web")
    world:settle()
    assert.matches("P kept: c-web (source stopped)", said(world), 1, true)
    world:kill()
    world:start()
    world:advance("1h")
    assert.is_table(alive(world, "c-web"))
    assert.is_nil(alive(world, "c-never"))
    world.nomad:purge("default", "web")
    world:settle()
    assert.is_nil(alive(world, "c-web"))
  end)
end)

describe("the budget of removals", function()
  local NONE = child_policy.text():gsub("if job.Stop", "if true")

  local function with_children(count, version)
    local world = new_world("", { version = version })
    world:start()
    for i = 1, count do
      world.nomad:register(source(("job-%02d"):format(i)))
    end
    world:settle()
    return world
  end

  for _, version in ipairs { "1.11.3", "1.4.3" } do
    it("survives a crash loop on " .. version, function()
      local world = with_children(20, version)
      world.files:put({ ["p.lua"] = NONE })
      for _ = 1, 5 do
        world:kill()
        world:start()
        world:advance("20m")
      end
      assert.equal(15, count_alive(world))
    end)
  end

  it("is taken for what is found only by reading it: an orphan on 1.4.3", function()
    local world = with_children(3, "1.4.3")
    world:kill()
    world.nomad:purge("default", "job-02")
    world:start()
    world:settle()
    assert.is_nil(alive(world, "c-job-02"))
    assert.equal(2, count_alive(world))
  end)

  it("survives a restart at which a stopped child comes as an event before the list", function()
    local world = with_children(20)
    world.files:put({ ["p.lua"] = NONE })
    world:kill()
    world:start()
    world:settle()
    assert.equal(15, count_alive(world))
    world:kill()
    local child
    for i = 1, 20 do
      local one = world.nomad:job("default", ("c-job-%02d"):format(i))
      child = one.Stop and one or child
    end
    local heal = world:fault({ match = "^GET /v1/jobs$", delay = 5 })
    world.clock.after(1, function()
      child.Priority = 60
      world.nomad:register(child)
    end)
    world:start()
    heal()
    world:advance("1h")
    assert.equal(60, world.nomad:job("default", child.ID).Priority)
    assert.equal(15, count_alive(world))
  end)

  it("survives a restart whose first list breaks off", function()
    local world = with_children(20)
    world.files:put({ ["p.lua"] = NONE })
    for _ = 1, 2 do
      world:kill()
      world:fault({ match = "^GET /v1/jobs$", error = "cut", after = 30, times = 1 })
      world:start()
      world:advance("20m")
      assert.equal(15, count_alive(world))
    end
  end)

  it("is new a day later", function()
    local world = with_children(10)
    world.files:put({ ["p.lua"] = NONE })
    world:kill()
    world:start()
    world:settle()
    assert.equal(5, count_alive(world))
    world:kill()
    world:advance("25h")
    world:start()
    world:settle()
    assert.equal(0, count_alive(world))
  end)

  it("does not count what owners asked for, nor what came back", function()
    local world = with_children(12)
    for i = 1, 6 do
      world.nomad:stop("default", ("job-%02d"):format(i))
    end
    world:settle()
    world:kill()
    world.files:put({ ["p.lua"] = NONE })
    world:start()
    world:settle()
    assert.equal(1, count_alive(world))
    world:kill()
    world.files:put({ ["p.lua"] = child_policy.text() })
    world:start()
    world:settle()
    assert.equal(6, count_alive(world))
    world:kill()
    world.files:put({ ["p.lua"] = NONE })
    world:start()
    world:settle()
    assert.equal(1, count_alive(world))
  end)

  it("leaves what it paid for stopped, and purges only what owners asked for", function()
    local world = new_world("purge = true,")
    world:start()
    world.nomad:register(source("a"))
    world.nomad:register(source("b"))
    world:settle()
    world.nomad:stop("default", "a")
    world:settle()
    assert.is_nil(world.nomad:job("default", "c-a"))
    local none = child_policy.text("purge = true,"):gsub("if job.Stop", "if true")
    world:reload({ ["p.lua"] = none })
    world:settle()
    assert.is_true(world.nomad:job("default", "c-b").Stop)
  end)

  it("is not given back for a stop of which no answer came", function()
    local world = with_children(20)
    -- Nomad stops the child, the answer is lost.
    world:fault({ match = "^POST /v1/jobs$", error = "cut", applied = true, times = 3 })
    world:reload({ ["p.lua"] = NONE })
    world:advance("1h")
    assert.equal(15, count_alive(world))
  end)

  it("is lifted by a person: what was refused goes, without a restart", function()
    local world = with_children(20)
    world:reload({ ["p.lua"] = NONE })
    world:settle()
    assert.equal(15, count_alive(world))
    assert.equal(15, world.current.gen:approve())
    world:settle()
    assert.equal(0, count_alive(world))
    assert.matches("Approved: 15 removals that were refused are made now", said(world), 1, true)
    assert.same({ nil, "no policy is called q" }, { world.current.gen:approve("q") })
  end)
end)
