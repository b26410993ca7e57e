-- jobspec.template: how templates become jobs. What Nomad parses is taught to the model; that Nomad parses so is
-- seen by the live specs.
local json = require "host.json"
local jobspec = require "nomad.jobspec"
local template = require "nomad.jobspec.template"
local testing = require "operator.testing"

local REFUSES = "input.hcl:%d,3-9: Unsuitable value type; Unsuitable value: a number is required"

describe("jobspec.template", function()
  local world

  before_each(function()
    world = testing.world { files = {} }
  end)

  --- How often Nomad was asked to parse.
  local function parses()
    local count = 0
    for _, request in ipairs(world.nomad.requests) do
      count = count + (request.path == "/v1/jobs/parse" and 1 or 0)
    end
    return count
  end

  local function new(text)
    return template.new(text, "t.hcl")
  end

  local function prepare(t)
    return world:run(t.prepare, t)
  end

  local function resolve(t, values, overrides)
    return world:run(t.resolve, t, t:render(values, overrides))
  end

  --- A template with one task whose env is known to the model.
  local function filled(text, job)
    local t = new(text)
    world.nomad:teach(t:token_text(), job)
    assert(prepare(t))
    return t
  end

  describe("that is filled", function()
    it("puts values into strings, parts of strings and keys", function()
      local t = filled('job "[[ .ID ]]" { a = "x-[[ .A ]]-y[[ .N ]]" }', {
        ID = "nop0001x",
        Meta = { A = "x-nop0002x-ynop0003x", nop0001x = "k", ["a.nop0002x"] = "l" },
        List = { "nop0001x", "const" }, Count = 2, Stop = false,
      })
      assert.equal("fill", t.mode)
      assert.same({
        ID = 'we"b\\', Meta = { A = "x-v-y3", ['we"b\\'] = "k", ["a.v"] = "l" },
        List = { 'we"b\\', "const" }, Count = 2, Stop = false,
      }, resolve(t, { ID = 'we"b\\', A = "v", N = 3 }))
    end)

    it("is parsed once, however many jobs are made", function()
      local t = filled('job "[[ .ID ]]" {}', { ID = "nop0001x", Meta = { a = "b" } })
      for i = 1, 1000 do
        local job = resolve(t, { ID = "job-" .. i })
        assert.equal("job-" .. i, job.ID)
        job.Meta.a = "changed"
      end
      assert.equal(1, parses())
      assert.equal("b", resolve(t, { ID = "x" }).Meta.a)
    end)

    it("keeps arrays arrays", function()
      local empty = json.array {}
      local t = filled('job "[[ .ID ]]" {}', { ID = "nop0001x", A = empty, B = { empty } })
      local text = json.encode(resolve(t, { ID = "x" }), { sorted = true })
      assert.equal('{"A":[],"B":[[]],"ID":"x"}', text)
    end)

    it("lays overrides over the job, and nothing where they are nil", function()
      local t = filled('job "[[ .ID ]]" {}', { ID = "nop0001x", Datacenters = { "dc1" } })
      local centers = json.array { "a", "b" }
      local job = resolve(t, { ID = "x" }, { Datacenters = centers, NodePool = nil })
      assert.same({ ID = "x", Datacenters = { "a", "b" } }, job)
      assert.are_not.equal(centers, job.Datacenters)
    end)

    it("refuses two keys that become one", function()
      local meta = { nop0001x = 1, nop0002x = 2 }
      local t = filled('job "[[ .A ]][[ .B ]]" {}', { ID = "x", Meta = meta })
      local job, err = resolve(t, { A = "k", B = "k" })
      assert.is_nil(job)
      assert.matches('two placeholders make the same key "k"', tostring(err))
      assert.is_false(err.retryable)
    end)

    it("uses tokens that the text does not hold", function()
      local t = new 'job "[[ .ID ]]" { a = "nop0001x" }'
      assert.equal('job "nopp0001x" { a = "nop0001x" }', t:token_text())
    end)
  end)

  describe("that is written and parsed", function()
    it("does so when a token is refused, escaping values for their place", function()
      local text = 'job "[[ .ID ]]" {\n  n = [[ .N ]]\n  a = "[[ .A ]]"\n}\n'
      local t = new(text)
      world.nomad:teach(t:token_text(), REFUSES:format(2))
      world.nomad:teach('job "nop0001x" {\n  n = 1\n  a = "nop0003x"\n}\n', { ID = "ok" })
      assert(prepare(t))
      assert.equal("text", t.mode)
      world.nomad:teach('job "x" {\n  n = 5\n  a = "q\\" } b = \\""\n}\n', { ID = "x", n = 5 })
      assert.same({ ID = "x", n = 5 }, resolve(t, { ID = "x", N = "5", A = 'q" } b = "' }))
    end)

    it("keeps what was parsed, and gives away copies", function()
      local t = new 'job "[[ .ID ]]" { [[ if .X ]]a = 1[[ end ]] }'
      world.nomad:teach('job "nop0001x" { a = 1 }', { ID = "ok" })
      assert(prepare(t))
      world.nomad:teach('job "x" {  }', { ID = "x", Meta = { a = "b" } })
      local before = parses()
      resolve(t, { ID = "x" }).Meta.a = "changed"
      assert.equal("b", resolve(t, { ID = "x" }).Meta.a)
      assert.equal(before + 1, parses())
    end)

    it("refuses what is no literal outside strings", function()
      local t = new 'job "x" { n = [[ .N ]] }\n'
      world.nomad:teach(t:token_text(), REFUSES:format(1))
      world.nomad:teach('job "x" { n = 1 }\n', { ID = "ok" })
      assert(prepare(t))
      for _, value in ipairs { "1 } evil {", "word", "", "local.x", '"a" "b"', "1, 2" } do
        local job, err = resolve(t, { N = value })
        assert.is_nil(job, value)
        assert.equal("template", err.code)
        assert.matches("^t.hcl:1: .*stands outside a string", tostring(err))
      end
    end)

    it("does so when the HCL computes with a string", function()
      local t = filled('job "[[ .ID ]]" { n = "[[ .E ]]" == "prod" ? 3 : 1 }', {
        ID = "nop0001x", x = "nop0002x",
      })
      assert.equal("text", t.mode)
    end)

    it("does so when a token does not come out, or came out as a variable", function()
      assert.equal("text", filled('job "[[ .ID ]]" { a = "[[ .A ]]" }', { ID = "nop0001x" }).mode)
      local job = { ID = "nop0001x", a = "${nop0002x}" }
      assert.equal("text", filled('job "[[ .ID ]]" { a = [[ .A ]] }', job).mode)
    end)

    it("leaves out values in comments", function()
      local t = filled('# [[ .A ]]\njob "[[ .ID ]]" {}', { ID = "nop0002x" })
      assert.equal("fill", t.mode)
      assert.equal("x", resolve(t, { ID = "x", A = "*/ }" }).ID)
    end)

    it("reports Nomad's refusal of a rendering with the template's line", function()
      local t = new 'job "x" {\n[[ range .L ]]\n  m = [[ . ]]\n[[ end ]]\n  d = "[[ .D ]]"\n}\n'
      world.nomad:teach('job "x" {\n\n  d = "nop0002x"\n}\n', { ID = "ok" })
      assert(prepare(t))
      local text = 'job "x" {\n\n  m = 1\n\n  m = 2\n\n  d = "soon"\n}\n'
      world.nomad:teach(text, "input.hcl:7,7-13: Unsuitable value; invalid duration \"soon\"")
      local job, err = resolve(t, { L = json.array { 1, 2 }, D = "soon" })
      assert.is_nil(job)
      assert.equal('t.hcl:5: Unsuitable value; invalid duration "soon"', tostring(err))
      assert.is_false(err.retryable)
    end)
  end)

  describe("that is wrong", function()
    it("is refused when its [[ ]] cannot be read", function()
      local ok, err = pcall(new, 'job "x" {\n  a = "[[ .A | ]]"\n}')
      assert.is_false(ok)
      assert.matches("^t.hcl:2: expected a value", err)
    end)

    it("is refused at prepare with file and line when its HCL is broken", function()
      local t = new 'job "[[ .ID ]]" {\n  a = \n}\n'
      world.nomad:teach(t:token_text(), "input.hcl:2,7-3,1: Invalid expression; Expected the start")
      local ok, err = prepare(t)
      assert.is_nil(ok)
      assert.equal("template", err.code)
      assert.is_false(err.retryable)
      assert.equal("t.hcl:2: Invalid expression; Expected the start", tostring(err))
    end)

    it("is shown with its placeholders, not with tokens", function()
      local t = new 'job "[[ .ID ]]" {\n  foo = 1\n}\n'
      local said = 'input.hcl:2,3-6: Unsupported; "foo" in job "nop0001x"\ninput.hcl:3,1-2: b'
      world.nomad:teach(t:token_text(), said)
      local _, err = prepare(t)
      assert.equal('t.hcl:2: Unsupported; "foo" in job "[[ .ID ]]"; line 3: b', tostring(err))
    end)

    it("is not judged when Nomad cannot be asked", function()
      local t = new 'job "[[ .ID ]]" {}'
      world:fault { match = "parse", status = 500, body = "No cluster leader" }
      local ok, err = prepare(t)
      assert.is_nil(ok)
      assert.are_not.equal("template", err.code)
      assert.is_true(err.retryable)
      assert.is_nil(t.mode)
    end)
  end)

  describe("values", function()
    local t = new 'job "[[ .ID ]]" {\n  a = "[[ .A ]]"\n  b = "{[[ .B | raw ]]"\n}'

    local function refused(values)
      local ok, err = pcall(t.render, t, values)
      assert.is_false(ok)
      assert.equal("template", err.code)
      assert.is_false(err.retryable)
      return tostring(err)
    end

    it("may not hold what Nomad or a shell evaluates", function()
      for _, value in ipairs {
        "x{{ env }}", "${attr.x}", "%{ if }", "a\nb", "a\0b", "\27[1m", "\127",
      } do
        assert.matches("^t.hcl:2: the value of %[%[ .A %]%], .*write %[%[ .A | raw %]%]",
          refused { ID = "x", A = value, B = "b" })
      end
    end)

    it("may when the placeholder says raw", function()
      t:render { ID = "x", A = "a", B = "${x}\n{{ y }}" }
    end)

    it("may not make such a thing with their neighbours", function()
      assert.matches('make "{{" together', refused { ID = "x", A = "a", B = "{x" })
    end)

    it("are strings, numbers and booleans", function()
      t:render { ID = 5, A = true, B = 1.5 }
      assert.matches("is a map, expected a string", refused { ID = "x", A = { a = 1 }, B = "" })
      assert.matches("no finite number", refused { ID = "x", A = 0 / 0, B = "" })
    end)

    it("may not be missing", function()
      assert.matches("^t.hcl:2: .A has no value", refused { ID = "x", B = "" })
    end)
  end)

  describe("in JSON", function()
    it("needs no Nomad", function()
      local text = '{"Job": {"ID": "[[ .ID ]]", "Count": [[ .N ]], "Datacenters": [[ .DCs ]],'
        .. '"Meta": {"[[ .ID ]]": "n=[[ .N ]]"}}}'
      local j = template.new(text, "t.json")
      assert.same({
        ID = 'a"b', Count = 3, Datacenters = { "x" }, Meta = { ['a"b'] = "n=3" },
      }, resolve(j, { ID = 'a"b', N = "3", DCs = json.array { "x" } }))
      assert.equal(0, parses())
    end)

    it("is refused at load when it is no JSON", function()
      local ok, err = pcall(template.new, '{"ID": "[[ .ID ]]",\n  "Count": }', "t.json")
      assert.is_false(ok)
      assert.matches("^t.json:2: the JSON cannot be read", err)
    end)

    it("may have blocks", function()
      local j = template.new('{"ID": "[[ .ID ]]"[[ if .N ]], "N": [[ .N ]][[ end ]]}', "t.json")
      assert.same({ ID = 'a"', N = 2 }, resolve(j, { ID = 'a"', N = 2 }))
      assert.same({ ID = "a" }, resolve(j, { ID = "a" }))
      local job, err = resolve(j, { ID = "a", N = "x, 1" })
      assert.is_nil(job)
      assert.matches("stands outside a string", tostring(err))
    end)
  end)

  it("is told from other values, and collected while a script loads", function()
    local t = new 'job "[[ .ID ]]" {}'
    assert.is_true(jobspec.is_rendering(t:render { ID = "x" }))
    assert.is_false(jobspec.is_rendering { template = t })
    local ok, err = pcall(jobspec.collect, function()
      error("oh", 0)
    end)
    assert.is_false(ok)
    assert.equal("oh", err)
    local templates, a, b = jobspec.collect(function(x)
      return x, 2
    end, 1)
    assert.same({}, templates)
    assert.same({ 1, 2 }, { a, b })
  end)
end)
