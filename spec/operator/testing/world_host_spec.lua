-- A world's host: tasks, timers, locks and signals in virtual time, as the real ones behave.
local testing = require "operator.testing"
local host = require "host"
local nomad = require "host.nomad"

describe("a world's host", function()
  local world

  before_each(function()
    world = testing.world()
  end)

  it("sleeps in virtual time, tasks side by side", function()
    local seen = {}
    for i = 3, 1, -1 do
      host.spawn("t" .. i, function(n)
        host.sleep(n)
        seen[#seen + 1] = n
      end, nil, i)
    end
    world:advance(10)
    assert.same({ 1, 2, 3 }, seen)
  end)

  it("refuses to wait outside a task, in a callback, in a script's own coroutine", function()
    assert.error_matches(function() host.sleep(1) end, "host.sleep waits: call it inside a handler")
    local err
    local timer = host.timer(function() err = select(2, pcall(host.sleep, 1)) end)
    timer:set(1)
    world:advance(2)
    assert.matches("not while a script loads or in a callback", err)
    local inner = world:run(function()
      local co = coroutine.create(function() host.sleep(1) end)
      return select(2, coroutine.resume(co))
    end)
    assert.matches("a coroutine that the script made itself", inner)
    assert.error_matches(function()
      nomad.request { path = "/v1/jobs" }
    end, "nomad.request waits")
  end)

  it("tells how a task ended, with a traceback", function()
    local ends = {}
    local function done(...) ends[#ends + 1] = table.pack(...) end
    host.spawn("good", function() return 42 end, done)
    host.spawn("bad", function() error("oops") end, done)
    host.spawn("table", function() error { code = "mine" } end, done)
    world:settle()
    assert.same({ true, 42, n = 2 }, { ends[1][1], ends[1][2], n = 2 })
    assert.is_false(ends[2][1])
    assert.matches("world_host_spec%.lua:%d+: oops", ends[2][2])
    assert.matches("stack traceback", ends[2][3])
    assert.equal("mine", ends[3][2].code)
  end)

  it("logs the error of a task that nobody waits for, and of a timer's function", function()
    host.spawn("lonely", function() error("alone", 0) end)
    host.timer(function() error("ticking", 0) end):set(1)
    world:advance(2)
    assert.equal("task lonely: alone", world:errors()[1].message)
    assert.matches("traceback", world:errors()[1].fields.trace)
    assert.equal("a timer's function: ticking", world:errors()[2].message)
  end)

  it("cancels a task where it waits: variables are closed, done is told", function()
    local closed, code
    local task = host.spawn("t", function()
      local guard <close> = setmetatable({}, { __close = function() closed = true end })
      host.sleep(100)
      return guard
    end, function(ok, err) code = not ok and err.code end)
    world:settle()
    task:cancel()
    assert.is_true(closed)
    assert.equal("cancelled", code)
  end)

  it("has timers that can be set anew and stopped", function()
    local count = 0
    local timer = host.timer(function() count = count + 1 end)
    timer:set(5)
    timer:set(10)
    world:advance(6)
    assert.equal(0, count)
    world:advance(5)
    assert.equal(1, count)
    timer:set(1)
    timer:stop()
    world:advance(5)
    assert.equal(1, count)
  end)

  it("has signals that wake who waits now, or not in time", function()
    local signal, got = host.signal(), {}
    signal:fire()
    for _, timeout in ipairs { 5, 50 } do
      host.spawn("w", function() got[timeout] = signal:wait(timeout) end)
    end
    world:advance(10)
    signal:fire()
    world:settle()
    assert.same({ [5] = false, [50] = true }, got)
  end)

  it("has locks, served in order, released by close and by a cancelled task", function()
    local order = {}
    local first = host.spawn("1", function()
      local lock <close> = host.lock("k")
      order[#order + 1] = 1
      host.sleep(100)
      return lock
    end)
    for i = 2, 3 do
      host.spawn(tostring(i), function()
        local lock <close> = host.lock("k")
        order[#order + 1] = i
        host.sleep(1)
        return lock
      end)
    end
    world:advance(10)
    assert.same({ 1 }, order)
    first:cancel()
    world:advance(10)
    assert.same({ 1, 2, 3 }, order)
  end)

  it("keeps log records, escapes foreign text, reads files", function()
    host.log("warn", "bad\nline", { b = 2, a = "x\27y" })
    assert.equal("warn  bad\\nline a=x\\x1by b=2\n", world:log_text())
    assert.equal("caf\195\169 \\x9b \\xc2\\x85 \\xff", host.escape "caf\195\169 \x9b \194\133 \xff")
    assert.has_error(function() host.log("loud", "x") end)
    world.files:put { ["a/x.lua"] = "return 1", ["a/y.lua"] = "return 2" }
    assert.same({ "x.lua", "y.lua" }, host.list_dir "a")
    assert.equal("return 1", host.read_file "a/x.lua")
    assert.is_nil(host.list_dir "a/x.lua")
    assert.truthy(host.read_file("lib/operator/testing/world.lua"))
    assert.same({ nil, "none.lua: No such file or directory" }, { host.read_file "none.lua" })
  end)
end)
