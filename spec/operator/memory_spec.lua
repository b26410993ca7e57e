-- What the operator keeps of each watched object and each child: it grows with the cluster, so it has a price limit.
local known = require "operator.known"
local seen = require "operator.seen"

local COUNT = 100000
local LIMIT = 200 -- bytes, of the Lua heap and of what the host keeps packed

local function heap(...)
  collectgarbage()
  collectgarbage()
  local bytes = collectgarbage "count" * 1024
  for _, one in ipairs { ... } do
    bytes = bytes + one:bytes()
  end
  return bytes
end

local function object(i)
  return ("default/job-%06d"):format(i)
end

local function child(i)
  return ("default/backup-job-%06d"):format(i)
end

describe("what is known", function()
  local objects, children, digests

  before_each(function()
    objects, children, digests = seen.new(), known.new(), {}
    for i = 1, 16 do
      digests[i] = ("%016x"):format(i)
    end
  end)

  local function see_objects()
    for i = 1, COUNT do
      objects:news(object(i), i)
      if i % 10 > 0 then
        objects:done(object(i), i)
      end
      if i % 20 == 0 then
        objects:done(object(i), i + 5)
        objects:news(object(i), i + 9)
      end
    end
  end

  local function see_children()
    for i = 1, COUNT do
      local key = child(i)
      children:saw(key, { policy = "backup", owner = object(i) }, i, i % 50 == 0)
      children:synced(key, digests[i % 16 + 1], i)
    end
  end

  it("of 100,000 watched objects takes no more than 200 bytes each", function()
    local before = heap(objects, children)
    see_objects()
    local each = (heap(objects, children) - before) / COUNT
    assert.is_true(each <= LIMIT, ("%.1f bytes"):format(each))
    assert.equal(COUNT, objects:count())
  end)

  it("of 100,000 children of them takes no more than 200 bytes each, beside the objects", function()
    see_objects()
    local before = heap(objects, children)
    see_children()
    local each = (heap(objects, children) - before) / COUNT
    assert.is_true(each <= LIMIT, ("%.1f bytes"):format(each))
    assert.equal(COUNT - COUNT // 50, children:count "backup")
  end)

  it("does not grow with events and lists of what is known already", function()
    see_objects()
    see_children()
    local before = heap(objects, children)
    for round = 1, 3 do
      for i = 1, COUNT do
        objects:news(object(i), i + round * COUNT)
        objects:done(object(i), i + round * COUNT)
        children:saw(child(i), { policy = "backup", owner = object(i) }, i + round * COUNT, false)
      end
    end
    assert.is_true(heap(objects, children) - before < COUNT, "it grew")
  end)
end)
