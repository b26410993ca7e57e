-- filter: what watch.where means, on whole objects and on stubs.
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
    local function complaint(where)
      local ok, err = pcall(filter.new, where)
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
      "mixes a list with named fields",
      complaint({ Type = { "a", b = "c" } }),
      1,
      true
    )
  end)
end)
