-- What the queue must bear: floods of events, a key that never works, failing tries of every kind, hours of lists.
local backups = require "support.backups"
local clock = require "operator.testing.clock"
local json = require "host.json"
local queue = require "operator.queue"

local source, child, said, times = backups.source, backups.child, backups.said, backups.times

local function count_children(world)
  local count = 0
  for _, key in ipairs(world.nomad:ids "default") do
    local job = world.nomad:job("default", key)
    if job and key:find "^backup%-" and not job.Stop then
      count = count + 1
    end
  end
  return count
end

-- The model's job web is as the events have said.
local function reach(state, index)
  state.index = index
  state:put_job(state.with(state:job("default", "web"), { ModifyIndex = index }), index)
  state:notify()
end

describe("100,000 events on one key", function()
  it("make no more than two reconciles at a time, and one write for each change", function()
    local policy = backups.POLICY:gsub('topic = "Job"', '%0, changes = "any"', 1)
    local world = backups.world { files = { ["backup.lua"] = policy } }
    world.nomad:register(source "web")
    world:start()
    local gen = world.current.gen
    local one = gen.controllers[1]
    local running, most, runs = 0, 0, 0
    local run, ended = one.run, one.ended
    function one.run(...)
      running, runs = running + 1, runs + 1
      most = math.max(most, running)
      return run(...)
    end
    function one.ended(...)
      running = running - 1
      return ended(...)
    end
    local writes = #world.nomad:writes()
    local EVENTS, EVERY = 100000, 1000
    local before, after, index
    for i = 1, EVENTS do
      if i % EVERY == 1 then
        world.nomad:register(source("web", ("%d 3 * * *"):format(i // EVERY % 60)))
        local job = world.nomad:job("default", "web")
        before, after = json.encode({ Job = job }):match '^(.*"ModifyIndex":)%d+(.*)$'
        index = job.ModifyIndex
      end
      -- Every event is news: the job's status has changed.
      index = index + 1
      gen:event("Job", "PlanResult", "web", "default", index, before .. index .. after)
      local counts = one.queue:status()
      local item = one.queue.items["default/web"]
      assert.is_true(counts.ready + counts.running + counts.waiting + counts.parked <= 1)
      assert.is_true(item == nil or item.again == nil or item.again.again == nil)
      if i % 500 == 0 then
        reach(world.nomad.state, index)
        world:advance(0.05)
      end
    end
    world:settle()
    assert.equal(1, most)
    local changes = EVENTS // EVERY
    assert.is_true(runs >= changes and runs <= 10 * changes, runs .. " reconciles")
    assert.is_true(#world.nomad:writes() - writes <= changes)
    local last = ("%d 3 * * *"):format((EVENTS - 1) // EVERY % 60)
    assert.equal(last, child(world, "web").Periodic.Spec)
  end)
end)

describe("one key of 10,000 that always fails", function()
  local KEYS, SERVICE, GAP = 10000, 0.003, 0.001

  -- How long each key took from put to done, on virtual time; `bad` fails whenever it is tried.
  local function latencies(bad)
    local time = clock.new(0)
    local asked, took, tries = {}, {}, 0
    local q
    q = queue.new {
      run = function(item)
        time.after(SERVICE, function()
          if item.key == bad then
            tries = tries + 1
            q:finish(item, { kind = "retry" })
          else
            took[item.key] = time.now() - asked[item.key]
            q:finish(item, { kind = "done" })
          end
        end)
      end,
      now = time.now,
      random = function()
        return 0.5
      end,
      timer = function(fn)
        local timer
        return {
          set = function(_, seconds)
            if timer then
              timer:stop()
            end
            timer = time.after(seconds, fn)
          end,
          stop = function() end,
        }
      end,
    }
    q:start()
    for i = 1, KEYS do
      time.after(i * GAP, function()
        local key = "k" .. i
        asked[key] = time.now()
        q:put { key = key, cause = { kind = "event", type = "JobRegistered" }, live = true }
      end)
    end
    time.advance(KEYS * GAP + 60)
    local sum, most = 0, 0
    for key, seconds in pairs(took) do
      if key ~= "k1" then
        sum, most = sum + seconds, math.max(most, seconds)
      end
    end
    return sum / (KEYS - 1), most, tries
  end

  it("does not make the others wait", function()
    local mean, most = latencies()
    local with_mean, with_most, tries = latencies "k1"
    assert.is_true(tries >= 4, tries .. " tries")
    assert.is_true(with_mean <= mean * 1.01, ("mean %g s, then %g s"):format(mean, with_mean))
    assert.is_true(with_most <= most + SERVICE, ("most %g s, then %g s"):format(most, with_most))
  end)
end)

describe("a try that ends with", function()
  local POLICY = [[
    local operator = require "operator"
    local runs = 0
    return operator.policy { name = "r", watch = { topic = "Job", where = { ID = "web" } },
      reconcile = function(job, ctx)
        runs = runs + 1
        ctx.log("info", "run " .. runs)
        %s
      end }]]

  local function started(body, options)
    options = options or {}
    options.files = { ["p.lua"] = POLICY:format(body) }
    local world = backups.world(options)
    world:start()
    world.nomad:register(source "web")
    world:settle()
    local at = {}
    local one = world.current.gen.controllers[1]
    local run = one.run
    function one.run(...)
      at[#at + 1] = world.clock.monotonic()
      return run(...)
    end
    return world, at, world.clock.monotonic()
  end

  it("operator.retry waits longer each time, then parks, and a resync takes it up", function()
    local world, at, from = started 'operator.retry "busy"'
    world:advance "9m30s"
    -- Full jitter over the upper nine tenths of 1, 2, 4 … seconds.
    local before = from
    for i, time in ipairs(at) do
      local ceiling = math.min(300, 2 ^ (i - 1))
      local waited = time - before
      assert.is_true(
        waited >= ceiling * 0.1 - 0.1 and waited <= ceiling + 0.1,
        ("try %d after %g s"):format(i + 1, waited)
      )
      before = time
    end
    assert.is_true(#at >= 8)
    world:advance "3h"
    assert.matches("Failed; tried again when the job changes", said(world), 1, true)
    assert.is_true(#at > 12 and #at < 60, #at .. " tries")
    world.nomad:register(source("web", "@hourly"))
    local tries = #at
    world:settle()
    assert.equal(tries + 1, #at)
  end)

  it("operator.retry with a delay is tried then", function()
    local world, at, from = started 'operator.retry("busy", "7s")'
    world:advance "22s"
    assert.equal(3, #at)
    for i, time in ipairs(at) do
      assert.is_true(math.abs(time - from - 7 * i) < 0.5)
    end
    assert.equal(4, times(world, "Failed, next try in 7s"))
  end)

  it("operator.fail is not tried again before a resync or a change", function()
    local world, at = started 'operator.fail "no"'
    world:advance "9m"
    assert.equal(0, #at)
    world:advance "2m"
    assert.equal(1, #at)
    world.nomad:register(source("web", "@hourly"))
    world:settle()
    assert.equal(2, #at)
  end)

  -- Something changes every ten seconds, and so the jobs are listed.
  local function advance_with_lists(world, minutes)
    for i = 1, minutes * 6 do
      local other = source "other"
      other.Meta = { n = tostring(i) }
      world.nomad:register(other)
      world:advance(10)
    end
  end

  it("operator.fail is not tried at each list either, where there is no stream", function()
    local world, at = started('operator.fail "no"', { live = false })
    advance_with_lists(world, 10)
    assert.is_true(#at >= 8 and #at <= 11, #at .. " tries in ten minutes of lists")
  end)

  it("operator.retry keeps its waits through lists every ten seconds", function()
    local world, at = started('operator.retry "busy"', { live = false })
    advance_with_lists(world, 9)
    assert.is_true(#at >= 6 and #at <= 16, #at .. " tries in nine minutes of lists")
  end)

  it("operator.after is worked again then, with nothing said of a failure", function()
    local world, at, from = started 'return operator.after "90s"'
    world:advance "5m"
    assert.equal(3, #at)
    assert.is_true(math.abs(at[1] - from - 90) < 0.5)
    assert.is_nil(said(world):find("Failed", 1, true))
  end)

  it("an answer with Retry-After waits as long as it says", function()
    local world, at, from = started [[
      local job, err = require("nomad.jobs").get("default", "other")
      if not job and err.code ~= "not_found" then error(err) end]]
    world:fault {
      match = "GET /v1/job/other",
      times = 1,
      status = 503,
      headers = { ["Retry-After"] = "20" },
      body = "No cluster leader",
    }
    world.nomad:register(source("web", "@hourly"))
    world:advance "19s"
    assert.equal(1, #at)
    world:advance "2s"
    assert.equal(2, #at)
    assert.is_true(at[2] - from >= 20)
  end)
end)

describe("removals", function()
  local NONE = (backups.POLICY:gsub("if job.Stop then", "if true then"))

  local function with_children(count)
    local world = backups.world()
    for i = 1, count do
      world.nomad:register(source(("job-%02d"):format(i)))
    end
    world:start()
    assert.equal(count, count_children(world))
    return world
  end

  it("stay within the budget over a day of resyncs, connects and reloads", function()
    local world = with_children(20)
    world:reload { ["backup.lua"] = NONE }
    for hour = 1, 30 do
      world:advance "1h"
      if hour % 3 == 0 then
        world:disconnect()
        world:advance "10s"
        world:reconnect()
      elseif hour % 3 == 1 then
        world:reload()
      end
      assert.equal(15, count_children(world), ("after %d hours"):format(hour))
    end
    world:reload { ["backup.lua"] = backups.POLICY }
    world:settle()
    assert.equal(20, count_children(world))
  end)

  it("are none at a start that does not get a whole list", function()
    local world = with_children(8)
    world:stop()
    for i = 1, 8 do
      world.nomad:purge("default", ("job-%02d"):format(i))
    end
    local writes = #world.nomad:writes()
    local mend = world:fault { match = "GET /v1/jobs$", error = "cut", after = 4 }
    world:start "30m"
    world:advance "30m"
    assert.equal(writes, #world.nomad:writes())
    assert.equal(8, count_children(world))
    mend()
    world:advance "1m"
    assert.equal(3, count_children(world))
  end)

  it("are none while a new generation has no whole list, and the old one goes on", function()
    local world = with_children(8)
    world:fault { match = "GET /v1/jobs$", error = "cut", after = 4 }
    world:hup { ["backup.lua"] = NONE }
    world:advance "5m"
    assert.equal(8, count_children(world))
    world.nomad:register(source "late")
    world:settle()
    assert.equal(9, count_children(world))
  end)
end)
