-- Jobs that go: stopped, purged, collected, on the newest and the oldest Nomad; and what only looks gone.
local backups = require "support.backups"

local source, child, said = backups.source, backups.child, backups.said

local function no_errors(world)
  assert.same({}, world:errors())
  assert.is_nil(said(world):find("Error:", 1, true), said(world))
end

for _, version in ipairs { "1.11.3", "1.4.3" } do
  describe("on Nomad " .. version .. ",", function()
    local world

    before_each(function()
      world = backups.world { version = version }
      for i = 1, 3 do
        world.nomad:register(source("job-" .. i))
      end
      world:start()
      assert.is_table(child(world, "job-1"))
    end)

    it("a stopped owner's child is stopped", function()
      world.nomad:stop("default", "job-1")
      world:settle()
      assert.is_nil(child(world, "job-1"))
      no_errors(world)
    end)

    it("a purged owner's child is stopped at the event, free of the budget", function()
      for i = 4, 20 do
        world.nomad:register(source("job-" .. i))
      end
      world:settle()
      for i = 1, 12 do
        world.nomad:purge("default", "job-" .. i)
      end
      world:settle()
      for i = 1, 12 do
        assert.is_nil(child(world, "job-" .. i))
      end
      assert.is_table(child(world, "job-13"))
      no_errors(world)
    end)

    it("a purged periodic owner, of which 1.4 says nothing, is found by the list", function()
      local tick = source("tick")
      tick.Type, tick.Periodic = "batch", { Spec = "@hourly", SpecType = "cron", Enabled = true }
      world.nomad:register(tick)
      world:settle()
      assert.is_table(child(world, "tick"))
      world.nomad:purge("default", "tick")
      world:advance "11m"
      assert.is_nil(child(world, "tick"))
      no_errors(world)
    end)

    it("a purge that no event tells of is found by the list of the next connect", function()
      world:disconnect()
      world.nomad:purge("default", "job-2")
      world:advance "5s"
      world:reconnect()
      world:settle()
      assert.is_nil(child(world, "job-2"))
      assert.is_table(child(world, "job-1"))
    end)

    it("a purged child comes back: the owner did not change", function()
      world.nomad:purge("default", "backup-job-1")
      world:advance "11m"
      assert.is_table(child(world, "job-1"))
      no_errors(world)
    end)

    it("collecting a stopped owner and its stopped child writes nothing", function()
      world.nomad:stop("default", "job-1")
      world:advance "1m"
      local stopped = world.nomad:job("default", "backup-job-1")
      assert.is_true(stopped.Stop)
      local writes = #world.nomad:writes()
      world.nomad:gc()
      assert.is_nil(world.nomad:job("default", "job-1"))
      assert.is_nil(world.nomad:job("default", "backup-job-1"))
      world:advance "30m"
      assert.equal(writes, #world.nomad:writes())
      no_errors(world)
      local gen = world.current.gen
      assert.is_nil((gen.known:whose "default/backup-job-1"))
      assert.equal(2, gen.controllers[1].objects:count())
    end)

    it("collecting a stopped child of an owner that lives on writes nothing", function()
      local plain = source "job-1"
      plain.Meta["auto-backup"] = "false"
      world.nomad:register(plain)
      world:advance "1m"
      assert.is_nil(child(world, "job-1"))
      local writes = #world.nomad:writes()
      world.nomad:gc()
      assert.is_nil(world.nomad:job("default", "backup-job-1"))
      world:advance "30m"
      assert.equal(writes, #world.nomad:writes())
      no_errors(world)
    end)

    it("a finished batch job that is collected takes its child with it, at the event", function()
      local batch = source "once"
      batch.Type = "batch"
      batch.TaskGroups[1].Tasks[1].Config = { command = "true" }
      world.nomad:register(batch)
      world:advance "1m"
      assert.equal("dead", world.nomad:job("default", "once").Status)
      assert.is_table(child(world, "once"))
      world.nomad:gc()
      assert.is_nil(world.nomad:job("default", "once"))
      world:settle()
      assert.is_nil(child(world, "once"))
      no_errors(world)
    end)

    it("a job that was collected and registered again has its child", function()
      world.nomad:stop("default", "job-1")
      world:advance "1m"
      world.nomad:gc()
      world:settle()
      world.nomad:register(source "job-1")
      world:settle()
      assert.is_table(child(world, "job-1"))
      no_errors(world)
    end)

    it("a job that may not be read is not gone", function()
      local mend =
        world:fault { match = "GET /v1/job/job%-1$", status = 403, body = "Permission denied" }
      world:disconnect()
      world.nomad:purge("default", "job-1")
      world:reconnect()
      world:advance "2h"
      assert.is_table(child(world, "job-1"))
      mend()
      world:advance "20m"
      assert.is_nil(child(world, "job-1"))
    end)
  end)
end

describe("a namespace that is missing from the list", function()
  it("loses no child, and writes nothing", function()
    local world = backups.world()
    world.nomad:namespace "ops"
    world.nomad:register(source("web"))
    world.nomad:register(source("web", "@hourly", "ops"))
    world:start()
    assert.is_table(child(world, "web", "ops"))
    local writes = #world.nomad:writes()
    local http = world.nomad.http
    -- What the token may not read any more: left out of lists, refused by itself.
    function world.nomad.http(model, request)
      local query = request.query or {}
      if query.namespace == "ops" and not request.inside then
        return { status = 403, headers = {}, body = "Permission denied" }
      end
      local given = request.query
      if request.path == "/v1/jobs" and query.namespace == "*" then
        request.query = {}
        for name, value in pairs(given) do
          request.query[name] = value
        end
        request.query.namespace = "default"
      end
      return http(model, request)
    end
    world:disconnect()
    world:reconnect()
    world:advance "2h"
    assert.equal(writes, #world.nomad:writes())
    assert.is_table(child(world, "web", "ops"))
    assert.is_table(child(world, "web"))
    world.nomad.http = nil
    world.nomad:register(source("web", "@weekly", "ops"))
    world:advance "11m"
    assert.equal("@weekly", child(world, "web", "ops").Periodic.Spec)
  end)
end)

for _, version in ipairs { "1.11.3", "1.4.3" } do
  describe("on Nomad " .. version .. ", while a list runs,", function()
    local world

    -- Nomad answers a list, and meanwhile something happens: the answer is older than that.
    local function during_a_list(fn)
      world.network.latency = 4
      world:gap()
      world:advance(3)
      world.network.latency = 0.002
      world:settle()
      fn()
      world:settle()
      assert.is_true(world.current.gen.listing)
      world:advance(3)
      assert.is_falsy(world.current.gen.listing)
    end

    before_each(function()
      world = backups.world { version = version }
      world.nomad:register(source("web"))
      world.nomad:register(source("api"))
      world:start()
    end)

    it("a job that was purged is not brought back by its older stub", function()
      local gets
      during_a_list(function()
        world.nomad:purge("default", "web")
        world:settle()
        assert.is_nil(child(world, "web"))
        assert.is_nil(world.current.gen.controllers[1].objects:version "default/web")
        gets = #world.nomad.requests
      end)
      assert.is_nil(world.current.gen.controllers[1].objects:version "default/web")
      for i = gets + 1, #world.nomad.requests do
        assert.is_not.equal("/v1/job/web", world.nomad.requests[i].path)
      end
      world:advance "30m"
      assert.is_nil(child(world, "web"))
      no_errors(world)
    end)

    it("a child that was purged is not taken to be there", function()
      during_a_list(function()
        world.nomad:purge("default", "backup-web")
      end)
      -- 1.4 says nothing of a purged periodic job: there the next list has to.
      world:advance(version == "1.4.3" and "11m" or "1m")
      assert.is_table(child(world, "web"))
    end)

    it("a job that was purged and registered anew is kept", function()
      during_a_list(function()
        world.nomad:purge("default", "web")
        world:settle()
        world.nomad:register(source("web", "@weekly"))
      end)
      assert.equal("@weekly", child(world, "web").Periodic.Spec)
    end)

    it("a job that was registered is not lost, and its child not written twice", function()
      local writes
      during_a_list(function()
        world.nomad:register(source("new"))
        world:settle()
        assert.is_table(child(world, "new"))
        writes = #world.nomad:writes()
      end)
      world:advance "11m"
      assert.equal(writes, #world.nomad:writes())
      assert.is_table(child(world, "new"))
      assert.is_truthy(world.current.gen.controllers[1].objects:version "default/new")
      no_errors(world)
    end)
  end)
end
