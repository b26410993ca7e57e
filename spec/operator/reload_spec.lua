-- reload: another generation takes over in the model's world, and nothing is lost or removed by it.
local looks = require "support.looks"
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

describe("a reload", function()
  local world

  before_each(function()
    world = new_world()
  end)

  local function with_backups(count)
    for i = 1, count do
      world.nomad:register(source(("job-%02d"):format(i)))
    end
    world:start()
    world:settle()
    assert.equal(count, count_alive(world, "^backup%-"))
  end

  it("updates all children to a new rule", function()
    with_backups(20)
    world:reload({ ["backup.lua"] = (POLICY:gsub("@daily", "@weekly")) })
    world:settle()
    for i = 1, 20 do
      assert.equal("@weekly", alive(world, ("backup-job-%02d"):format(i)).Periodic.Spec)
    end
  end)

  it("writes nothing when nothing changed", function()
    with_backups(5)
    local writes = #world.nomad:writes()
    world:reload()
    world:advance("30m")
    assert.equal(writes, #world.nomad:writes())
  end)

  it("keeps the old rules when the new ones do not load", function()
    with_backups(1)
    world:reload({ ["backup.lua"] = "return {" })
    assert.matches("backup.lua:1:", said(world), 1, true)
    world.nomad:register(source("later"))
    world:settle()
    assert.is_table(alive(world, "backup-later"))
  end)

  it(
    "removes no more than the budget when a policy suddenly wants nothing, and brings all back",
    function()
      with_backups(20)
      world:reload({ ["backup.lua"] = (POLICY:gsub("if job.Stop then", "if true then")) })
      world:settle()
      assert.equal(15, count_alive(world, "^backup%-"))
      assert.matches(
        "is not removed (no longer wanted): 5 of 20 children have been removed",
        said(world),
        1,
        true
      )
      world:advance("3h")
      assert.equal(15, count_alive(world, "^backup%-"))
      world:reload({ ["backup.lua"] = POLICY })
      world:settle()
      assert.equal(20, count_alive(world, "^backup%-"))
    end
  )

  it("counts a job's own change for nothing in the budget", function()
    with_backups(20)
    for i = 1, 12 do
      world.nomad:stop("default", ("job-%02d"):format(i))
    end
    world:settle()
    assert.equal(8, count_alive(world, "^backup%-"), said(world))
  end)

  it("loses no event that comes while it is under way", function()
    with_backups(3)
    world.nomad:register(source("before"))
    world:reload()
    world.nomad:register(source("after"))
    world:settle()
    assert.is_table(alive(world, "backup-before"))
    assert.is_table(alive(world, "backup-after"))
  end)
end)
