-- prune: what nobody looks after is found, and stopped or released after a yes.
local marks = require "operator.marks"
local testing = require "operator.testing"

local POLICY = [[
local operator = require "operator"
return operator.policy {
  name = "%s", watch = { topic = "Job", where = { Meta = { child = "true" } } },
  desired = function(job)
    return { { ID = "%s-" .. job.ID, Type = "batch", Datacenters = { "dc1" },
      Periodic = { Spec = "@daily", SpecType = "cron" },
      TaskGroups = { { Name = "g", Tasks = { { Name = "t", Driver = "raw_exec",
        Config = { command = "true" } } } } } } }
  end,
}
]]

local function source(id)
  return {
    ID = id,
    Type = "service",
    Datacenters = { "dc1" },
    Meta = { child = "true" },
    TaskGroups = {
      {
        Name = "g",
        Tasks = { { Name = "t", Driver = "raw_exec", Config = { command = "sleep" } } },
      },
    },
  }
end

-- Children of the policies one and two; then two is not there any more, and an owner of one is gone.
local function leftovers(version)
  local world = testing.world({
    version = version,
    files = {
      ["one.lua"] = POLICY:format("one", "one"),
      ["two.lua"] = POLICY:format("two", "two"),
    },
  })
  world:start()
  world.nomad:register(source("web"))
  world.nomad:register(source("db"))
  world:settle()
  world:stop()
  world.nomad:purge("default", "db")
  world.host_options.args = { "one.lua" }
  return world
end

local function alive(world, id)
  local job = world.nomad:job("default", id)
  return job ~= nil and not job.Stop
end

for _, version in ipairs { "1.11.3", "1.4.3" } do
  describe("prune on " .. version, function()
    local world

    before_each(function()
      world = leftovers(version)
    end)

    local function prune()
      local before = #world.nomad:writes()
      local code, output = world:command("prune")
      return code, output, #world.nomad:writes() - before
    end

    local LISTED = "- one-db  (its owner db is gone)\n"
      .. "- two-db  (policy two is not loaded)\n"
      .. "- two-web  (policy two is not loaded)\n"
      .. "3 jobs of instance default that nobody looks after.\n"

    it("lists, and does nothing without a terminal", function()
      local code, output, writes = prune()
      assert.equal(
        LISTED
          .. "Stop them? [y/N] There is no terminal to ask at; "
          .. "-yes does it without asking.\n",
        output
      )
      assert.same({ 2, 0 }, { code, writes })
    end)

    it("does nothing after a no, or with -dry-run", function()
      world.given.answer = false
      local code, output, writes = prune()
      assert.equal(LISTED .. "Stop them? [y/N] Nothing was done.\n", output)
      assert.same({ 2, 0 }, { code, writes })
      world.host_options.dry_run, world.host_options.yes = true, true
      code, output, writes = prune()
      assert.equal(LISTED .. "With -dry-run nothing is done.\n", output)
      assert.same({ 2, 0 }, { code, writes })
    end)

    it("stops them after a yes, and finds none after that", function()
      world.given.answer = true
      local code, output, writes = prune()
      assert.matches("two-web: stopped\n", output, 1, true)
      assert.same({ 0, 3 }, { code, writes })
      assert.is_false(alive(world, "one-db") or alive(world, "two-db") or alive(world, "two-web"))
      assert.is_true(alive(world, "one-web"))
      code, output = prune()
      assert.equal("0 jobs of instance default that nobody looks after.\n", output)
      assert.equal(0, code)
    end)

    it("releases them with -release", function()
      world.host_options.yes, world.host_options.release = true, true
      local code = prune()
      assert.equal(0, code)
      assert.is_true(alive(world, "two-web"))
      assert.is_nil(marks.read(world.nomad:job("default", "two-web")))
      assert.is_table(marks.read(world.nomad:job("default", "one-web")))
      assert.equal(0, (prune()))
    end)

    it("leaves another instance's alone", function()
      world.host_options.instance = "other"
      local code, output = prune()
      assert.equal("0 jobs of instance other that nobody looks after.\n", output)
      assert.equal(0, code)
    end)

    it("does not take what it may not read for gone, and says so", function()
      world:fault({ match = "GET /v1/job/db$", status = 403, body = "Permission denied" })
      world.host_options.yes = true
      local code = prune()
      assert.equal(1, code)
      assert.is_true(alive(world, "one-db"))
      assert.is_false(alive(world, "two-db"))
      assert.is_table(world:logged("Job one%-db is left out", "error"))
    end)

    it("leaves alone what changed meanwhile, and names what fails", function()
      world.host_options.yes = true
      local changed = false
      world:fault({
        match = function(request)
          if not changed and request.path == "/v1/job/two-web" then
            changed = true
            world.nomad:stop("default", "two-web")
          end
          return false
        end,
      })
      world:fault({ match = "^POST", times = 1, status = 500, body = "no" })
      local code, output = prune()
      assert.matches("two-web: has changed meanwhile, left alone\n", output, 1, true)
      assert.is_table(world:logged("Job one%-db: ", "error"))
      assert.equal(1, code)
    end)
  end)
end
