-- The world: generations are driven as the host drives them. Its fakes of the host are in the specs beside this.
local testing = require "operator.testing"
local host = require "host"
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
