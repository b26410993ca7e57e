-- validate: the recorded verdicts of a real Nomad, the differences that are on purpose, and what errors look like.
local json = require "host.json"
local fixtures = require "support.jobspec.fixtures"
local schema = require "nomad.jobspec.schema"
local validate = require("nomad.jobspec.validate").job

local function job(more)
  local made = {
    ID = "a", Type = "batch",
    TaskGroups = { { Name = "g", Tasks = { { Name = "t", Driver = "exec" } } } },
  }
  for key, value in pairs(more or {}) do made[key] = value end
  return made
end

-- "level path: message" of each problem.
local function said(value, opts)
  local lines = {}
  for i, problem in ipairs(validate(value, opts)) do
    lines[i] = ("%s %s: %s"):format(problem.level, problem.path, problem.message)
  end
  return lines
end

describe("jobspec.validate", function()
  it("gives a real Nomad's verdict on each fixture", function()
    local verdicts, count, different = fixtures.verdicts(), 0, {}
    for _, fixture in ipairs(fixtures.all()) do
      local ours, why = fixtures.ours(fixture.text)
      count = count + 1
      if ours ~= verdicts[fixture.name] then
        different[#different + 1] = ("%s: Nomad %s, we %s (%s)"):format(fixture.name,
          verdicts[fixture.name] or "was not asked", ours, why or "no reason")
      end
    end
    assert.same({}, different)
    assert.is_true(count >= 300)
  end)

  it("has fixtures for every object, and for every field that a person may set", function()
    local fields, objects = fixtures.covered()
    for _, name in ipairs(schema.order) do
      assert.is_true(objects[name], name)
      for _, field in ipairs(schema.objects[name].fields) do
        local set = not field.runtime and not field.hcl_only
        local where = name .. "." .. field.name
        assert.is_true(fields[where] or not set, where)
      end
    end
  end)

  it("refuses a misspelt field in every object and names the right one", function()
    local typos = fixtures.typos()
    assert.is_true(#typos > 60)
    for _, typo in ipairs(typos) do
      local found = false
      for _, line in ipairs(said(json.decode(typo.text))) do
        found = found or line:find(typo.typo .. ": unknown field", 1, true) ~= nil
          and (line:find("did you mean ", 1, true) ~= nil)
      end
      assert.is_true(found, typo.object)
      assert.equal("refused", (fixtures.ours(typo.text)))
    end
  end)

  it("says where, what and what instead, in the order of the schema", function()
    local value = job {
      Periodic = { Specs = { "* *" } }, Priorty = 3,
      TaskGroups = {
        {
          Name = "g", Count = -1,
          Tasks = { { Name = "t", Driver = "exec", Resources = { MemoyMB = 1, CPU = "x" } } },
        },
      },
    }
    local lines = said(value)
    assert.equal("error TaskGroups[0].Count: must not be negative", lines[1])
    local resources = "error TaskGroups[0].Tasks[0].Resources."
    assert.equal(resources .. 'CPU: expected an integer, found the string "x"', lines[2])
    assert.equal(resources .. "MemoyMB: unknown field, did you mean MemoryMB?", lines[3])
    assert.matches("^error Periodic%.Specs%[0%]: .*fewer than five fields", lines[4])
    assert.equal("error Priorty: unknown field, did you mean Priority?", lines[5])
    assert.equal(5, #lines)
    for _ = 1, 5 do assert.same(lines, said(value)) end
  end)

  it("makes unknown fields warnings when told to, or when the server is newer", function()
    local value = job { Brand = 1 }
    assert.same({ "error Brand: unknown field" }, said(value))
    assert.same({ "warning Brand: unknown field" }, said(value, { lenient = true }))
    assert.same({ "warning Brand: unknown field" }, said(value, { nomad = "2.1.0" }))
    assert.same({ "error Brand: unknown field" }, said(value, { nomad = "1.11.3" }))
  end)

  it("names the release that a field needs", function()
    local value = job { Datacenters = { "dc1" }, UI = { Description = "text" } }
    assert.same({}, said(value, { nomad = "1.8.0" }))
    assert.matches("^error UI: is known from Nomad 1%.8%.0 on", said(value, { nomad = "1.7.7" })[1])
    value.UI = {}
    assert.same({}, said(value, { nomad = "1.7.7" }))
    value.Datacenters = nil
    assert.matches("^error Datacenters: ", said(value, { nomad = "1.4.3" })[1])
  end)

  it("matches keys without regard to case, and refuses the same key twice", function()
    local value = json.decode [[{"id": "a", "TYPE": "batch", "taskgroups": [{"name": "g", "tasks":
      [{"name": "t", "driver": "exec", "killtimeout": "30s"}]}]}]]
    assert.same({}, said(value))
    value.ID = "b"
    assert.same({ "error id: is there also as ID: keys match without regard to case" }, said(value))
  end)

  it("takes durations as text, and no others", function()
    for text, ok in pairs {
      ["30s"] = true, ["1h30m"] = true, ["1.5h"] = true, ["500ms"] = true, ["0"] = true,
      ["30"] = false, [""] = false, ["1d"] = false, ["h"] = false, ["9999999h"] = false,
    } do
      local value = job()
      value.TaskGroups[1].Tasks[1].ShutdownDelay = text
      assert.equal(ok and 0 or 1, #said(value), text)
    end
  end)

  it("names each place of a table that stands in two", function()
    local constraint = { LTarget = "${attr.kernel.name}", Operand = "near" }
    local value = job()
    local task = { Name = "t", Driver = "exec" }
    value.TaskGroups = {
      { Name = "a", Tasks = { task }, Constraints = { constraint } },
      { Name = "b", Tasks = { task }, Constraints = { constraint } },
    }
    local lines = said(value)
    assert.equal(2, #lines)
    assert.matches("^error TaskGroups%[0%]%.Constraints%[0%]%.Operand: ", lines[1])
    assert.matches("^error TaskGroups%[1%]%.Constraints%[0%]%.Operand: ", lines[2])
  end)

  it("reads the path of a check as Go reads a URL", function()
    for path, ok in pairs {
      ["/health"] = true, ["health?a=:b"] = true, ["//host:80/x"] = true, ["//[::1]/x"] = true,
      ["///x y"] = true, ["//a@b/"] = true, ["//%e4/"] = true, ["//<a>/"] = true,
      ["a:b"] = false, ["/%zz"] = false, ["//host:8a/x"] = false, ["//[::1/x"] = false,
      ["//a b/"] = false, ["//%41/"] = false, ["//[1.2.3.4]/"] = false, ["//a|b@c/"] = false,
    } do
      local value = job()
      value.TaskGroups[1].Tasks[1].Services = {
        {
          Name = "s", Provider = "nomad", PortLabel = "p",
          Checks = { { Type = "http", Path = path, Interval = "5s", Timeout = "5s" } },
        },
      }
      value.TaskGroups[1].Networks = { { DynamicPorts = { { Label = "p" } } } }
      assert.equal(ok and 0 or 1, #said(value), path)
    end
  end)

  it("counts the bytes of a host name's last letter as Nomad does", function()
    for name, ok in pairs {
      ["a.b"] = true, ["a."] = true, ["a\\."] = true, ["\xc3\xa4."] = true,
      ["\xe2\x82\xac."] = true, ["\xc3\xa4\\."] = false,
    } do
      local value = job()
      value.TaskGroups[1].Networks = { { Hostname = name } }
      assert.equal(ok, #said(value) == 0, name)
    end
  end)

  it("lays the resources of a sidecar's task over the usual ones, zeros not", function()
    for text, ok in pairs {
      ['{"CPU":0,"MemoryMB":0,"Cores":0}'] = true, ['{"NUMA":{"Affinity":"bogus"}}'] = true,
      ['{"MemoryMB":5}'] = false, ['{"MemoryMaxMB":5}'] = false, ['{"Cores":2}'] = false,
    } do
      local value = job { Type = "service" }
      local group = value.TaskGroups[1]
      group.Networks = { { Mode = "bridge" } }
      group.Services = {
        {
          Name = "s", PortLabel = "80",
          Connect = { SidecarService = {}, SidecarTask = { Resources = json.decode(text) } },
        },
      }
      local lines = said(value)
      assert.equal(ok, #lines == 0, text)
      assert.is_true(ok or lines[1]:find("Connect.SidecarTask.Resources.", 1, true) ~= nil)
    end
  end)

  it("limits MaxRunDuration to batch jobs", function()
    local value = job()
    value.TaskGroups[1].MaxRunDuration = "1h"
    assert.same({}, said(value))
    value.TaskGroups[1].MaxRunDuration = 0
    assert.matches("MaxRunDuration: must be more than 0", said(value)[1])
    value.TaskGroups[1].MaxRunDuration, value.Type = "1h", "service"
    assert.matches("MaxRunDuration: is allowed only in batch", said(value)[1])
  end)

  it("does not change the job", function()
    local text = '{"id":"a","Meta":{"a":null},"TaskGroups":[null,{"count":"x"}]}'
    local value = json.decode(text)
    validate(value)
    local before = json.encode(json.decode(text), { sorted = true })
    assert.equal(before, json.encode(value, { sorted = true }))
  end)

  it("survives what JSON cannot say", function()
    local cyclic = {}
    cyclic.a = { cyclic }
    local deep = {}
    for _ = 1, 600 do deep = { a = deep } end
    for what, config in pairs {
      ["holds itself"] = cyclic, ["deeper"] = { a = deep }, ["JSON cannot say"] = { a = print },
      ["JSON cannot say the number"] = { a = 0 / 0 }, ["keys"] = { a = { 1, b = 2 } },
    } do
      local value = job()
      value.TaskGroups[1].Tasks[1].Config = config
      assert.matches(what, said(value)[1], 1, true)
    end
    for _, top in ipairs { 1, "x", true, json.array(), json.array { {} }, print } do
      assert.equal(1, #said(top), tostring(top))
    end
    assert.is_true(#said(nil) == 1)
    local selves = job()
    selves.TaskGroups[1].Tasks[1] = selves
    assert.is_true(#said(selves) > 0)
  end)

  it("survives changed bytes, and does not take what is no job", function()
    math.randomseed(1)
    local all = fixtures.all()
    for round = 1, 3000 do
      local text = all[math.random(#all)].text
      for _ = 1, math.random(3) do
        local at = math.random(#text)
        local piece = ('0"[]{},:tn-'):sub(math.random(11)):sub(1, 1)
        text = text:sub(1, at - 1) .. piece .. text:sub(at + math.random(0, 2))
      end
      local value = json.decode(text)
      if value ~= nil then
        local ok, problems = pcall(validate, value)
        assert.is_true(ok, round)
        assert.is_true(type(value) == "table" or #problems > 0)
      end
    end
  end)

  it("bears long texts", function()
    local long = ("x"):rep(1000000)
    local value = job { ID = long, Meta = { [long] = long } }
    value.Constraints = { { LTarget = "x", Operand = "regexp", RTarget = ("(a*)"):rep(20000) } }
    assert.same({}, said(value))
    value.Constraints[1].RTarget = ("("):rep(100000)
    assert.equal(1, #said(value))
  end)
end)

describe("docs/jobspec.md", function()
  it("is what the schema makes", function()
    local pipe = assert(io.popen("lua5.4 tools/jobspec_docs.lua"))
    local made = pipe:read("a")
    pipe:close()
    local file = assert(io.open("docs/jobspec.md"))
    local committed = file:read("a")
    file:close()
    assert.is_true(made == committed, "stale: lua5.4 tools/jobspec_docs.lua > docs/jobspec.md")
  end)
end)
