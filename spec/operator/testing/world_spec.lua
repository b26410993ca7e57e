-- The world: generations are driven as the host drives them, fakes behave as the host's modules do.
local testing = require "operator.testing"
local host = require "host"
local nomad = require "host.nomad"
local jobs = require "support.jobs"

-- A generation that notes what it is told, and does what the spec says.
local function stub(seen, parts)
  parts = parts or {}
  local made = 0
  local function note(...)
    seen[#seen + 1] = table.concat({ ... }, " ")
  end
  return function(own_require)
    local own_host = own_require "host"
    return {
      new = function()
        made = made + 1
        local number = own_host.options.generation
        local function told(name)
          return function(_, ...)
            local args = table.pack(...)
            for i = 1, args.n do args[i] = tostring(args[i]) end
            note(number .. ":" .. name, table.unpack(args))
          end
        end
        local gen = { work = told "work", stop = told "stop", connected = told "connected" }
        gen.lost, gen.gap = told "lost", told "gap"
        function gen.event(_, topic, type, key, namespace, index)
          note(number .. ":event", topic, type, key, namespace, index)
        end
        function gen.load()
          if parts.load then parts.load(number, own_host) end
          return parts.interests and parts.interests(number)
            or { topics = { "Job" }, pass = { Job = true }, namespace = "*" }
        end
        function gen.start(_, first)
          note(number .. ":start", tostring(first))
          if parts.start then parts.start(number, own_host) end
        end
        function gen.idle()
          return not parts.idle or parts.idle(number)
        end
        function gen.status() return { "status of " .. number } end
        return gen
      end,
    }
  end
end

local function has(seen, pattern)
  for _, line in ipairs(seen) do
    if line:find(pattern) then return line end
  end
end

describe("a world's generations", function()
  local seen

  before_each(function()
    seen = {}
  end)

  it("load, connect, start, work", function()
    local world = testing.world { generation = stub(seen, {
      start = function(_, own_host) own_host.sleep(1) end,
    }) }
    assert.is_true(world:start())
    assert.same({ "1:start true", "1:connected 1 true", "1:work" }, seen)
    assert.same({ "status of 1" }, world:status())
  end)

  it("raise at start what loading raises, and what the start task raises", function()
    local world = testing.world { generation = stub(seen, {
      load = function() error("mine.lua:3: no", 0) end,
    }) }
    assert.same({ false, "mine.lua:3: no" }, { pcall(world.start, world) })
    world = testing.world { generation = stub(seen, {
      start = function() error("mine.nomad.hcl:4: bad", 0) end,
    }) }
    assert.same({ false, "mine.nomad.hcl:4: bad" }, { pcall(world.start, world) })
    assert.is_nil(world.current)
  end)

  it("get the events that they want, from the stream", function()
    local world = testing.world { generation = stub(seen) }
    world:start()
    world.nomad:register(jobs.service("web"))
    world:settle()
    assert.equal("1:event Job JobRegistered web default 11", has(seen, "JobRegistered"))
    assert.equal("1:event Job PlanResult web default 12", has(seen, "PlanResult"))
    assert.is_nil(has(seen, "Evaluation"))
  end)

  it("get only the types of a topic that they name", function()
    local world = testing.world { generation = stub(seen, {
      interests = function()
        return {
          topics = { "Evaluation", "Job" },
          pass = { Job = true, Evaluation = { "JobDeregistered" } },
          namespace = "*",
        }
      end,
    }) }
    world:start()
    world.nomad:register(jobs.service("web"))
    world:settle()
    world.nomad:purge("default", "web")
    world:settle()
    assert.is_nil(has(seen, "Evaluation JobRegistered"))
    assert.truthy(has(seen, "Evaluation JobDeregistered"))
  end)

  it("are swapped at a reload: the new one knows the stream, the old one drains", function()
    local busy = true
    local world = testing.world { generation = stub(seen, {
      idle = function(number) return number > 1 or not busy end,
    }) }
    world:start()
    for i = #seen, 1, -1 do seen[i] = nil end
    assert.is_true(world:reload())
    assert.same({ "2:connected 1 true", "2:start false", "2:work", "1:stop reload" }, seen)
    assert.equal(2, world.current.number)
    local old_tasks = #seen
    busy = false
    world:advance(1)
    assert.equal(old_tasks, #seen)
  end)

  it("stay when a reload fails, and the log says why", function()
    local world = testing.world { generation = stub(seen, {
      load = function(number) if number == 2 then error("mine.lua:9: oops", 0) end end,
      start = function(number) if number == 3 then error("refused by Nomad", 0) end end,
    }) }
    world:start()
    assert.same({ nil, "mine.lua:9: oops" }, { world:reload() })
    assert.equal(1, world.current.number)
    assert.truthy(world:logged("mine.lua:9: oops", "error"))
    local ok, err = world:reload()
    assert.is_nil(ok)
    assert.equal("refused by Nomad", err)
    assert.equal(1, world.current.number)
    assert.is_true(world:reload())
    assert.equal(4, world.current.number)
  end)

  it("offer events to a candidate while it starts, and coalesce signals", function()
    local world
    world = testing.world { generation = stub(seen, {
      start = function(number, own_host) if number > 1 then own_host.sleep(5) end end,
    }) }
    world:start()
    world:hup()
    world:hup()
    world:hup()
    world:advance(1)
    world.nomad:register(jobs.service("web"))
    world:settle()
    assert.truthy(has(seen, "^1:event Job JobRegistered"))
    assert.truthy(has(seen, "^2:event Job JobRegistered"))
    world:reload()
    assert.equal(3, world.current.number)
  end)

  it("subscribe anew when their interests change", function()
    local world = testing.world { generation = stub(seen, {
      interests = function(number)
        local topics = number == 1 and { "Job" } or { "Evaluation", "Job" }
        return { topics = topics, pass = { Job = true, Evaluation = true }, namespace = "*" }
      end,
    }) }
    world:start()
    world:reload()
    assert.truthy(has(seen, "^2:connected 2 true"))
    world.nomad:register(jobs.service("web"))
    world:settle()
    assert.truthy(has(seen, "Evaluation JobRegistered"))
  end)

  it("hear of a lost stream and of a new one", function()
    local world = testing.world { generation = stub(seen) }
    world:start()
    world:disconnect("cut by the spec")
    assert.equal("1:lost cut by the spec", seen[#seen])
    world.nomad:register(jobs.service("web"))
    world:settle()
    assert.is_nil(has(seen, "event"))
    world:reconnect()
    world:settle()
    assert.truthy(has(seen, "1:connected 2 true"))
    world:gap()
    assert.equal("1:gap too many at once", seen[#seen])
  end)

  it("are told when there is no stream to be had", function()
    local world = testing.world { generation = stub(seen) }
    world.nomad.broken_stream = "EventBroker not configured"
    world:start()
    assert.truthy(has(seen, "1:connected 1 false"))
    assert.truthy(world:logged("EventBroker not configured", "warn"))
    world.nomad.broken_stream = nil
    world:advance "6m"
    assert.truthy(has(seen, "1:connected 2 true"))
  end)

  it("stop at the end, with a deadline for what is in flight", function()
    local world = testing.world { generation = stub(seen) }
    world:start()
    assert.is_true(world:stop())
    assert.equal("1:stop shutdown", seen[#seen])
    world = testing.world { generation = stub(seen, { idle = function() return false end }) }
    world:start()
    local before = host.now()
    assert.is_false(world:stop())
    assert.is_true(host.now() - before >= 30)
  end)

  it("have modules of their own", function()
    local found = {}
    local world = testing.world { generation = function(own_require)
      found[#found + 1] = own_require "operator.duration"
      assert.equal(own_require "operator.duration", own_require "operator.duration")
      return stub(seen)(own_require)
    end }
    world:start()
    world:reload()
    assert.are_not.equal(found[1], found[2])
    assert.are_not.equal(require "operator.duration", found[1])
    assert.equal(found[2], world:require "operator.duration")
  end)

  it("begin again after a kill", function()
    local world = testing.world { generation = stub(seen) }
    world:start()
    world.current.scope.host.keep("k", 1)
    world:kill()
    world:start()
    assert.equal(1, world.current.number)
    assert.is_nil(host.kept("k"))
  end)
end)

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
    assert.matches("world_spec.lua:%d+: oops", ends[2][2])
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

describe("a world's host.nomad", function()
  local world

  before_each(function()
    world = testing.world()
    world.nomad:register(jobs.service("web"))
    world:settle()
  end)

  local function get(id, query)
    return nomad.request { path = "/v1/job/" .. nomad.escape(id), query = query }
  end

  it("asks the model", function()
    local response = world:run(get, "web")
    assert.equal(200, response.status)
    assert.matches('"ID":"web"', response.body)
    assert.equal(12, response.index)
    local _, err = world:run(get, "none")
    assert.same({ "not_found", 404, false }, { err.code, err.status, err.retryable })
    assert.matches("^GET /v1/job/none: .*job not found", tostring(err))
  end)

  it("waits in a blocking query until there is news, or its time is over", function()
    local began = host.now()
    world.clock.after(3, function() world.nomad:stop("default", "web") end)
    assert.matches('"Stop":true', world:run(get, "web", { index = 12, wait = "10s" }).body)
    assert.is_true(host.now() - began < 4)
    began = host.now()
    local index = world.nomad:job("default", "web").ModifyIndex
    assert.equal(200, world:run(get, "web", { index = index + 1000, wait = "10s" }).status)
    assert.is_true(host.now() - began >= 10)
  end)

  it("reads lists element by element", function()
    for i = 1, 100 do world.nomad:register(jobs.periodic("p" .. i)) end
    local count, index = world:run(function()
      local reader = assert(nomad.list { path = "/v1/jobs", query = { meta = true } })
      local n = 0
      for text in function() return reader:next() end do
        n = n + 1
        assert(text:sub(1, 1) == "{" and text:sub(-1) == "}")
      end
      return n, reader.index
    end)
    assert.equal(101, count)
    assert.equal(world.nomad.state.tables.jobs, index)
  end)

  it("has faults: statuses, broken connections, lost answers, lists that break off", function()
    world:fault { match = "GET /v1/job/web", status = 500, body = "No cluster leader", times = 1 }
    local _, err = world:run(get, "web")
    assert.same({ "server", true }, { err.code, err.retryable })
    assert.equal(200, world:run(get, "web").status)
    local stop = world:fault { error = "cut" }
    _, err = world:run(get, "web")
    assert.same({ "cut", true }, { err.code, err.retryable })
    stop()
    world:fault { match = "^DELETE", error = "timeout", applied = true, times = 1 }
    _, err = world:run(nomad.request, { method = "DELETE", path = "/v1/job/web" })
    assert.equal("timeout", err.code)
    assert.is_true(world.nomad:job("default", "web").Stop)
    world.nomad:register(jobs.periodic("p"))
    world:fault { match = "/v1/jobs$", error = "cut", after = 1, times = 1 }
    world:run(function()
      local reader = assert(nomad.list { path = "/v1/jobs" })
      assert.truthy(reader:next())
      local text, broken = reader:next()
      assert.is_nil(text)
      assert.equal("cut", broken.code)
    end)
  end)

  it("refuses connections while the network is down", function()
    world:disconnect()
    local _, err = world:run(get, "web")
    assert.same({ "refused", true }, { err.code, err.retryable })
    world:reconnect()
    assert.equal(200, world:run(get, "web").status)
  end)

  it("lets only reads out in a dry run", function()
    local dry = testing.world { options = { dry_run = true } }
    dry.nomad:register(jobs.service("web"))
    local _, err = dry:run(nomad.request, { method = "DELETE", path = "/v1/job/web" })
    assert.equal("dry_run", err.code)
    assert.equal(200, dry:run(get, "web").status)
    assert.same({}, dry.nomad:writes())
  end)

  it("gives up after the request's time", function()
    world:fault { match = "web", delay = 1000 }
    local _, err = world:run(nomad.request, { path = "/v1/job/web", timeout = 5 })
    assert.same({ "timeout", true }, { err.code, err.retryable })
  end)

  it("raises for a path that is none", function()
    assert.error_matches(function()
      world:run(nomad.request, { path = "/v1/job/a b" })
    end, "percent%-encoded")
  end)
end)

describe("thirty days", function()
  it("of an idle world take less than a second", function()
    local resyncs = 0
    local world = testing.world { generation = function(own_require)
      local own_host, own_nomad = own_require "host", own_require "host.nomad"
      local function list()
        local reader = assert(own_nomad.list { path = "/v1/jobs", query = { meta = true } })
        while reader:next() do resyncs = resyncs + 1 end
      end
      return {
        new = function()
          local gen = { start = list, connected = function() end, event = function() end }
          function gen.load()
            return { topics = { "Job" }, pass = { Job = true }, namespace = "*" }
          end
          function gen.work()
            local timer
            timer = own_host.timer(function()
              own_host.spawn("resync", list)
              timer:set(600)
            end)
            timer:set(600)
          end
          return gen
        end,
      }
    end }
    for i = 1, 5 do world.nomad:register(jobs.service("web" .. i)) end
    local began = os.clock()
    world:start()
    world:advance "30d"
    assert.is_true(resyncs >= 5 * 30 * 144)
    assert.is_true(os.clock() - began < 1, ("took %.2f s"):format(os.clock() - began))
  end)
end)
