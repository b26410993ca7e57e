-- marks, seen, known, newest, budget: whose a child is, what is known of it and of its owner, how new a list has to be,
-- how many may go.
local budget = require "operator.budget"
local known = require "operator.known"
local marks = require "operator.marks"
local newest = require "operator.newest"
local seen = require "operator.seen"

describe("marks", function()
  local function child(fields)
    local job =
      { ID = "backup-x", Namespace = "ops", Periodic = { Spec = "@daily" }, Meta = { team = "db" } }
    for name, value in pairs(fields or {}) do
      job[name] = value
    end
    marks.put(job, "default", "backup", "ops/x", "00ff")
    return job
  end

  it("are read back as they were put, beside the job's own meta", function()
    local job = child()
    assert.same({
      instance = "default",
      policy = "backup",
      owner = "ops/x",
      hash = "00ff",
      foreign_hash = false,
    }, marks.read(job))
    assert.equal("db", job.Meta.team)
  end)

  it("leave the meta of a service constant: no hash", function()
    local job = { ID = "side", Namespace = "default" }
    marks.put(job, "default", "p", "default/x", "00ff")
    assert.is_nil(job.Meta[marks.HASH])
    assert.is_nil(marks.read(job).hash)
  end)

  it("do not count on a run of a periodic child, a copy, or another namespace", function()
    local job = child()
    job.ParentID = "backup-x"
    assert.is_nil(marks.read(job))
    job = child()
    job.ID = "copy-of-backup-x"
    assert.is_nil(marks.read(job))
    job = child()
    job.Namespace = "default"
    assert.is_nil(marks.read(job))
  end)

  it("know a hash of another version for what it is", function()
    local job = child()
    job.Meta[marks.HASH] = "99:abcd"
    local mark = marks.read(job)
    assert.is_nil(mark.hash)
    assert.is_true(mark.foreign_hash)
  end)

  it("split keys at the first slash", function()
    assert.same({ "ns", "a/b/c" }, { marks.split("ns/a/b/c") })
    assert.equal("default/x", marks.key("", "x"))
    assert.equal("x/y", marks.show("default/x/y"))
    assert.equal("ops/x", marks.show("ops/x"))
  end)
end)

describe("seen", function()
  it("tells the newest version from the one that was worked last", function()
    local s = seen.new()
    assert.is_nil(s:version "k")
    assert.is_nil(s:worked "k")
    s:news("k", 5)
    assert.same({ 5 }, { s:version "k", s:worked "k" })
    s:done("k", 5)
    assert.same({ 5, 5 }, { s:version "k", s:worked "k" })
    s:news("k", 5)
    assert.same({ 5, 5 }, { s:version "k", s:worked "k" })
    s:news("k", 9)
    assert.same({ 9, 5 }, { s:version "k", s:worked "k" })
    s:done("k", 7)
    assert.same({ 9, 7 }, { s:version "k", s:worked "k" })
    s:done("k", 9)
    assert.same({ 9, 9 }, { s:version "k", s:worked "k" })
    s:done("k", 8)
    assert.same({ 9, 8 }, { s:version "k", s:worked "k" })
  end)

  it("counts its keys, and takes everything for news after the versions went back", function()
    local s = seen.new()
    s:news("a", 5)
    s:done("b", 6)
    s:news("b", 7)
    assert.equal(2, s:count())
    s:forget_versions()
    assert.same({ -1, -1 }, { s:version "a", s:version "b" })
    assert.is_nil(s:worked "b")
    s:done("a", 0)
    assert.same({ 0, 0 }, { s:version "a", s:worked "a" })
    s:forget "a"
    s:forget "a"
    assert.equal(1, s:count())
    local keys = {}
    for key in s:keys() do
      keys[#keys + 1] = key
    end
    assert.same({ "b" }, keys)
  end)
end)

describe("known", function()
  local mark = { policy = "p", owner = "default/o" }

  it("tells news from what was known", function()
    local k = known.new()
    assert.is_true(k:saw("default/c", mark, 10, false))
    assert.is_false(k:saw("default/c", mark, 10, false))
    assert.is_false(k:saw("default/c", mark, 9, true))
    assert.is_true(k:saw("default/c", mark, 11, false))
    assert.is_true(k:saw("default/c", mark, 12, true))
  end)

  it("has a child in sync only at the index and digest of the last look", function()
    local k = known.new()
    k:saw("default/c", mark, 10, false)
    assert.is_false(k:in_sync("default/c", "d", "p", "default/o"))
    k:synced("default/c", "d", 10)
    assert.is_true(k:in_sync("default/c", "d", "p", "default/o"))
    assert.is_false(k:in_sync("default/c", "e", "p", "default/o"))
    assert.is_false(k:in_sync("default/c", "d", "p", "default/second"))
    assert.is_false(k:in_sync("default/c", "d", "q", "default/o"))
    k:doubt("default/c")
    assert.is_false(k:in_sync("default/c", "d", "p", "default/o"))
    k:synced("default/c", "d", 10)
    k:saw("default/c", mark, 11, false)
    assert.is_false(k:in_sync("default/c", "d", "p", "default/o"))
  end)

  it("has what was written in sync, unless newer was seen meanwhile", function()
    local k = known.new()
    k:wrote("default/c", "p", "default/o", "d", 10)
    assert.is_true(k:in_sync("default/c", "d", "p", "default/o"))
    assert.same({ 10, 1 }, { k:newest "default/c", k:count "p" })
    k:saw("default/c", mark, 12, false)
    k:wrote("default/c", "p", "default/o", "e", 11)
    assert.is_false(k:in_sync("default/c", "e", "p", "default/o"))
    k:wrote("default/c", "p", "default/o", "e", 13)
    assert.is_true(k:in_sync("default/c", "e", "p", "default/o"))
    k:wrote("default/c", "q", "default/o", "e", 14)
    assert.same({ 0, 1 }, { k:count "p", k:count "q" })
  end)

  it("does not take what was found for right where newer was seen meanwhile", function()
    local k = known.new()
    k:saw("default/c", mark, 10, false)
    k:synced("default/c", "d", 9)
    assert.is_false(k:in_sync("default/c", "d", "p", "default/o"))
    assert.is_true(k:was("default/c", "d"))
  end)

  it("tells the newest index of a child: a doubt has that of its event", function()
    local k = known.new()
    assert.is_nil(k:newest "default/c")
    k:doubt("default/c", 7)
    assert.is_nil(k:newest "default/c")
    k:saw("default/c", mark, 10, false)
    k:doubt("default/c", 12)
    assert.equal(12, k:newest "default/c")
    k:doubt("default/c", 11)
    assert.equal(12, k:newest "default/c")
    assert.is_false(k:saw("default/c", mark, 10, false))
    assert.is_true(k:saw("default/c", mark, 12, true))
  end)

  it("never has a stopped child in sync, and does not list it", function()
    local k = known.new()
    k:saw("default/c", mark, 10, false)
    k:synced("default/c", "d", 10)
    assert.same({ "default/c" }, k:of("p", "default/o"))
    k:saw("default/c", mark, 11, true)
    assert.is_false(k:in_sync("default/c", "d", "p", "default/o"))
    assert.same({}, k:of("p", "default/o"))
    assert.is_false(k:has("p", "default/o"))
  end)

  it("forgets, and moves a child to another owner", function()
    local k = known.new()
    k:saw("default/c", mark, 10, false)
    k:saw("default/c", { policy = "p", owner = "default/other" }, 11, false)
    assert.same({}, k:of("p", "default/o"))
    assert.same({ "default/c" }, k:of("p", "default/other"))
    k:forget("default/c")
    assert.equal(0, k:count("p"))
  end)

  it("keeps the children of an owner apart, however many there are", function()
    local k = known.new()
    for _, id in ipairs { "c", "a", "b" } do
      k:saw("default/" .. id, mark, 10, false)
    end
    assert.same({ "default/a", "default/b", "default/c" }, k:of("p", "default/o"))
    assert.equal(3, k:count "p")
    k:saw("default/b", mark, 11, true)
    k:forget("default/a")
    assert.same({ "default/c" }, k:of("p", "default/o"))
    assert.equal(1, k:count "p")
    k:forget("default/b")
    assert.same({ "default/o", "p", false }, { k:whose "default/c" })
    k:forget("default/c")
    assert.is_false(k:has("p", "default/o"))
    assert.is_nil(k:whose "default/c")
    assert.equal(0, k:count "p")
  end)

  it("takes everything for news after the indexes went back, and keeps whose it is", function()
    local k = known.new()
    k:saw("default/c", mark, 10, true)
    k:forget_indexes()
    assert.same({ "default/o", "p", true }, { k:whose "default/c" })
    assert.is_true(k:saw("default/c", mark, 3, false))
    assert.equal(1, k:count "p")
  end)
end)

describe("newest", function()
  it("takes a list that is older than the events of its own connection only", function()
    local n = newest.new()
    n:connected()
    n:seen(20)
    assert.equal("new", n:judge(15))
    assert.same({ 20, 15 }, { n.index, n.floor })
    n:connected()
    assert.equal("behind", n:judge(19))
    assert.equal("new", n:judge(20))
  end)

  it("asks again, and only then takes the cluster for one that went back", function()
    local n = newest.new()
    assert.equal("new", n:judge(100))
    assert.equal("behind", n:judge(7))
    assert.equal("back", n:judge(8))
    assert.same({ 8, 8 }, { n.index, n.floor })
    assert.equal("new", n:judge(8))
  end)

  it("asks again each time that a list is behind, and not only the first", function()
    local n = newest.new()
    n:judge(100)
    for _ = 1, 2 do
      assert.equal("behind", n:judge(99))
      assert.equal("new", n:judge(100))
    end
  end)

  it("learns nothing of an empty list without an index", function()
    local n = newest.new()
    n:judge(100)
    assert.equal("new", n:judge(0))
    assert.same({ 100, 100 }, { n.index, n.floor })
  end)
end)

describe("budget", function()
  local function bench(limit)
    local b = { now = 1000, kept = {} }
    b.host = {
      now = function()
        return b.now
      end,
      keep = function(key, value)
        b.kept[key] = value
      end,
      kept = function(key)
        return b.kept[key]
      end,
    }
    b.budget = budget.new({ host = b.host, limit = limit or -1 })
    return b
  end

  local function remove(b, children, own)
    local count = 0
    while children > 0 and b.budget:take("p", children, "default/c" .. children, own) do
      children, count = children - 1, count + 1
    end
    return count
  end

  it("lets five of few go, and a fifth of many", function()
    assert.equal(5, remove(bench(), 20))
    assert.equal(3, remove(bench(), 3))
    assert.equal(20, remove(bench(), 100))
  end)

  it("takes the policy's limit, and the command line's before it", function()
    assert.equal(2, remove(bench(), 20, 2))
    assert.equal(0, remove(bench(), 20, 0))
    assert.equal(15, remove(bench(15), 20, 2))
  end)

  it("latches: neither time nor a new generation lets more go", function()
    local b = bench()
    remove(b, 20)
    b.now = b.now + 2 * 86400
    local again = budget.new({ host = b.host, limit = -1 })
    local allowed, why = again:take("p", 15, "default/c")
    assert.is_false(allowed)
    assert.matches("restart with -max-delete N", why, 1, true)
  end)

  it("counts a rolling day where it was not exceeded", function()
    local b = bench()
    for _ = 1, 4 do
      assert.is_true(b.budget:take("p", 20, "default/c"))
    end
    b.now = b.now + 86401
    for _ = 1, 5 do
      assert.is_true(b.budget:take("p", 20, "default/c"))
    end
    assert.is_false(b.budget:take("p", 15, "default/c"))
  end)

  it("takes back what was not removed after all", function()
    local b = bench()
    local time
    for _ = 1, 5 do
      local paid
      paid, time = b.budget:take("p", 20, "default/c")
      assert.is_true(paid)
    end
    b.budget:give_back("p", "default/c", time)
    assert.is_true(b.budget:take("p", 20, "default/c"))
    assert.is_false(b.budget:take("p", 20, "default/c"))
  end)

  it("lets a removal that nobody answered be made again without paying twice", function()
    local b = bench(2)
    local _, time = b.budget:take("p", 20, "default/c")
    b.budget:give_back("p", "default/c", time, true)
    assert.same({ true, time }, { b.budget:take("p", 20, "default/c") })
    assert.is_true(b.budget:take("p", 20, "default/d"))
    assert.is_false(b.budget:take("p", 20, "default/e"))
  end)

  it("recalls what an earlier process took, once each, and not what is older than a day", function()
    local b = bench()
    b.now = 100000
    b.budget:recall("p", { "99000.000000", "99000.000001", "99000.000001", "12000.000000" })
    b.budget:recall("p", { "99000.000001" })
    assert.equal(3, remove(b, 20))
  end)

  it("opens again when a person approves, for what it refused before all", function()
    local b = bench()
    remove(b, 20)
    assert.is_false(b.budget:take("p", 15, "default/x"))
    assert.same({ 2, true }, { b.budget:approve("p") })
    assert.same({ true }, { b.budget:take("p", 15, "default/x") })
    b.budget:give_back("p", "default/x")
    assert.same({ true }, { b.budget:take("p", 15, "default/x") })
    assert.equal(5, remove(b, 14))
    b.budget:recall("p", { "999.000000" })
    assert.same({ 1, true }, { b.budget:approve("p") })
    assert.same({ 0, false }, { b.budget:approve("p") })
  end)
end)
