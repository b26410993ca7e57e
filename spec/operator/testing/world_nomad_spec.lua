-- A world's host.nomad: requests to the model, its faults, and how long a quiet month takes.
local testing = require "operator.testing"
local host = require "host"
local nomad = require "host.nomad"
local jobs = require "support.jobs"

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
