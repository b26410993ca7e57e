-- queue: one policy's keys, on a clock of the spec's own.
local queue = require "operator.queue"

-- A queue whose work is collected, and a clock that only the spec moves.
local function bench(options)
  local b = { now = 0, ran = {}, timers = {} }
  b.queue = queue.new({
    run = function(item)
      b.ran[#b.ran + 1] = item
    end,
    now = function()
      return b.now
    end,
    random = function()
      return 1
    end,
    timer = function(fn)
      local timer = { fn = fn }
      function timer.set(_, seconds)
        timer.due = b.now + seconds
      end
      function timer.stop()
        timer.due = nil
      end
      b.timers[#b.timers + 1] = timer
      return timer
    end,
    concurrency = options and options.concurrency,
  })
  function b.advance(seconds)
    local to = b.now + seconds
    while true do
      local timer = b.timers[1]
      if not (timer.due and timer.due <= to) then
        break
      end
      b.now, timer.due = timer.due, nil
      timer.fn()
    end
    b.now = to
  end
  function b.keys()
    local keys = {}
    for i, item in ipairs(b.ran) do
      keys[i] = item.key
    end
    return keys
  end
  return b
end

local function put(b, key, fields)
  fields = fields or {}
  fields.key, fields.cause = key, fields.cause or { kind = "resync" }
  b.queue:put(fields)
end

describe("queue", function()
  it("holds work until it is started, each key once", function()
    local b = bench()
    put(b, "a", { object = 1 })
    put(b, "a", { object = 2 })
    put(b, "b")
    assert.same({}, b.keys())
    b.queue:start()
    assert.same({ "a", "b" }, b.keys())
    assert.equal(2, b.ran[1].object)
  end)

  it("never runs a key twice at once, and once more for what came meanwhile", function()
    local b = bench()
    b.queue:start()
    put(b, "a")
    for i = 1, 1000 do
      put(b, "a", { object = i })
    end
    assert.equal(1, #b.ran)
    assert.equal("again", (b.queue:finish(b.ran[1], { kind = "done" })))
    assert.equal(2, #b.ran)
    assert.equal(1000, b.ran[2].object)
    b.queue:finish(b.ran[2], { kind = "done" })
    assert.equal(2, #b.ran)
    assert.is_true(b.queue:idle())
  end)

  it("works live news before what a list found", function()
    local b = bench({ concurrency = 1 })
    for i = 1, 50 do
      put(b, "listed-" .. i)
    end
    put(b, "live", { live = true })
    put(b, "listed-40", { live = true })
    b.queue:start()
    for i = 1, 51 do
      b.queue:finish(b.ran[i], { kind = "done" })
    end
    assert.equal("live", b.ran[1].key)
    assert.equal("listed-40", b.ran[2].key)
    assert.equal(51, #b.ran)
    assert.equal(0, b.queue:status().ready)
  end)

  it("loses nothing that comes while others are taken", function()
    local b = bench({ concurrency = 2 })
    b.queue:start()
    local finished = 0
    for i = 1, 300 do
      put(b, "k" .. i, { live = i % 3 == 0 })
      if i % 2 == 0 and b.ran[finished + 1] then
        finished = finished + 1
        b.queue:finish(b.ran[finished], { kind = "done" })
      end
    end
    while b.ran[finished + 1] do
      finished = finished + 1
      b.queue:finish(b.ran[finished], { kind = "done" })
    end
    assert.equal(300, finished)
    assert.is_true(b.queue:idle())
  end)

  it("keeps the cause of a run that only saw that it was overtaken", function()
    local overtaken = { kind = "retry", held = true, delay = 0 }
    local b = bench()
    b.queue:start()
    put(b, "a", { cause = { kind = "event", type = "JobDeregistered" } })
    put(b, "a", { cause = { kind = "event", type = "PlanResult" } })
    b.queue:finish(b.ran[1], overtaken)
    assert.equal("JobDeregistered", b.ran[2].cause.type)
    put(b, "a", { cause = { kind = "event", type = "PlanResult" } })
    b.queue:finish(b.ran[2], { kind = "done" })
    assert.equal("PlanResult", b.ran[3].cause.type)
  end)

  it("keeps the status where the same event comes without one", function()
    local b = bench()
    put(b, "a", { cause = { kind = "event", type = "JobDeregistered", status = "running" } })
    put(b, "a", { cause = { kind = "event", type = "JobDeregistered" } })
    put(b, "b", { cause = { kind = "event", type = "JobDeregistered" } })
    put(b, "b", { cause = { kind = "event", type = "JobRegistered" } })
    b.queue:start()
    assert.equal("running", b.ran[1].cause.status)
    assert.equal("JobRegistered", b.ran[2].cause.type)
  end)

  it("keeps the cause that says most until the key is worked", function()
    local b = bench()
    put(b, "a", { cause = { kind = "event", type = "JobDeregistered" } })
    put(b, "a", { cause = { kind = "event", type = "PlanResult" } })
    b.queue:start()
    assert.equal("JobDeregistered", b.ran[1].cause.type)
    put(b, "a", { cause = { kind = "event", type = "JobRegistered" } })
    put(b, "a", { cause = { kind = "event", type = "AllocationUpdated" } })
    b.queue:finish(b.ran[1], { kind = "done" })
    assert.equal("JobRegistered", b.ran[2].cause.type)
  end)

  it("knows how long the oldest key that is not done has been asked for", function()
    local b = bench()
    b.queue:start()
    assert.equal(0, b.queue:oldest())
    put(b, "a")
    b.now = 10
    put(b, "a")
    assert.equal(10, b.queue:oldest())
    b.queue:finish(b.ran[1], { kind = "retry", delay = 100 })
    b.now = 20
    assert.equal(0, b.queue:status().waiting)
    b.queue:finish(b.ran[2], { kind = "retry", delay = 100 })
    assert.equal(1, b.queue:status().waiting)
    assert.equal(20, b.queue:oldest())
    put(b, "a")
    b.queue:finish(b.ran[3], { kind = "after", delay = 100 })
    assert.equal(0, b.queue:oldest())
    b.advance(100)
    b.now = b.now + 7
    assert.equal(7, b.queue:oldest())
    b.queue:finish(b.ran[4], { kind = "fail" })
    assert.equal(0, b.queue:oldest())
    b.queue:unpark({ kind = "resync" })
    b.now = b.now + 1
    assert.equal(1, b.queue:oldest())
    b.queue:finish(b.ran[5], { kind = "done" })
    assert.equal(0, b.queue:oldest())
  end)

  it("runs no more than its concurrency", function()
    local b = bench({ concurrency = 3 })
    b.queue:start()
    for i = 1, 10 do
      put(b, "k" .. i)
    end
    assert.equal(3, #b.ran)
    b.queue:finish(b.ran[2], { kind = "done" })
    assert.equal(4, #b.ran)
  end)

  it("tries a failed key again with a growing wait, alone", function()
    local b = bench()
    b.queue:start()
    put(b, "bad")
    local waits = {}
    for attempt = 1, 5 do
      local how, delay = b.queue:finish(b.ran[#b.ran], { kind = "retry" })
      assert.equal("retry", how)
      waits[attempt] = delay
      put(b, "good" .. attempt)
      assert.equal("good" .. attempt, b.ran[#b.ran].key)
      b.queue:finish(b.ran[#b.ran], { kind = "done" })
      b.advance(delay - 0.01)
      assert.equal("good" .. attempt, b.ran[#b.ran].key)
      b.advance(0.02)
      assert.equal("bad", b.ran[#b.ran].key)
    end
    assert.same({ 1, 2, 4, 8, 16 }, waits)
  end)

  it("parks a key after the limit, and takes it up again for news", function()
    local b = bench()
    b.queue:start()
    put(b, "bad")
    local how
    for _ = 1, queue.ATTEMPTS do
      how = b.queue:finish(b.ran[#b.ran], { kind = "retry" })
      b.advance(400)
    end
    assert.equal("parked", how)
    local runs = #b.ran
    b.advance(100000)
    assert.equal(runs, #b.ran)
    assert.equal(1, b.queue:status().parked)
    put(b, "bad", { live = true })
    assert.equal(runs + 1, #b.ran)
    assert.equal(0, b.ran[#b.ran].attempts)
  end)

  it("counts no try that was held, and starts nothing while nothing may start", function()
    local b = bench()
    local may = true
    b.queue.may_start = function()
      return may
    end
    b.queue:start()
    put(b, "a")
    for _ = 1, queue.ATTEMPTS * 2 do
      assert.equal("held", (b.queue:finish(b.ran[#b.ran], { kind = "retry", held = true })))
    end
    local how, delay = b.queue:finish(b.ran[#b.ran], { kind = "retry", held = true, delay = 100 })
    assert.same({ "retry", 100 }, { how, delay })
    b.advance(101)
    how, delay = b.queue:finish(b.ran[#b.ran], { kind = "retry" })
    assert.same({ "retry", 1 }, { how, delay })
    may = false
    local runs = #b.ran
    put(b, "b")
    b.advance(10)
    assert.equal(runs, #b.ran)
    may = true
    b.queue:pump()
    assert.equal(runs + 2, #b.ran)
  end)

  it("leaves a key that waits or is parked alone where a put brings no news", function()
    local b = bench()
    b.queue:start()
    put(b, "a")
    b.queue:finish(b.ran[1], { kind = "retry", delay = 50 })
    put(b, "a", { gentle = true })
    assert.equal(1, #b.ran)
    b.advance(51)
    b.queue:finish(b.ran[2], { kind = "fail" })
    put(b, "a", { gentle = true })
    assert.equal(2, #b.ran)
    put(b, "b", { gentle = true })
    assert.equal("b", b.ran[3].key)
    put(b, "b", { gentle = true })
    assert.equal("again", (b.queue:finish(b.ran[3], { kind = "done" })))
  end)

  it("gives a key that has used its tries up one more when it is unparked", function()
    local b = bench()
    b.queue:start()
    put(b, "bad")
    for _ = 1, queue.ATTEMPTS do
      b.queue:finish(b.ran[#b.ran], { kind = "retry" })
      b.advance(400)
    end
    for _ = 1, 3 do
      local runs = #b.ran
      b.queue:unpark({ kind = "resync" })
      assert.equal(runs + 1, #b.ran)
      assert.equal("parked", (b.queue:finish(b.ran[#b.ran], { kind = "retry" })))
    end
  end)

  it("waits longer each time, to a limit, spread over the upper nine tenths", function()
    for random, least in pairs({ [0] = 0.1, [0.5] = 0.55, [1] = 1 }) do
      local b = bench()
      b.queue.random = function()
        return random
      end
      b.queue:start()
      put(b, "bad")
      for attempt = 1, queue.ATTEMPTS - 1 do
        local how, delay = b.queue:finish(b.ran[#b.ran], { kind = "retry" })
        local expected = least * math.min(300, 2 ^ (attempt - 1))
        assert.equal("retry", how)
        assert.is_true(math.abs(delay - expected) < 1e-9, ("%g, not %g"):format(delay, expected))
        b.advance(delay + 0.01)
      end
      assert.equal("parked", (b.queue:finish(b.ran[#b.ran], { kind = "retry" })))
    end
  end)

  it("parks a permanent failure at once; unpark brings it back", function()
    local b = bench()
    b.queue:start()
    put(b, "bad")
    assert.equal("parked", (b.queue:finish(b.ran[1], { kind = "fail" })))
    b.queue:unpark({ kind = "resync" })
    assert.same({ "bad", "bad" }, b.keys())
  end)

  it("takes a waiting key up at once when news comes", function()
    local b = bench()
    b.queue:start()
    put(b, "a")
    b.queue:finish(b.ran[1], { kind = "retry", delay = 100 })
    b.advance(1)
    put(b, "a", { live = true })
    assert.equal(2, #b.ran)
    b.queue:finish(b.ran[2], { kind = "done" })
    b.advance(200)
    assert.equal(2, #b.ran)
  end)

  it("works a key again after the time it asked for", function()
    local b = bench()
    b.queue:start()
    put(b, "a")
    local how, delay = b.queue:finish(b.ran[1], { kind = "after", delay = 30 })
    assert.same({ "after", 30 }, { how, delay })
    b.advance(29)
    assert.equal(1, #b.ran)
    b.advance(2)
    assert.equal(2, #b.ran)
    assert.equal("requeue", b.ran[2].cause.kind)
  end)

  it("starts nothing after stop, and is idle when the last one ends", function()
    local b = bench({ concurrency = 1 })
    b.queue:start()
    put(b, "a")
    put(b, "b")
    b.queue:stop()
    assert.is_false(b.queue:idle())
    b.queue:finish(b.ran[1], { kind = "done" })
    assert.same({ "a" }, b.keys())
    assert.is_true(b.queue:idle())
  end)
end)
