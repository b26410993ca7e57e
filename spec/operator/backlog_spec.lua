-- backlog: keys that only need a look wait as keys, and are worked as items would be.
local queue = require "operator.queue"

-- A queue of one place on a clock of the spec's own.
local function bench()
  local b = { now = 0, ran = {} }
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
    timer = function()
      return { set = function() end, stop = function() end }
    end,
    concurrency = 1,
  })
  function b.finish()
    return b.queue:finish(b.ran[#b.ran], { kind = "done" })
  end
  return b
end

local START = { kind = "start" }

local function keys_of(b)
  local keys = {}
  b.queue:each(function(key)
    keys[#keys + 1] = key
  end)
  table.sort(keys)
  return table.concat(keys, " ")
end

describe("the backlog of a queue", function()
  it("has no item for a key before its turn comes", function()
    local b = bench()
    for i = 1, 3 do
      b.queue:put({ key = "job" .. i, cause = START })
    end
    assert.same({}, b.queue.items)
    assert.equal(3, b.queue:status().ready)
    assert.is_true(b.queue:has "job2")
    assert.equal("job1 job2 job3", keys_of(b))
    b.queue:start()
    assert.equal("job1", b.ran[1].key)
    assert.equal(START, b.ran[1].cause)
    assert.equal(2, b.queue:status().ready)
    assert.equal(1, b.queue:status().running)
    b.finish()
    assert.is_false(b.queue:has "job1")
    b.finish()
    b.finish()
    assert.same({ ready = 0, waiting = 0, parked = 0, running = 0 }, b.queue:status())
    assert.is_true(b.queue:idle())
    assert.equal("", keys_of(b))
  end)

  it("keeps a key once, with the cause that says more", function()
    local b = bench()
    b.queue:put({ key = "web", cause = { kind = "start", status = "running" } })
    b.queue:put({ key = "web", cause = { kind = "start" } })
    assert.equal(1, b.queue:status().ready)
    b.queue:start()
    assert.equal("running", b.ran[1].cause.status)
    b.finish()
    assert.equal(1, #b.ran)
  end)

  it(
    "lets go of a key whose own change has come, which goes first and is not worked twice",
    function()
      local b = bench()
      b.queue:put({ key = "a", cause = START })
      b.queue:put({ key = "b", cause = START })
      b.now = 5
      local object = { ID = "b" }
      b.queue:put({ key = "b", cause = { kind = "event" }, object = object, live = true })
      assert.equal(2, b.queue:status().ready)
      b.queue:start()
      assert.equal("b", b.ran[1].key)
      assert.equal(object, b.ran[1].object)
      assert.equal(0, b.ran[1].asked) -- it has waited since it was listed
      b.finish()
      assert.equal("a", b.ran[2].key)
      b.finish()
      assert.equal(2, #b.ran)
    end
  )

  it("takes keys in their turn with items that no event brought", function()
    local b = bench()
    b.queue:put({ key = "a", cause = START })
    b.queue:put({ key = "b", cause = START, index = 7 })
    b.queue:put({ key = "c", cause = START })
    b.queue:start()
    b.finish()
    assert.equal(7, b.ran[2].index)
    b.finish()
    assert.equal("c", b.ran[3].key)
  end)

  it("works a key again that comes back while its old place is still in the lane", function()
    local b = bench()
    b.queue:put({ key = "a", cause = START })
    b.queue:put({ key = "b", cause = START })
    b.queue:put({ key = "b", cause = { kind = "event" }, live = true })
    b.queue:start()
    b.finish() -- of b
    b.queue:put({ key = "b", cause = { kind = "resync" } })
    b.finish() -- of a
    assert.equal("b", b.ran[3].key)
    b.finish()
    assert.equal(3, #b.ran)
    assert.is_true(b.queue:idle())
  end)

  it("knows how long the oldest has waited, to a second", function()
    local b = bench()
    assert.equal(0, b.queue:oldest())
    b.queue:put({ key = "a", cause = START })
    b.now = 10
    b.queue:put({ key = "b", cause = START })
    b.now = 10.5
    b.queue:put({ key = "c", cause = START })
    b.now = 12
    assert.equal(12, b.queue:oldest())
    b.queue:start()
    assert.equal(12, b.queue:oldest()) -- a is under way
    b.finish()
    assert.equal(2, b.queue:oldest()) -- b
    b.finish()
    assert.equal(2, b.queue:oldest()) -- c is as old as b, to a second
    b.finish()
    assert.equal(0, b.queue:oldest())
    b.now = 100
    b.queue:put({ key = "d", cause = START })
    assert.equal(0, b.queue:oldest())
  end)

  it("takes a tenth of an item's memory a key", function()
    local b, count = bench(), 20000
    local keys = {}
    for i = 1, count do
      keys[i] = "default/job-" .. i
    end
    collectgarbage()
    local before = collectgarbage "count"
    for _, key in ipairs(keys) do
      b.queue:put({ key = key, cause = START })
    end
    collectgarbage()
    local each = (collectgarbage "count" - before) * 1024 / count + b.queue.backlog:bytes() / count
    assert.is_true(each <= 100, ("%.0f bytes a key"):format(each))
  end)
end)
