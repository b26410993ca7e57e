-- The virtual clock: timers in the order of their times, and no time without somebody to move it.
local clock = require "operator.testing.clock"

describe("operator.testing.clock", function()
  it("runs timers in the order of their times, equal ones in the order they were set", function()
    local time, seen = clock.new(1000), {}
    for _, item in ipairs { { 3, "c" }, { 1, "a" }, { 2, "b1" }, { 2, "b2" } } do
      time.after(item[1], function()
        seen[#seen + 1] = item[2] .. "@" .. time.now()
      end)
    end
    time.advance(10)
    assert.same({ "a@1001", "b1@1002", "b2@1002", "c@1003" }, seen)
    assert.equal(1010, time.now())
    assert.equal(10, time.monotonic())
  end)

  it("does not run a timer that was taken back", function()
    local time, ran = clock.new(), false
    local timer = time.after(1, function()
      ran = true
    end)
    timer:stop()
    time.advance(5)
    assert.is_false(ran)
    assert.is_nil(time.next_at())
  end)

  it("settles what follows closely, and leaves the rest", function()
    local time, seen = clock.new(0), {}
    time.after(0.05, function()
      seen[#seen + 1] = "near"
      time.after(0.05, function()
        seen[#seen + 1] = "next"
      end)
    end)
    time.after(30, function()
      seen[#seen + 1] = "far"
    end)
    time.settle(0.1, 10)
    assert.same({ "near", "next" }, seen)
    assert.is_true(time.now() < 1)
  end)

  it("says so when things never settle", function()
    local time = clock.new()
    local function again()
      time.after(0.01, again)
    end
    again()
    assert.has_error(function()
      time.settle(0.1, 5)
    end, "not settled after 5 seconds: something wakes all the time")
  end)

  it("says so when time stands still", function()
    local time = clock.new()
    local function again()
      time.after(0, again)
    end
    again()
    assert.error_matches(function()
      time.advance(1)
    end, "time did not move: something wakes itself at once")
  end)

  it("keeps its order with thousands of timers", function()
    local time, last, count = clock.new(0), -1, 0
    for i = 1, 5000 do
      local at = (i * 7919) % 1000
      time.after(at, function()
        assert.is_true(at >= last)
        last, count = at, count + 1
      end)
    end
    time.advance(1000)
    assert.equal(5000, count)
  end)
end)
