-- apply: how a child is registered and updated, what a policy may say about that, and what keeps it from being written,
-- in the model's world.
local child_policy = require "support.child_policy"
local looks = require "support.looks"
local marks = require "operator.marks"

local new_world, source = child_policy.world, child_policy.source
local alive, said, times = looks.alive, looks.said, looks.times

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
    local text = child_policy.text("replace = true,"):gsub('meta.type or "batch"', '"service"')
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
    assert.equal(10, child_policy.count_alive(world))
    assert.equal(1, times(said(world), FREEZE), said(world))
    assert.is_nil(world:logged("^POST /v1/jobs", "error"))
    -- One try every 15 seconds, and the first ones, which started together.
    assert.is_true(#world.nomad:writes() - writes <= 30 * 4 + 8)
    world.nomad.frozen = false
    world:advance("20s")
    assert.equal(10, child_policy.count_alive(world))
    assert.is_table(alive(world, "c-new-1"))
    assert.is_nil(alive(world, "c-old-1"))
    assert.equal(1, times(said(world), "Nomad takes registrations again"))
  end)
end)
