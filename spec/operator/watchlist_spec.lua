-- watchlist: what is known is watched, so that the event by which it stops matching comes through the raw filter.
local known = require "operator.known"
local looks = require "support.looks"
local marks = require "operator.marks"
local seen = require "operator.seen"
local testing = require "operator.testing"
local watchlist = require "operator.watchlist"

local alive, source = looks.alive, looks.source

-- A watchlist whose counts can be looked at.
local function counted()
  local counts = {}
  return watchlist.new({
    watch = function(_, key)
      counts[key] = (counts[key] or 0) + 1
    end,
    unwatch = function(_, key)
      local count = assert(counts[key], key) - 1
      counts[key] = count > 0 and count or nil
    end,
  }, "Job"),
    counts
end

describe("the keys that are watched", function()
  it("are those of objects, as long as they are of interest", function()
    local keys, counts = counted()
    local s = seen.new(keys)
    s:news("a", 5)
    s:done("a", 5)
    s:news("a", 6)
    s:done("b", 1)
    assert.same({ a = 1, b = 1 }, counts)
    s:forget_versions()
    assert.same({ a = 1, b = 1 }, counts)
    s:forget "a"
    s:forget "a"
    s:forget "b"
    assert.same({}, counts)
  end)

  it("are those of children and of their owners, as long as they are known", function()
    local keys, counts = counted()
    local k = known.new(keys)
    local mark = { policy = "p", owner = "default/o" }
    k:saw("default/c", mark, 10, false)
    k:saw("default/c", mark, 11, true)
    k:saw("default/d", mark, 12, false)
    assert.same({ ["default/c"] = 1, ["default/d"] = 1, ["default/o"] = 2 }, counts)
    k:saw("default/d", { policy = "p", owner = "default/other" }, 13, false)
    assert.same({
      ["default/c"] = 1,
      ["default/d"] = 1,
      ["default/o"] = 1,
      ["default/other"] = 1,
    }, counts)
    k:forget "default/c"
    k:forget "default/c"
    k:forget "default/d"
    assert.same({}, counts)
  end)
end)

describe("an event that no policy's where holds for", function()
  local POLICY = (require "support.core_policy"):gsub('name = "backup",', "%0 concurrency = 1,")
  local world

  before_each(function()
    world = testing.world { files = { ["backup.lua"] = POLICY } }
  end)

  it("takes a job out of the queue that no longer wants a child", function()
    world:start()
    world.network.latency = 2
    world.nomad:register(source("first"))
    world.nomad:register(source("second"))
    world:advance(3)
    world.nomad:register(source("second", { ["auto-backup"] = "false" }))
    world:advance "1m"
    assert.is_table(alive(world, "backup-first"))
    assert.is_nil(world.nomad:job("default", "backup-second"))
  end)

  it("tells of a child that lost its marks", function()
    world.nomad:register(source("web"))
    world:start()
    local child = world.nomad:job("default", "backup-web")
    child.Meta = nil
    world.nomad:register(child)
    world:settle()
    assert.matches("Drift: web.*backup%-web exists and is not ours", looks.said(world))
    assert.is_nil(marks.read(world.nomad:job("default", "backup-web")))
  end)
end)
