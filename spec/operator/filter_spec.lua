-- filter: what watch.where and watch.except mean, on whole objects and on stubs.
local filter = require "operator.filter"
local json = require "host.json"

local function matches(where, object)
  return filter.new(where):match(object)
end

describe("filter", function()
  local job = {
    ID = "web-1",
    Type = "service",
    Priority = 50,
    Stop = false,
    Meta = { ["auto-backup"] = "true", tier = "2" },
    Datacenters = json.array({ "dc1", "dc2" }),
    TaskGroups = json.array({
      { Name = "a", Tasks = json.array({ { Name = "x", Driver = "docker" } }) },
      { Name = "b", Tasks = json.array({ { Name = "y", Driver = "exec" } }) },
    }),
  }

  it("mirrors the object", function()
    assert.is_true(matches({ Meta = { ["auto-backup"] = "true" } }, job))
    assert.is_false(matches({ Meta = { ["auto-backup"] = "True" } }, job))
    assert.is_true(matches({ Type = "service", Priority = 50 }, job))
    assert.is_false(matches({ Type = "service", Priority = 51 }, job))
    assert.is_false(matches({ Meta = { a = { b = "c" } } }, job))
    assert.is_true(matches(nil, job))
  end)

  it("takes a list as any of its items", function()
    assert.is_true(matches({ Type = { "batch", "service" } }, job))
    assert.is_false(matches({ Type = { "batch", "system" } }, job))
  end)

  it("finds one element that matches in the object's lists", function()
    assert.is_true(matches({ Datacenters = "dc2" }, job))
    assert.is_false(matches({ Datacenters = "dc3" }, job))
    assert.is_true(matches({ TaskGroups = { Tasks = { Driver = "exec" } } }, job))
    assert.is_false(matches({ TaskGroups = { Name = "a", Tasks = { Driver = "exec" } } }, job))
  end)

  it("reads an absent field as false, but not as true", function()
    assert.is_true(matches({ Stop = false }, {}))
    assert.is_false(matches({ Stop = true }, {}))
  end)

  it("knows present, prefix and mentions", function()
    assert.is_true(matches({ Meta = { tier = filter.present } }, job))
    assert.is_false(matches({ Meta = { other = filter.present } }, job))
    assert.is_false(matches({ Meta = filter.present }, { Meta = {} }))
    assert.is_true(matches({ ID = filter.prefix "web-" }, job))
    assert.is_false(matches({ ID = filter.prefix "db-" }, job))
    assert.is_true(matches(filter.mentions "docker", job))
    assert.is_false(matches(filter.mentions "podman", job))
    assert.is_true(matches({ filter.mentions "podman", filter.mentions "auto-backup" }, job))
    assert.is_true(matches({ Type = "service", Meta = filter.mentions "docker" }, job))
  end)

  it("leaves out the exceptions", function()
    local function watches(where, except)
      return filter.new(where, except):match(job)
    end
    local marked = { Meta = { ["auto-backup"] = "true" } }
    assert.is_false(watches({ Type = "service" }, marked))
    assert.is_true(watches({ Type = "service" }, { Meta = { ["auto-backup"] = "no" } }))
    assert.is_false(watches({ Type = "batch" }, { Type = "system" }))
    assert.is_false(watches(nil, marked))
    assert.is_true(watches(nil, { Type = { "batch", "system" } }))
    assert.is_false(watches(nil, { { Type = "batch" }, { ID = filter.prefix "web" } }))
    assert.is_false(watches(filter.mentions "docker", marked))
    assert.is_false(watches(marked, filter.mentions "docker"))
    assert.is_true(watches(marked, filter.mentions "podman"))
  end)

  it("searches no text where the other side decides", function()
    local function raw_of(where, except)
      local searched = 0
      local raw = setmetatable({}, {
        __index = {
          find = function()
            searched = searched + 1
            return 1
          end,
        },
      })
      filter.new(where, except):match(job, raw)
      return searched
    end
    local marked = { Meta = { ["auto-backup"] = "true" } }
    assert.equal(0, raw_of(filter.mentions "docker", marked))
    assert.equal(1, raw_of(filter.mentions "docker", { Type = "batch" }))
    assert.equal(0, raw_of({ Type = "batch" }, filter.mentions "docker"))
    assert.equal(1, raw_of(marked, filter.mentions "docker"))
  end)

  it("answers three ways on a stub", function()
    local stub = { ID = "web-1", Type = "service", Meta = { ["auto-backup"] = "true" } }
    local function on_stub(where)
      return filter.new(where):match_stub(stub)
    end
    assert.is_true(on_stub({ Meta = { ["auto-backup"] = "true" } }))
    assert.is_false(on_stub({ Meta = { ["auto-backup"] = "no" } }))
    assert.is_nil(on_stub({ TaskGroups = { Name = "a" } }))
    assert.is_false(on_stub({ Type = "batch", TaskGroups = { Name = "a" } }))
    assert.is_nil(on_stub({ Periodic = filter.present }))
    assert.is_true(on_stub(filter.mentions "auto-backup"))
    assert.is_nil(on_stub(filter.mentions "docker"))
    assert.is_nil(on_stub({ filter.mentions "docker", filter.mentions "podman" }))
    assert.is_true(on_stub({ filter.mentions "docker", filter.mentions "service" }))
    assert.is_true(filter.new(nil):match_stub(stub))
  end)

  it("answers three ways on a stub of what has exceptions", function()
    local stub = { ID = "web-1", Type = "service", Meta = { ["auto-backup"] = "true" } }
    local function on_stub(where, except)
      return filter.new(where, except):match_stub(stub)
    end
    local marked, mentioned = { Meta = { ["auto-backup"] = "true" } }, filter.mentions "backup"
    assert.is_false(on_stub(mentioned, marked))
    assert.is_true(on_stub(mentioned, { Meta = { ["auto-backup"] = "no" } }))
    assert.is_nil(on_stub(filter.mentions "docker", { Type = "batch" }))
    assert.is_false(on_stub(filter.mentions "docker", { { ID = "x" }, { Type = "service" } }))
    assert.is_nil(on_stub({ Type = "service" }, { TaskGroups = { Name = "a" } }))
    assert.is_true(on_stub({ Type = "service" }, { Type = "batch", TaskGroups = { Name = "a" } }))
    assert.is_false(on_stub({ Type = "batch" }, { TaskGroups = { Name = "a" } }))
    assert.is_false(on_stub(nil, marked))
    assert.is_true(on_stub(nil, { Type = "batch" }))
    -- A stub has fields, and thus texts, that the object has not.
    assert.is_nil(on_stub(marked, mentioned))
    assert.is_nil(on_stub(marked, { filter.mentions "podman", { ID = "x" } }))
    assert.is_nil(on_stub(marked, filter.present))
  end)

  it("cannot tell what an element of a stub mentions", function()
    local stub = { Datacenters = json.array({ { Name = "dc1" } }) }
    local where = { Datacenters = { Name = filter.mentions "x" } }
    assert.is_nil(filter.new(where):match_stub(stub))
  end)

  it("never says false on a stub where the whole object says true", function()
    local wheres = {
      { Type = "service" },
      { Type = { "batch", "service" } },
      { Datacenters = "dc1" },
      filter.mentions "docker",
      { TaskGroups = { Name = "b" } },
      { Meta = { tier = filter.present } },
      { Stop = false },
    }
    local stub = {}
    for _, name in ipairs({ "ID", "Type", "Priority", "Stop", "Meta", "Datacenters" }) do
      stub[name] = job[name]
    end
    for i, where in ipairs(wheres) do
      assert.is_true(matches(where, job), i)
      assert.is_not_false(filter.new(where):match_stub(stub), i)
    end
  end)

  it("refuses what cannot mean anything, with the path", function()
    local function complaint(where, except)
      local ok, err = pcall(filter.new, where, except)
      assert.is_false(ok)
      return err
    end
    assert.matches(
      'watch.where.Meta.x: values of Meta are strings, write "true"',
      complaint({ Meta = { x = true } }),
      1,
      true
    )
    assert.matches("watch.where.Type: expected a value", complaint({ Type = print }), 1, true)
    assert.matches("watch.where.Meta is an empty table", complaint({ Meta = {} }), 1, true)
    assert.matches(
      'watch.except.Meta.x[2]: values of Meta are strings, write "1"',
      complaint({ Type = "batch" }, { Meta = { x = { "a", 1 } } }),
      1,
      true
    )
    assert.matches("watch.except is an empty table", complaint(nil, {}), 1, true)
    assert.matches(
      "mixes a list with named fields",
      complaint({ Type = { "a", b = "c" } }),
      1,
      true
    )
  end)
end)
