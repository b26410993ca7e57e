-- apply: what a policy may say about its children, and what keeps them from being written, in the model's world.
local looks = require "support.looks"
local marks = require "operator.marks"
local testing = require "operator.testing"

-- One child a job, as its meta says; %s are more fields of the policy.
local POLICY = [[
local operator = require "operator"
local function child(job)
  local meta = job.Meta
  return {
    ID = "c-" .. job.ID, Type = meta.type or "batch", Datacenters = { "dc1" },
    Periodic = meta.cron and { Spec = meta.cron, SpecType = "cron" } or nil,
    TaskGroups = { { Name = "g", Count = tonumber(meta.count or "1"), Tasks = {
      { Name = "t", Driver = "raw_exec", Config = { command = meta.command or "true" },
        Env = { A = meta.a or "1" } },
    } } },
  }
end
return operator.policy {
  name = "p", watch = { topic = "Job", where = { Meta = { child = "true" } } },
  desired = function(job)
    if job.Stop or job.Meta.none then return {} end
    return { child(job) }
  end,
  %s
}
]]

local function source(id, meta, fields)
  local job = looks.source(id, meta, fields)
  job.Meta.child = "true"
  return job
end

local function new_world(fields, options)
  options = options or {}
  options.files = { ["p.lua"] = POLICY:format(fields or "") }
  return testing.world(options)
end

local alive, said, times = looks.alive, looks.said, looks.times

local function count_alive(world)
  return looks.count_alive(world, "^c%-[^/]*$")
end

describe("a new child", function()
  -- What was asked of Nomad about the child, in order. That rights are asked for before the first write in a
  -- namespace is not about it: see rights_spec.
  local function asked(world, from)
    local list = {}
    for i = from + 1, #world.nomad.requests do
      local one = world.nomad.requests[i]
      local about = one.method ~= "GET" or one.path:find("^/v1/job/")
      if about and not one.path:find("asks-for-its-rights", 1, true) then
        list[#list + 1] = ("%s %s %d"):format(one.method, one.path, one.status)
      end
    end
    return list
  end

  it("of a job that has just come is made by one request", function()
    local world = new_world()
    world:start()
    local from = #world.nomad.requests
    world.nomad:register(source("web"))
    world:settle()
    assert.is_table(alive(world, "c-web"))
    assert.same({ "POST /v1/jobs 200" }, asked(world, from))
  end)

  it("is looked at where there is such a job already, and left alone if it is not ours", function()
    local world = new_world()
    world.nomad:register(looks.source("c-web"))
    local before = world.nomad:job("default", "c-web").JobModifyIndex
    world:start()
    local from = #world.nomad.requests
    world.nomad:register(source("web"))
    world:settle()
    assert.same({ "POST /v1/jobs 500", "GET /v1/job/c-web 200" }, asked(world, from))
    assert.equal(before, world.nomad:job("default", "c-web").JobModifyIndex)
    assert.equal(1, times(said(world), "is not ours"), said(world))
  end)
end)

describe("a child that somebody else writes between our write and its answer", function()
  it("is put right", function()
    local world = new_world()
    world:start()
    -- The rights are known from here on.
    world.nomad:register(source("first"))
    world:settle()
    world.network.latency = 10
    world.nomad:register(source("web"))
    world:advance "12s"
    local child = alive(world, "c-web")
    assert.equal(0, child.Version)
    child.TaskGroups[1].Tasks[1].Env.A = "theirs"
    world.network.latency = 0.002 -- the event overtakes the answer
    world.nomad:register(child)
    world:advance "10s"
    child = alive(world, "c-web")
    assert.equal("1", child.TaskGroups[1].Tasks[1].Env.A)
    assert.equal(2, child.Version)
  end)
end)

describe("a policy that ignores a field", function()
  local world

  before_each(function()
    world = new_world('ignore = { "TaskGroups[*].Count", "TaskGroups[*].Tasks[t].Env.B" },')
    world:start()
    world.nomad:register(source("web", { type = "service" }))
    world:settle()
    local child = alive(world, "c-web")
    child.TaskGroups[1].Count = 4
    child.TaskGroups[1].Tasks[1].Env.B = "theirs"
    world.nomad:register(child)
    world:settle()
  end)

  it("does not compare it", function()
    local writes = #world.nomad:writes()
    world:advance("1h")
    assert.equal(writes, #world.nomad:writes())
    assert.equal(4, alive(world, "c-web").TaskGroups[1].Count)
  end)

  it("keeps what is live when it writes, also what it does not set itself", function()
    world.nomad:register(source("web", { type = "service", command = "false" }))
    world:settle()
    local group = alive(world, "c-web").TaskGroups[1]
    assert.equal("false", group.Tasks[1].Config.command)
    assert.equal(4, group.Count)
    assert.same({ A = "1", B = "theirs" }, group.Tasks[1].Env)
  end)

  it("compares the rest", function()
    local child = alive(world, "c-web")
    child.TaskGroups[1].Tasks[1].Env.A = "2"
    world.nomad:register(child)
    world:settle()
    assert.same({ A = "1", B = "theirs" }, alive(world, "c-web").TaskGroups[1].Tasks[1].Env)
  end)
end)

it("a digest has nothing in it of what is ignored", function()
  local world = new_world('ignore = { "TaskGroups[*].Count" },')
  world:start()
  world.nomad:register(source("web", { cron = "@daily" }))
  world:settle()
  local writes = #world.nomad:writes()
  world.nomad:register(source("web", { cron = "@daily", count = "3" }))
  world:settle()
  assert.equal(writes, #world.nomad:writes())
end)

describe("a child that is to have another shape", function()
  local function reshape(world)
    world:start()
    world.nomad:register(source("web", { cron = "@daily" }))
    world:settle()
    world.nomad:register(source("web", { type = "service" }))
    world:settle()
  end

  it("is an error that says what would help", function()
    local world = new_world()
    reshape(world)
    assert.matches(
      "job c-web cannot become what the policy wants (periodic batch → service): Nomad does not "
        .. "change that in place; say replace = true",
      said(world),
      1,
      true
    )
    assert.equal("batch", alive(world, "c-web").Type)
  end)

  it("is purged and made anew with replace = true", function()
    local world = new_world("replace = true,")
    reshape(world)
    assert.equal("service", alive(world, "c-web").Type)
    assert.equal(0, alive(world, "c-web").Version)
    assert.matches("It replaces the one before (periodic batch → service)", said(world), 1, true)
    world.nomad:register(source("web", { cron = "@daily" }))
    world:settle()
    assert.equal("@daily", alive(world, "c-web").Periodic.Spec)
    local writes = #world.nomad:writes()
    world:advance("1h")
    assert.equal(writes, #world.nomad:writes())
  end)

  it("is made anew also where it was stopped before", function()
    local world = new_world("replace = true,")
    world:start()
    world.nomad:register(source("web", { cron = "@daily" }))
    world:settle()
    world.nomad:register(source("web", { none = "1" }))
    world:settle()
    world.nomad:register(source("web", { type = "service" }))
    world:settle()
    assert.equal("service", alive(world, "c-web").Type)
  end)

  it("costs the budget where a changed policy wants it", function()
    local world = new_world("replace = true,")
    world:start()
    for i = 1, 8 do
      world.nomad:register(source("job-" .. i, { cron = "@daily" }))
    end
    world:settle()
    local text = POLICY:format("replace = true,"):gsub('meta.type or "batch"', '"service"')
    world:reload({ ["p.lua"] = (text:gsub("meta.cron and", "false and")) })
    world:settle()
    local services = 0
    for i = 1, 8 do
      services = services + (alive(world, "c-job-" .. i).Type == "service" and 1 or 0)
    end
    assert.equal(5, services)
    assert.matches("is not removed (replaced, periodic batch → service)", said(world), 1, true)
  end)

  it("is foreseen by a plan", function()
    local world = new_world("replace = true,")
    world:start()
    world.nomad:register(source("web", { cron = "@daily" }))
    world:settle()
    world:stop()
    world.nomad:register(source("web", { type = "service" }))
    local code, output = world:command("plan")
    assert.equal(2, code)
    assert.matches(
      "~ update c-web  (p of web: replaced, periodic batch → service)",
      output,
      1,
      true
    )
    assert.equal("batch", alive(world, "c-web").Type)
  end)
end)

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

describe("a job without marks", function()
  it("is taken over if its own meta says so, for this policy only", function()
    local world = new_world()
    world:start()
    local foreign = source("c-web", { child = "no", [marks.ADOPT] = "other" }, { Type = "batch" })
    world.nomad:register(foreign)
    world.nomad:register(source("web"))
    world:settle()
    assert.matches(
      'let it be taken over with operator-adopt = "p" in its own meta',
      said(world),
      1,
      true
    )
    assert.is_nil(marks.read(alive(world, "c-web")))
    foreign.Meta[marks.ADOPT] = "p"
    world.nomad:register(foreign)
    world:advance("11m")
    local child = alive(world, "c-web")
    assert.equal("default/web", marks.read(child).owner)
    assert.is_nil(child.Meta[marks.ADOPT])
    assert.matches("P updated: c-web (adopted)", said(world), 1, true)
  end)
end)

describe("the budget of removals", function()
  local NONE = POLICY:format(""):gsub("if job.Stop", "if true")

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
    world.files:put({ ["p.lua"] = POLICY:format("") })
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
    world:reload({ ["p.lua"] = (POLICY:format("purge = true,"):gsub("if job.Stop", "if true")) })
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

describe("a freeze of registrations", function()
  local FREEZE = "refuses registrations for now"

  it("pauses makings and removals, is said once, and heals by itself", function()
    local world = new_world()
    world:start()
    for i = 1, 10 do
      world.nomad:register(source("old-" .. i))
    end
    world:settle()
    world.nomad.frozen = true
    for i = 1, 10 do
      world.nomad.frozen = false
      world.nomad:register(source("new-" .. i))
      world.nomad:stop("default", "old-" .. i)
      world.nomad.frozen = true
    end
    local writes = #world.nomad:writes()
    world:advance("30m")
    assert.equal(10, count_alive(world))
    assert.equal(1, times(said(world), FREEZE), said(world))
    assert.is_nil(world:logged("^POST /v1/jobs", "error"))
    -- One try every 15 seconds, and the first ones, which started together.
    assert.is_true(#world.nomad:writes() - writes <= 30 * 4 + 8)
    world.nomad.frozen = false
    world:advance("20s")
    assert.equal(10, count_alive(world))
    assert.is_table(alive(world, "c-new-1"))
    assert.is_nil(alive(world, "c-old-1"))
    assert.equal(1, times(said(world), "Nomad takes registrations again"))
  end)
end)
