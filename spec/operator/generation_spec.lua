-- generation: the reconcile core in the model's world: what exists follows what policies say; nothing else is touched.
local json = require "host.json"
local looks = require "support.looks"
local marks = require "operator.marks"
local testing = require "operator.testing"

local POLICY = require "support.core_policy"

local alive = looks.alive
local count_alive = looks.count_alive
local said = looks.said
local source = looks.source

local function new_world(options)
  options = options or {}
  options.files = options.files or { ["backup.lua"] = POLICY }
  return testing.world(options)
end

describe("generation", function()
  local world

  before_each(function()
    world = new_world()
  end)

  describe("by events", function()
    before_each(function()
      world:start()
    end)

    it("makes, updates and removes the child of a job", function()
      world.nomad:register(source("web"))
      world:settle()
      local child = alive(world, "backup-web")
      assert.equal("@daily", child.Periodic.Spec)
      assert.equal("default/web", marks.read(child).owner)

      world.nomad:register(source("web", { schedule = "@hourly" }))
      world:settle()
      assert.equal("@hourly", alive(world, "backup-web").Periodic.Spec)

      world.nomad:stop("default", "web")
      world:settle()
      assert.is_nil(alive(world, "backup-web"))
      assert.is_table(world.nomad:job("default", "backup-web"))
    end)

    it("writes the transcript that a person reads", function()
      world.nomad:register(source("web"))
      world:settle()
      world.nomad:register(source("web", { schedule = "@hourly" }))
      world:settle()
      world.nomad:stop("default", "web")
      world:settle()
      local text = said(world)
      local function find(piece)
        local at = text:find(piece, 1, true)
        assert.is_truthy(at, piece .. "\nnot in\n" .. text)
      end
      find("==> JobRegistered: web (pending)...\n    Registering backup job\n")
      find("    Registering backup job\n    Backup created: backup-web\n--> Done\n")
      find("    Backup updated: backup-web (cron @daily → @hourly)\n--> Done\n")
      find("==> JobDeregistered: web (")
      find("    Backup removed: backup-web (source stopped)\n--> Done\n")
    end)

    it("takes the child away with the meta, and brings it back", function()
      world.nomad:register(source("web"))
      world:settle()
      world.nomad:register(source("web", { ["auto-backup"] = "false" }))
      world:settle()
      assert.is_nil(alive(world, "backup-web"))
      world.nomad:register(source("web"))
      world:settle()
      assert.is_table(alive(world, "backup-web"))
    end)

    it("writes nothing for an unchanged job: status changes, repeats, resyncs", function()
      world.nomad:register(source("web"))
      world:settle()
      local writes = #world.nomad:writes()
      world.nomad:register(source("web"))
      world:settle()
      world:advance("1h")
      assert.equal(writes, #world.nomad:writes())
      assert.equal(0, alive(world, "backup-web").Version)
    end)

    it("puts a child right that was edited, stopped or purged by hand", function()
      world.nomad:register(source("web"))
      world:settle()
      local edited = alive(world, "backup-web")
      edited.Periodic.Spec = "@weekly"
      world.nomad:register(edited)
      world:settle()
      assert.equal("@daily", alive(world, "backup-web").Periodic.Spec)
      world.nomad:stop("default", "backup-web")
      world:settle()
      assert.is_table(alive(world, "backup-web"))
      world.nomad:purge("default", "backup-web")
      world:settle()
      assert.is_table(alive(world, "backup-web"))
    end)

    it(
      "leaves a foreign job of the child's name alone, says so, and heals when it is gone",
      function()
        world.nomad:register(source("backup-web", { ["auto-backup"] = "no" }))
        world.nomad:register(source("web"))
        world:settle()
        assert.equal("service", alive(world, "backup-web").Type)
        assert.matches("job backup-web exists and is not ours", said(world), 1, true)
        world.nomad:purge("default", "backup-web")
        world:advance("11m")
        assert.equal("batch", alive(world, "backup-web").Type)
      end
    )

    it("gives a child that two owners want to the first", function()
      world.nomad:register(source("one", { child = "shared" }))
      world:settle()
      world.nomad:register(source("two", { child = "shared" }))
      world:settle()
      assert.equal("default/one", marks.read(alive(world, "shared")).owner)
      assert.matches("already belongs to one of policy backup", said(world), 1, true)
    end)

    it("keeps namespaces apart", function()
      world.nomad:http({ method = "POST", path = "/v1/namespace/ops", body = '{"Name":"ops"}' })
      world.nomad:register(source("web"))
      world.nomad:register(source("web", { schedule = "@hourly" }, { Namespace = "ops" }))
      world:settle()
      world:advance("11m")
      assert.equal("@daily", alive(world, "backup-web").Periodic.Spec)
      assert.equal("@hourly", alive(world, "backup-web", "ops").Periodic.Spec)
      world.nomad:stop("ops", "web")
      world:advance("11m")
      assert.is_table(alive(world, "backup-web"))
      assert.is_nil(alive(world, "backup-web", "ops"))
    end)

    it("does not look at runs and dispatches", function()
      world.nomad:register(
        source("tick", nil, { Type = "batch", Periodic = { Spec = "@hourly", SpecType = "cron" } })
      )
      world:settle()
      world.nomad:http({ method = "PUT", path = "/v1/job/tick/periodic/force" })
      world:settle()
      assert.equal(1, count_alive(world, "^backup%-tick"))
    end)

    it("shows one clear error for a value that desired refuses, goes on, and heals", function()
      world.nomad:register(source("bad", { schedule = "bad" }))
      world.nomad:register(source("good"))
      world:settle()
      assert.is_table(alive(world, "backup-good"))
      local _, times = said(world):gsub("Error: schedule: bad is not a schedule", "")
      assert.equal(1, times)
      world.nomad:register(source("bad", { schedule = "@hourly" }))
      world:settle()
      assert.equal("@hourly", alive(world, "backup-bad").Periodic.Spec)
    end)

    it(
      "survives a bug in a policy: a traceback with the key, and the key alone backs off",
      function()
        world.nomad:register(source("bug", { schedule = "bug" }))
        world.nomad:register(source("good"))
        world:settle()
        assert.is_table(alive(world, "backup-good"))
        assert.matches('backup.lua:11: undefined global "nothing"', said(world), 1, true)
        assert.matches("stack traceback", said(world), 1, true)
        assert.matches("--> Failed, next try in", said(world), 1, true)
      end
    )

    it("does not let desired call Nomad, and goes on calling it itself", function()
      world:reload({
        ["backup.lua"] = (POLICY:gsub(
          "if job.Stop then",
          'if job.ID == "caller" then require "nomad.jobs".get("default", "x") end\n    %0'
        )),
      })
      world.nomad:register(source("caller"))
      world.nomad:register(source("good"))
      world:settle()
      assert.matches("GET /v1/job/x: desired only decides what should exist", said(world), 1, true)
      assert.is_nil(alive(world, "backup-caller"))
      assert.is_table(alive(world, "backup-good"))
    end)

    it("decides anew when somebody else writes first", function()
      local raced = false
      world:fault({
        match = function(request)
          if request.method == "POST" and not raced then
            raced = true
            world.nomad:http({
              method = "POST",
              path = "/v1/jobs",
              inside = true,
              body = json.encode({ Job = source("backup-web", { ["auto-backup"] = "no" }) }),
            })
          end
          return false
        end,
      })
      world.nomad:register(source("web"))
      world:settle()
      assert.is_true(raced)
      assert.equal("service", alive(world, "backup-web").Type)
      assert.matches("is not ours", said(world), 1, true)
    end)

    it("removes nothing that it may not read", function()
      world.nomad:register(source("web"))
      world:settle()
      world:fault({ match = "GET /v1/job/web$", status = 403, body = "Permission denied" })
      world:disconnect()
      world.nomad:purge("default", "web")
      world:reconnect()
      world:advance("30m")
      assert.is_table(alive(world, "backup-web"))
    end)

    it("does what a lost event would have said, after the next connect", function()
      world.nomad:register(source("web"))
      world:settle()
      world:disconnect()
      world.nomad:register(source("new"))
      world.nomad:purge("default", "web")
      world:settle()
      assert.is_nil(alive(world, "backup-new"))
      world:reconnect()
      world:settle()
      assert.is_table(alive(world, "backup-new"))
      assert.is_nil(alive(world, "backup-web"))
    end)
  end)

  describe("at a start", function()
    local function with_jobs(count)
      for i = 1, count do
        world.nomad:register(source(("job-%02d"):format(i)))
      end
      for i = 1, 10 do
        world.nomad:register(source("plain-" .. i, { ["auto-backup"] = "false" }))
      end
      world:start()
      world:settle()
    end

    it("serves the jobs that were there before", function()
      with_jobs(20)
      assert.equal(20, count_alive(world, "^backup%-job"))
      assert.equal(20, count_alive(world, "^backup%-"))
    end)

    it("writes nothing after a restart", function()
      with_jobs(20)
      local writes = #world.nomad:writes()
      world:kill()
      world:start()
      world:advance("30m")
      assert.equal(writes, #world.nomad:writes())
    end)

    it("removes the child of a job that went meanwhile", function()
      with_jobs(3)
      world:stop()
      world.nomad:purge("default", "job-01")
      world.nomad:stop("default", "job-02")
      world:start()
      world:settle()
      assert.is_nil(alive(world, "backup-job-01"))
      assert.is_nil(alive(world, "backup-job-02"))
      assert.is_table(alive(world, "backup-job-03"))
    end)

    it("leaves another instance's children alone", function()
      with_jobs(2)
      world:stop()
      world.nomad:purge("default", "job-01")
      world.host_options.instance = "other"
      world:start()
      world:advance("30m")
      assert.is_table(alive(world, "backup-job-01"))
      assert.matches("belongs to operator instance default", said(world), 1, true)
    end)

    it("writes nothing with -dry-run, and says what it would do", function()
      world = new_world({ options = { dry_run = true } })
      with_jobs(3)
      assert.equal(0, #world.nomad:writes())
      assert.equal(0, count_alive(world, "^backup%-"))
      assert.matches("Backup would be created: backup-job-01", said(world), 1, true)
    end)

    it("looks at every job anew when the cluster's index went back", function()
      with_jobs(3)
      local fresh = testing.model.new({ clock = world.clock })
      fresh:register(source("job-02"))
      world:disconnect()
      world.nomad, world.network.model = fresh, fresh
      world:reconnect()
      world:advance("11m")
      assert.matches("The index went back", said(world), 1, true)
      assert.is_table(alive(world, "backup-job-02"))
      assert.is_nil(alive(world, "backup-job-01"))
    end)

    it("takes a list that is behind the events of its own connection for just that", function()
      with_jobs(3)
      local stale = world.network:send(
        { method = "GET", path = "/v1/jobs", query = {} },
        function(answer)
          world:fault({
            match = "GET /v1/jobs",
            status = 200,
            headers = answer.headers,
            body = answer.body,
          })
        end
      )
      assert.is_function(stale)
      world:settle()
      world.nomad:register(source("late"))
      world:settle()
      local writes = #world.nomad:writes()
      world:advance("21m")
      assert.is_table(alive(world, "backup-late"))
      assert.equal(writes, #world.nomad:writes())
      assert.is_nil(said(world):find("went back", 1, true), said(world))
    end)
  end)
end)
