-- What the host has found of an event decides, and where it found nothing the filter does.
local backups = require "support.backups"
local json = require "host.json"

describe("which policies watch an event's object", function()
  local world, asked

  before_each(function()
    world = backups.world()
    world:start()
    asked = 0
    local filter = world.current.gen.by_name.backup.policy.filter
    local match = filter.match
    filter.match = function(...)
      asked = asked + 1
      return match(...)
    end
  end)

  after_each(function()
    assert.is_true(world:stop())
  end)

  -- An event as the host gives it. `holds`: a bit for our mark, one for the policy.
  local function event(job, holds, kind)
    local raw = json.encode { Job = job }
    world:tell(
      world.current,
      "event",
      "Job",
      kind or "JobRegistered",
      job.ID,
      "default",
      job.ModifyIndex,
      raw,
      holds
    )
    world:settle()
  end

  local function source(id, index)
    local job = backups.source(id)
    job.ModifyIndex, job.JobModifyIndex = index, index
    return job
  end

  it("is not asked again where the raw filter was sure", function()
    world.nomad:register(backups.source "web")
    world:settle()
    assert(backups.child(world, "web"))
    assert.equal(0, asked)
  end)

  it("is what the host has found", function()
    event(source("web", 5000), 0)
    assert.is_nil(backups.child(world, "web"))
    event(source("api", 5001), 1)
    assert.is_nil(backups.child(world, "api"))
    event(source("db", 5002), 2)
    assert(backups.child(world, "db"))
    assert.equal(0, asked)
  end)

  it("is what the host has found of one that is said to be gone, too", function()
    event(source("web", 5000), 0, "JobDeregistered")
    assert.equal(0, asked)
    event(source("web", 5001), 2, "JobDeregistered") -- it is read; no such job is there to be asked about
    assert.equal(0, asked)
  end)

  it("is what the filter says where the host found nothing", function()
    event(source("web", 5000))
    assert(backups.child(world, "web"))
    local other = source("api", 5001)
    other.Meta = { other = "x" }
    event(other)
    assert.is_nil(backups.child(world, "api"))
    assert.equal(2, asked)
  end)
end)
