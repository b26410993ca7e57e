-- What holds the operator back: the rate of writes, the rest that Nomad asks for, the breaker, flapping children, the
-- room for payloads. On virtual time.
local backups = require "support.backups"
local breaker = require "operator.breaker"
local flap = require "operator.flap"
local payloads = require "operator.payloads"
local queue = require "operator.queue"
local ratelimit = require "operator.ratelimit"

local source, child, said, times = backups.source, backups.child, backups.said, backups.times

-- When each write reached Nomad.
local function write_times(world)
  local list, http = {}, world.nomad.http
  function world.nomad.http(model, request)
    if request.method == "POST" and request.path == "/v1/jobs" and not request.inside then
      list[#list + 1] = world.clock.monotonic()
    end
    return http(model, request)
  end
  return list
end

local function register(world, count)
  for i = 1, count do
    world.nomad:register(source(("job-%03d"):format(i)))
  end
end

describe("ratelimit", function()
  it("lets a burst go, then so many a second, in order", function()
    local now = 0
    local limit = ratelimit.new {
      rate = 10,
      burst = 3,
      now = function()
        return now
      end,
    }
    local waits = {}
    for i = 1, 6 do
      waits[i] = limit:take()
    end
    assert.same({ 0, 0, 0, 0.1, 0.2, 0.3 }, waits)
    now = 100
    assert.equal(0, limit:take())
  end)
end)

describe("writes", function()
  -- How long the start's 300 writes took, and when each was.
  local function start(options)
    local world = backups.world { options = options }
    register(world, 300)
    local writes = write_times(world)
    local from = world.clock.monotonic()
    world:start()
    world:advance "60s"
    assert.equal(300, #writes)
    return writes[300] - from, writes
  end

  it("of a start are held to -write-rate=50, after 100 at once", function()
    local took, writes = start { write_rate = 50 }
    assert.is_true(took >= 4 and took <= 5, took .. " s")
    for i = 120, 250 do -- some tokens came while the first ones went
      local second = writes[i + 50] - writes[i]
      assert.is_true(second > 0.9, ("writes %d and on: %g s"):format(i, second))
    end
  end)

  it("are held to -write-rate, but not without it", function()
    local slow = start { write_rate = 10 }
    assert.is_true(slow >= 28 and slow <= 29, slow .. " s")
    local free = start()
    assert.is_true(free < 2, free .. " s")
  end)
end)

describe("a 429", function()
  local world

  before_each(function()
    world = backups.world()
    register(world, 40)
  end)

  -- When requests reached Nomad's door, and how they were answered.
  local function watch()
    local list, send = {}, world.network.send
    function world.network.send(network, request, done)
      list[#list + 1] = world.clock.monotonic()
      return send(network, request, done)
    end
    return list
  end

  it("with Retry-After stops all requests until then, is said once, and burns no tries", function()
    world:start()
    world.nomad:register(source("job-001", "@hourly"))
    world:settle()
    for i = 1, 40 do
      world.nomad:purge("default", ("backup-job-%03d"):format(i))
    end
    local limited = world:fault {
      status = 429,
      headers = { ["Retry-After"] = "30" },
      body = "Your IP is issuing too many concurrent connections",
    }
    local sent = watch()
    local from = world.clock.monotonic()
    world:advance(5)
    limited()
    world:advance(60)
    local early = 0
    for _, at in ipairs(sent) do
      if at - from > 0.1 and at - from < 29.9 then
        early = early + 1
      end
    end
    assert.equal(0, early)
    assert.equal(1, times(world, "all requests rest for 30s"))
    assert.is_nil(said(world):find("Error:", 1, true), said(world))
    for i = 1, 40 do
      assert.is_table(child(world, ("job-%03d"):format(i)))
    end
  end)

  it("without one rests too, longer each time, and parks no key", function()
    world:start()
    local limited = world:fault { status = 429, body = "please rate limit your calls" }
    for i = 1, 40 do
      world.nomad:purge("default", "backup-job-0" .. ("%02d"):format(i))
    end
    local sent = watch()
    world:advance "1h"
    assert.is_true(#sent < 60 * 2 * 5, #sent .. " requests in an hour")
    assert.equal(0, world.current.gen.controllers[1].queue:status().parked)
    limited()
    world:advance "2m"
    for i = 1, 40 do
      assert.is_table(child(world, ("job-%03d"):format(i)))
    end
  end)

  it("holds a new generation back too", function()
    world:start()
    world:fault { status = 429, headers = { ["Retry-After"] = "30" }, times = 1 }
    world:gap()
    world:advance(1)
    local sent = watch()
    world:hup()
    world:advance(20)
    assert.equal(0, #sent)
    world:advance(20)
    assert.is_true(#sent > 0)
    assert.equal("working", world.current.state)
  end)
end)

describe("the breaker", function()
  local function bench()
    local b = { now = 0 }
    b.breaker = breaker.new {
      now = function()
        return b.now
      end,
      random = function()
        return 1
      end,
    }
    return b
  end

  it(
    "opens after so many failures in a row, not before, and closes at the first success",
    function()
      local b = bench()
      for _ = 1, 3 do
        for _ = 1, breaker.THRESHOLD - 1 do
          assert.is_false(b.breaker:failed())
        end
        assert.is_false(b.breaker:succeeded())
      end
      for _ = 1, breaker.THRESHOLD - 1 do
        b.breaker:failed()
      end
      assert.is_true(b.breaker:failed())
      assert.is_false(b.breaker:failed())
      assert.is_true(b.breaker:is_open())
      assert.is_true(b.breaker:succeeded())
      assert.equal(0, b.breaker:delay())
    end
  )

  it("lets one probe start at a time, with growing waits between them", function()
    local b = bench()
    for _ = 1, breaker.THRESHOLD do
      b.breaker:failed()
    end
    local waits = {}
    for i = 1, 8 do
      waits[i] = b.breaker:delay()
      b.now = b.now + waits[i]
      assert.equal(0, b.breaker:delay())
      b.breaker:began(i)
      assert.is_nil(b.breaker:delay())
      b.breaker:failed()
      b.breaker:ended(i)
    end
    assert.same({ 1, 2, 4, 8, 16, 30, 30, 30 }, waits)
  end)

  local function started(count)
    local world = backups.world()
    register(world, count)
    world:start()
    return world
  end

  it("lets reconciles rest while Nomad fails, says so once, and burns no tries", function()
    local world = started(30)
    local mend = world:fault {
      match = "/v1/job",
      status = 500,
      body = "No cluster leader",
    }
    for i = 1, 30 do
      world.nomad:purge("default", ("backup-job-%03d"):format(i))
    end
    local starts, spawn = 0, world.current.gen.controllers[1].run
    world.current.gen.controllers[1].run = function(...)
      starts = starts + 1
      return spawn(...)
    end
    world:advance(2)
    starts = 0
    world:advance "1h"
    -- One probe in at most 30 s, and at least 3 s: full jitter over the upper nine tenths.
    assert.is_true(starts > 60 and starts < 1300, starts .. " reconciles in an hour")
    assert.equal(1, times(world, "Nomad does not work"))
    assert.equal(0, times(world, "Nomad works again"))
    assert.equal(0, world.current.gen.controllers[1].queue:status().parked)
    mend()
    world:advance(40)
    assert.equal(1, times(world, "Nomad works again"))
    for i = 1, 30 do
      assert.is_table(child(world, ("job-%03d"):format(i)))
    end
  end)

  it("is shown in the status", function()
    local world = started(30)
    world:fault { match = "/v1/job", error = "refused" }
    for i = 1, 30 do
      world.nomad:purge("default", ("backup-job-%03d"):format(i))
    end
    world:advance(10)
    local text = table.concat(world.current.gen:status(), "\n")
    assert.matches("reconciles rest, because Nomad does not work", text, 1, true)
  end)

  it("does not open for jobs that Nomad finds wrong, which are 500s too", function()
    local world = backups.world()
    register(world, 30)
    world:fault { match = "POST /v1/jobs$", status = 500, body = "1 error occurred: invalid" }
    world:start()
    world:advance "1m"
    assert.equal(0, times(world, "Nomad does not work"))
    assert.equal(30, world.current.gen.controllers[1].queue:status().parked)
  end)
end)

describe("a child that somebody else rewrites each time", function()
  -- Whenever the operator has put the child right, the other one writes it again.
  local function quarrel(world)
    local rewriting, fights = true, 0
    world.nomad:watch(function()
      local job = rewriting and child(world, "web")
      if job and job.Periodic.Spec ~= "@yearly" then
        fights = fights + 1
        world.clock.after(0.5, function()
          local edited = {}
          for name, value in pairs(world.nomad:job("default", "backup-web")) do
            edited[name] = value
          end
          edited.Periodic = { Spec = "@yearly", SpecType = "cron", Enabled = true }
          world.nomad:register(edited)
        end)
      end
    end)
    return function()
      rewriting = false
      return fights
    end
  end

  it("is named once and put right more and more slowly; others are not, and it heals", function()
    local world = backups.world()
    world.nomad:register(source "web")
    world.nomad:register(source "api")
    world:start()
    local stop = quarrel(world)
    world.nomad:register(source("web", "@weekly"))
    world:advance "6h"
    local fights = stop()
    assert.is_true(fights >= flap.TIMES and fights < 30, fights .. " rewrites in six hours")
    assert.equal(1, times(world, "Job backup-web was put right 5 times within 10m"))
    assert.is_nil(said(world):find("Error:", 1, true), said(world))
    world.nomad:purge("default", "backup-api")
    world:settle()
    assert.is_table(child(world, "api"))
    world:advance "2h"
    assert.equal("@weekly", child(world, "web").Periodic.Spec)
  end)

  it("does not slow down what its owner wants", function()
    local world = backups.world()
    world.nomad:register(source "web")
    world:start()
    for i = 1, 30 do
      local schedule = ("%d 3 * * *"):format(i)
      world.nomad:register(source("web", schedule))
      world:settle()
      assert.equal(schedule, child(world, "web").Periodic.Spec)
    end
    assert.equal(0, times(world, "somebody else"))
  end)

  it("is not remembered for ever", function()
    local now = 0
    local host = {
      monotonic = function()
        return now
      end,
      log = function() end,
      count = function() end,
    }
    local tracker = flap.new(host)
    for i = 1, flap.TRACKED * 2 do
      now = now + 0.01
      tracker:repair("backup", "default/c" .. i)
    end
    local count = 0
    for _ in pairs(tracker.children) do
      count = count + 1
    end
    assert.equal(tracker.tracked, count)
    assert.is_true(count <= flap.TRACKED)
  end)
end)

describe("payloads that wait", function()
  it("take no more than their room; above it a key is read, as new as its event", function()
    local room, ran = payloads.new(1000), {}
    local q = queue.new {
      run = function(item)
        ran[#ran + 1] = item
      end,
      now = function()
        return 0
      end,
      random = math.random,
      timer = function()
        return { set = function() end, stop = function() end }
      end,
      payloads = room,
      concurrency = 100,
    }
    for i = 1, 20 do
      for at = 1, 3 do
        q:put {
          key = "k" .. i,
          cause = { kind = "resync" },
          object = { i },
          size = 100,
          at = i * 10 + at,
        }
        assert.is_true(room.used <= 1000)
      end
    end
    q:start()
    assert.equal(20, #ran)
    local kept = 0
    for i, item in ipairs(ran) do
      if item.object then
        kept = kept + 1
      else
        assert.equal(i * 10 + 3, item.index)
      end
    end
    assert.equal(10, kept)
    q:put { key = "k1", cause = { kind = "resync" }, object = { 1 }, size = 100, at = 500 }
    q:put { key = "k1", cause = { kind = "resync" }, index = 501 }
    for _, kind in ipairs { "done", "retry", "fail", "after" } do
      q:finish(table.remove(ran), { kind = kind, delay = 1 })
    end
    for i = #ran, 1, -1 do
      q:finish(ran[i], { kind = "done" })
    end
    assert.equal("k1", ran[#ran].key)
    q:finish(ran[#ran], { kind = "done" })
    assert.equal(0, room.used)
  end)

  it("are counted by the operator, and given back", function()
    local world = backups.world()
    register(world, 20)
    world:start()
    local room = world.current.gen.payloads
    room.max = 20000
    local most = 0
    local take = room.take
    function room.take(...)
      local taken = take(...)
      most = math.max(most, room.used)
      return taken
    end
    for i = 1, 20 do
      world.nomad:register(source(("job-%03d"):format(i), "@weekly"))
    end
    world:settle()
    for i = 1, 20 do
      assert.equal("@weekly", child(world, ("job-%03d"):format(i)).Periodic.Spec)
    end
    assert.is_true(most > 0 and most <= 20000, most)
    assert.equal(0, room.used)
  end)

  it("are not held without end for a handler that is behind: it is told of the gap", function()
    local world = backups.world {
      files = {
        ["h.lua"] = [[
          local operator = require "operator"
          local stuck = true
          return operator.policy { name = "h", watch = { topic = "Job" }, on = {
            JobRegistered = function(event, ctx)
              if event.object.ID == "web" and event.object.Version < 3 and stuck then
                stuck = event.object.Version < 2
                error("not yet")
              end
              ctx.log("info", "got " .. event.object.ID .. " " .. event.object.Version)
            end,
            gap = function(event, ctx) ctx.log("info", "a gap of " .. ctx.key) end,
          } }]],
      },
    }
    world:start()
    local room = world.current.gen.payloads
    room.max = 20000
    for i = 1, 40 do
      world.nomad:register(source("web", ("%d 3 * * *"):format(i)))
      world:settle()
      assert.is_true(room.used <= 20000)
    end
    assert.is_true(room.used > 5000)
    assert.equal(1, times(world, "too many events wait for their handler"))
    world.nomad:register(source("api"))
    world:settle()
    assert.equal(1, times(world, "got api 0"))
    world:advance "30m"
    assert.equal(0, room.used)
    assert.equal(1, times(world, "a gap of default/web"))
    assert.is_truthy(said(world):find("got web 3.*a gap of default/web"))
    world.nomad:register(source("web", "@hourly"))
    world:settle()
    assert.equal(1, times(world, "got web 40"))
  end)
end)
