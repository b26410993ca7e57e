-- nomad and nomad.jobs against the model of Nomad.
local jobs = require "nomad.jobs"
local nomad = require "nomad"
local samples = require "support.jobs"
local testing = require "operator.testing"

describe("nomad.jobs", function()
  local world

  before_each(function()
    world = testing.world { files = {} }
  end)

  --- Runs a function as a task: its calls may wait.
  local function run(fn, ...)
    return world:run(fn, ...)
  end

  it("registers, reads and lists", function()
    local answer = assert(run(jobs.register, samples.service "web"))
    assert.is_true(answer.JobModifyIndex > 0)
    local job = assert(run(jobs.get, "default", "web"))
    assert.equal("web", job.ID)
    assert.equal(answer.JobModifyIndex, job.JobModifyIndex)
    local ids = run(function()
      local reader <close> = assert(jobs.list())
      assert.is_true(reader.index >= answer.JobModifyIndex)
      local list = {}
      for stub in reader.next, reader do
        list[#list + 1] = stub.ID
      end
      return list
    end)
    assert.same({ "web" }, ids)
  end)

  it("says not_found for a job that is not there", function()
    local job, err = run(jobs.get, "default", "ghost")
    assert.is_nil(job)
    assert.equal("not_found", err.code)
  end)

  it("reads IDs with slashes, colons and percent signs", function()
    for _, id in ipairs { "a/b", "web/periodic-1", "a:b", "50%25", "über" } do
      assert(run(jobs.register, samples.batch(id)))
      assert.equal(id, assert(run(jobs.get, "default", id)).ID)
    end
  end)

  it("refuses an answer that is another job", function()
    assert(run(jobs.register, samples.service "web"))
    local other = '{"ID":"other","Namespace":"default"}'
    world:fault { match = "^GET /v1/job/", status = 200, body = other }
    local job, err = run(jobs.get, "default", "web")
    assert.is_nil(job)
    assert.equal("not_nomad", err.code)
    assert.matches('not the job "web"', err.message)
  end)

  it("does not take a route of another job for the job", function()
    -- Nomad cuts its routes after decoding the path: this asks for the allocations of job web.
    assert(run(jobs.register, samples.service "web"))
    local job, err = run(jobs.get, "default", "web/allocations")
    assert.is_nil(job)
    assert.equal("not_nomad", err.code)
  end)

  it("names an answer that is no JSON", function()
    world:fault { match = "^GET /v1/jobs", status = 200, body = "hello" }
    local value, err = run(nomad.request, "GET", "/v1/jobs")
    assert.is_nil(value)
    assert.matches("GET /v1/jobs: the answer is not JSON", err.message)
    assert.matches("hello", err.message)
  end)

  it("calls a failed check-and-set a conflict, which can be retried", function()
    local job = samples.service "web"
    assert(run(jobs.register, job, { enforce_index = 0 }))
    local answer, err = run(jobs.register, job, { enforce_index = 0 })
    assert.is_nil(answer)
    assert.equal("conflict", err.code)
    assert.is_true(err.retryable)
    assert.matches("Enforcing job modify index", tostring(err))
  end)

  it("stops a job as it was read, by check-and-set", function()
    assert(run(jobs.register, samples.service "web"))
    local job = assert(run(jobs.get, "default", "web"))
    local _, err = run(jobs.stop, job, { enforce_index = job.JobModifyIndex + 1 })
    assert.equal("conflict", err.code)
    assert(run(jobs.stop, job, { enforce_index = job.JobModifyIndex }))
    assert.is_true(assert(run(jobs.get, "default", "web")).Stop)
  end)

  it("strips what the server keeps, and only from the copy", function()
    local job = { ID = "a", Stop = true, Version = 3, SubmitTime = 5, Meta = { a = "b" } }
    assert.same({ ID = "a", Meta = { a = "b" } }, jobs.strip(job))
    assert.is_true(job.Stop)
  end)

  it("registers in the job's own namespace", function()
    world.nomad:http { method = "POST", path = "/v1/namespace/ops", body = '{"Name":"ops"}' }
    assert(run(jobs.register, samples.service("web", { Namespace = "ops" })))
    assert.equal("ops", assert(run(jobs.get, "ops", "web")).Namespace)
    local _, err = run(jobs.get, "default", "web")
    assert.equal("not_found", err.code)
  end)

  it("deregisters and purges", function()
    assert(run(jobs.register, samples.service "web"))
    assert(run(jobs.deregister, "default", "web"))
    assert.is_true(assert(run(jobs.get, "default", "web")).Stop)
    assert(run(jobs.deregister, "default", "web", { purge = true }))
    assert.equal("not_found", select(2, run(jobs.get, "default", "web")).code)
  end)

  it("lets HCL be parsed, and passes on what is wrong with it", function()
    world.nomad:teach("good", { ID = "x" })
    world.nomad:teach("bad", "input.hcl:1,1-4: Argument required")
    assert.equal("x", assert(run(jobs.parse, "good")).ID)
    local job, err = run(jobs.parse, "bad", "default")
    assert.is_nil(job)
    assert.equal(400, err.status)
    assert.matches("input.hcl:1,1-4", err.body, 1, true)
  end)
end)
