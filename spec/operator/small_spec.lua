-- duration, backoff, nearest, heap, counters: the small parts.
local backoff = require "operator.backoff"
local counters = require "operator.counters"
local duration = require "operator.duration"
local heap = require "operator.heap"
local nearest = require "operator.nearest"

describe("duration", function()
  it("reads units and sums", function()
    assert.equal(600, duration.parse("10m"))
    assert.equal(5400, duration.parse("1h30m"))
    assert.equal(0.5, duration.parse("500ms"))
    assert.equal(86400, duration.parse("1d"))
    assert.equal(7, duration.parse(7))
  end)

  it("refuses what is not a length of time, and says what is", function()
    for _, bad in ipairs({ "", "10", "m", "10 m", "-5s", "1y", "5s!" }) do
      local value, err = duration.parse(bad)
      assert.is_nil(value, bad)
      assert.matches('"30s"', err, 1, true)
    end
    assert.is_nil(duration.parse(-1))
    assert.is_nil(duration.parse({}))
  end)

  it("writes two units at most", function()
    assert.equal("350ms", duration.format(0.35))
    assert.equal("4.2s", duration.format(4.2))
    assert.equal("2s", duration.format(2))
    assert.equal("10m", duration.format(600))
    assert.equal("1h30m", duration.format(5400))
    assert.equal("1d2h", duration.format(86400 + 7200 + 61))
  end)
end)

describe("backoff", function()
  local limits = { base = 1, max = 60 }

  it("doubles its ceiling up to the limit", function()
    local function top()
      return 1
    end
    local seen = {}
    for attempt = 1, 8 do
      seen[attempt] = backoff.delay(attempt, limits, top)
    end
    assert.same({ 1, 2, 4, 8, 16, 32, 60, 60 }, seen)
    assert.equal(60, backoff.delay(5000, limits, top))
  end)

  it("never comes back at once", function()
    assert.near(
      0.4,
      backoff.delay(3, limits, function()
        return 0
      end),
      1e-9
    )
  end)
end)

describe("nearest", function()
  it("finds the word that was meant, or none", function()
    assert.equal("desired", nearest.find("desird", { "watch", "desired" }))
    assert.is_nil(nearest.find("banana", { "watch", "desired" }))
    assert.equal(", did you mean watch?", nearest.hint("wacth", { "watch" }))
    assert.equal("", nearest.hint("banana", { "watch" }))
  end)
end)

describe("heap", function()
  it("gives entries in order of due", function()
    local h, random = heap.new(), 17
    for _ = 1, 500 do
      random = (random * 1103515245 + 12345) % 2147483648
      h:push({ due = random % 97 })
    end
    local last = -1
    for _ = 1, 500 do
      local entry = h:pop()
      assert.is_true(entry.due >= last)
      last = entry.due
    end
    assert.is_nil(h:pop())
    assert.is_nil(h:peek())
  end)
end)

describe("counters", function()
  it("names each counter once, and counts with it from then on", function()
    local named, counted = {}, {}
    local writes = counters.new({
      counter = function(name, labels)
        local text = ("%s %s %s"):format(name, labels.policy, labels.verb)
        named[#named + 1] = text
        return function()
          counted[text] = (counted[text] or 0) + 1
        end
      end,
    }, "writes_total", "verb")
    for _ = 1, 2 do
      writes:add("a", "create")
      writes:add("a", "update")
      writes:add("b", "create")
    end
    assert.same(
      { "writes_total a create", "writes_total a update", "writes_total b create" },
      named
    )
    for _, text in ipairs(named) do
      assert.equal(2, counted[text])
    end
  end)
end)
