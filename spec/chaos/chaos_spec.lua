-- Chaos in a world: a few seeds on each `make test`; `make chaos SEED=1 SEEDS=20 FAULTS=1000` runs as many as wanted.
local run = require "chaos.run"
local shrink = require "chaos.shrink"

local FAULTS = 60

local WRONG = "seed %d with %d faults ends wrong (make chaos SEED=%d FAULTS=%d); "
  .. "of %d steps %d are enough:\n%s\n%s"

local function failure_of(seed, steps, result, settings)
  local shorter, again = shrink.steps(steps, result, settings)
  local said, wrong = table.concat(again.said, "\n"), table.concat(again.wrong, "\n")
  return WRONG:format(seed, FAULTS, seed, FAULTS, #steps, #shorter, said, wrong)
end

describe("after chaos", function()
  for seed = 1, 8 do
    it(("all is as the policies say, seed %d"):format(seed), function()
      local steps, settings = run.steps(seed, FAULTS), run.settings(seed)
      local result = run.carry_out(steps, settings)
      if #result.wrong > 0 then
        error(failure_of(seed, steps, result, settings), 0)
      end
      assert.is_true(result.audit.accepted == 0 and #result.said > #steps)
    end)
  end

  it("the same seed has done the same", function()
    local steps, settings = run.steps(77, 20), run.settings(77)
    local function trace()
      local result = run.carry_out(steps, settings)
      local lines = { table.concat(result.world.transcript), table.concat(result.said, "\n") }
      for _, request in ipairs(result.nomad.requests) do
        lines[#lines + 1] = ("%s %s %d"):format(request.method, request.path, request.status)
      end
      return table.concat(lines, "\n")
    end
    assert.equal(trace(), trace())
  end)
end)

-- What the verdict is worth: it sees an operator that does less than it should, or more.
describe("the verdict", function()
  local expected = require "chaos.expected"
  local policies = require "chaos.policies"
  local samples = require "support.jobs"
  local testing = require "operator.testing"
  local audit = require "chaos.audit"
  local world, watch

  before_each(function()
    world = testing.world { scripts = policies.SCRIPTS, files = policies.files(policies.first()) }
    watch = audit.attach(world.nomad)
    local meta = { ["auto-backup"] = "true", twin = "2" }
    world.nomad:register(samples.service("web", { Meta = meta }))
    world:start()
  end)

  local function wrong()
    return expected.differences(world.nomad, policies.first())
  end

  it("is right for what is right", function()
    assert.same({}, wrong())
    assert.same({}, watch.violations)
    assert.equal(3, watch.accepted)
  end)

  it("sees what is missing, changed, or too much", function()
    world:kill()
    local nomad = world.nomad
    nomad:stop("default", "backup-web")
    nomad:purge("default", "twin-1-web")
    local twin = nomad:job("default", "twin-2-web")
    twin.TaskGroups[1].Tasks[1].Env.LEVEL = "9"
    nomad:register(twin)
    assert.same({
      "default/backup-web is stopped, though default/web wants it",
      "default/twin-1-web is missing (for default/web)",
      "default/twin-2-web: level is 9, not 1",
    }, wrong())
    nomad:purge("default", "web")
    assert.same({ "default/twin-2-web is still there, but default/web does not want it" }, wrong())
  end)

  it("sees a write to a job that is not ours, and one without marks", function()
    world.nomad:register(samples.batch "backup-db")
    local function write(id, meta)
      local json = require "host.json"
      world.nomad:http {
        method = "POST",
        path = "/v1/jobs",
        query = { namespace = "default" },
        body = json.encode { Job = samples.batch(id, { Meta = meta, Priority = 60 }) },
      }
    end
    write "backup-db"
    write "backup-new"
    world.nomad:http { method = "DELETE", path = "/v1/job/web", query = {} }
    assert.same({
      "default/backup-db was written without EnforceIndex",
      "default/backup-db is not ours, and was written",
      "default/backup-new was written without EnforceIndex",
      "default/backup-new was written without our marks",
      "a write that is no registration: DELETE /v1/job/web",
    }, watch.violations)
  end)
end)
