-- JSON → HCL: the text, what is escaped, and what HCL cannot say. That Nomad parses it back to the same job is the
-- claim of spec/integration/jobspec_hcl_live_spec.lua.
local fixtures = require "support.jobspec.fixtures"
local json = require "host.json"
local to_hcl = require "nomad.jobspec.to_hcl"

local function convert(text, options)
  local job = assert(json.decode(text, { nulls = true }))
  local before = json.encode(job, { sorted = true })
  local hcl, warnings = to_hcl.job(job, options)
  assert.equal(before, json.encode(job, { sorted = true }))
  return hcl, warnings
end

-- The text of a task's config, without the indentation.
local function config(text)
  local task = '{"Name":"t","Config":' .. text .. "}"
  local hcl = convert('{"ID":"a","TaskGroups":[{"Name":"g","Tasks":[' .. task .. "]}]}")
  return (hcl:match("config {\n(.-)\n      }\n    }\n"):gsub("%f[^\n\0]        ", ""))
end

-- "path: message" of each.
local function warned(text, options)
  local list = {}
  for i, warning in ipairs(select(2, convert(text, options))) do
    assert.equal("warning", warning.level)
    list[i] = warning.path .. ": " .. warning.message
  end
  return list
end

describe("to_hcl", function()
  it("writes attributes with aligned =, then blocks, groups and tasks last", function()
    local hcl, warnings = convert [[{
      "ID": "web", "Name": "web", "Type": "batch", "Datacenters": ["a", "b"],
      "TaskGroups": [{
        "Name": "g", "Count": 2,
        "Tasks": [{
          "Name": "t", "Driver": "raw_exec", "KillTimeout": 90000000000,
          "Config": { "command": "/bin/true" }, "Resources": { "CPU": 100, "MemoryMB": null }
        }],
        "Networks": [{
          "ReservedPorts": [{ "Label": "a", "Value": 80 }],
          "DynamicPorts": [{ "Label": "b", "To": 1 }]
        }]
      }],
      "Constraints": [{ "LTarget": "${attr.kernel.name}", "RTarget": "linux", "Operand": "=" }],
      "Meta": { "a": "b" }
    }]]
    assert.same({}, warnings)
    assert.equal(
      [[
job "web" {
  type        = "batch"
  datacenters = ["a", "b"]

  constraint {
    attribute = "${attr.kernel.name}"
    value     = "linux"
    operator  = "="
  }

  meta {
    a = "b"
  }

  group "g" {
    count = 2

    network {
      port "a" {
        static = 80
      }

      port "b" {
        to = 1
      }
    }

    task "t" {
      driver       = "raw_exec"
      kill_timeout = "1m30s"

      config {
        command = "/bin/true"
      }

      resources {
        cpu = 100
      }
    }
  }
}
]],
      hcl
    )
  end)

  it("hands on references, and escapes what HCL would evaluate", function()
    local function written(value)
      return config(json.encode { a = value })
    end
    assert.equal('a = "${attr.kernel.name}"', written "${attr.kernel.name}")
    assert.equal('a = "x${NOMAD_PORT_http}y${meta.a-b}"', written "x${NOMAD_PORT_http}y${meta.a-b}")
    assert.equal('a = "$${x:-y} $${var.x} $${1 + 2} $${true} $${a}}"',
      written "${x:-y} ${var.x} ${1 + 2} ${true} ${a}}")
    assert.equal('a = "%%{ if x } %d"', written "%{ if x } %d")
    assert.equal('a = "\\"\\\\\\t\\u0001"', written '"\\\t\1')
  end)

  it("writes long texts as heredocs", function()
    assert.equal("a = <<EOF\nset -e\nrun $${x:-y}\nEOF", config [[{"a":"set -e\nrun ${x:-y}\n"}]])
    assert.equal("a = chomp(<<EOF2\nEOF\n\nx\nEOF2\n)", config [[{"a":"EOF\n\nx"}]])
    assert.equal('a = "x\\r\\ny\\n\\n"', config [[{"a":"x\r\ny\n\n"}]])
  end)

  it("tells lists of objects from objects", function()
    assert.equal("a {\n  b = 1\n}\n\na {\n  b = 2\n}", config [[{"a":[{"b":1},{"b":2}]}]])
    assert.equal("a = ({\n  b = {\n    c = 1\n  }\n})", config [[{"a":{"b":{"c":1}}}]])
    assert.equal('a = [\n  {\n    "x.y" = 1\n  },\n]', config [[{"a":[{"x.y":1}]}]])
    assert.equal("a = [1, [], true]", config [[{"a":[1,[],true]}]])
    -- A block of this name would be a template of blocks.
    assert.matches("^dynamic = %[", config [[{"dynamic":[{"a":1}]}]])
  end)

  it("names what HCL cannot say", function()
    assert.same({
      "Stop: HCL has no word for it, left out",
      "CreateIndex: is the server's own, left out",
      'TaskGroups[0].Volumes["a"].Name: becomes "a", as its key is, in HCL',
      'TaskGroups[0].Services[0].Meta["a.b"]: HCL has no way to say a key like this here, left out',
    }, warned [[{"ID":"a","CreateIndex":7,"Version":0,"Stop":true,"TaskGroups":[{"Name":"g",
      "Services":[{"Meta":{"a.b":"c","d":"e"}}],"Volumes":{"a":{"Name":"b"}}}],
      "Meta":{"a.b":"c"}}]])
    assert.same({ "Idd: unknown field, left out" }, warned '{"ID":"a","Idd":1}')
    assert.same(
      { 'TaskGroups[0].Tasks[0].Config["a"]: is null, left out' },
      warned [[{"ID":"a","TaskGroups":[{"Tasks":[{"Config":{"a":null,"b":{"c":null}}}]}]}]]
    )
    assert.same(
      { "TaskGroups[0].MaxRunDuration: Nomad 1.11.3 does not know it, left out" },
      warned('{"ID":"a","TaskGroups":[{"Name":"g","MaxRunDuration":1}]}', { nomad = "1.11.3" })
    )
    assert.same(
      { 'Meta["a"]: has letters in a form of Unicode that HCL does not keep (it composes them)' },
      warned '{"ID":"a","Meta":{"a":"e\u{301}"}}'
    )
  end)

  it("writes a null in a map of texts as Go reads it", function()
    local hcl, warnings = convert [[{"ID":"a","Meta":{"a":null},"TaskGroups":[{"Meta":{"a b":null},
      "Networks":[{"CNI":{"Args":{"c":null}}}]}]}]]
    assert.same({}, warnings)
    assert.matches('a = ""\n', hcl, 1, true)
    assert.matches('"a b" = ""\n', hcl, 1, true)
    assert.matches('c = ""\n', hcl, 1, true)
  end)

  it("keys match without regard to case", function()
    local hcl, warnings = convert '{"id":"a","taskgroups":[{"NAME":"g","count":3}]}'
    assert.same({}, warnings)
    assert.matches('^job "a" {\n  group "g" {\n    count = 3\n', hcl)
  end)

  it("never fails, whatever the fixture", function()
    local count = 0
    for _, fixture in ipairs(fixtures.all()) do
      local job = json.decode(fixture.text, { nulls = true })
      if type(job) == "table" then
        assert.equal("string", type((to_hcl.job(job))), fixture.name)
        count = count + 1
      end
    end
    assert.is_true(count > 1000)
  end)
end)
