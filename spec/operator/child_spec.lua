-- child: a child that is written as text is the child that would be made as a table, whatever the template and its
-- values are.
local check = require "operator.check"
local child = require "operator.child"
local failure = require "operator.failure"
local json = require "host.json"
local template = require "nomad.jobspec.template"

local OPTIONS = { instance = "one", namespaces = {} }
local OWNER = "default/shop"

-- Takes every job, and every text of one.
local ANY = {
  has_passed = function()
    return true
  end,
  job = function(_, job)
    return job
  end,
}

local function policy(ignored)
  return { name = "backup", ignored = ignored or {} }
end

local function new(value, checker, ignored)
  return child.new(value, policy(ignored), OWNER, OPTIONS, checker or ANY)
end

-- The same child twice: as text, and as a table (where something is ignored, here nothing that there is).
local function both(text, values, overrides)
  local made = template.new(text, "t.json")
  local written = new(made:render(values, overrides))
  local table_of = new(made:render(values, overrides), ANY, { "^Nothing$" })
  assert.is_nil(rawget(written, "job"), "it was made as a table")
  assert.is_nil(table_of.text)
  return written, table_of
end

local function assert_same(text, values, overrides)
  local written, made = both(text, values, overrides)
  assert.equal(made.digest, written.digest)
  assert.equal(made.key, written.key)
  assert.equal(made.namespace, written.namespace)
  assert.same(made.job, json.decode(written.text))
  assert.same(made.job, written.job)
end

local ODD =
  { "", "x", 'say "hi"', "back\\slash", "tab", "é ü 漢", "a/b", "</x>", "\127", "{", "$" }

-- A random JSON value as text, with placeholders in its strings.
local function random_value(random, depth)
  local kind = random(depth > 0 and 7 or 5)
  if kind <= 2 then
    local text = json.encode((ODD[random(#ODD)]:gsub("[{$]", "")))
    return text:sub(1, -2) .. ('[[ .V%d ]] z"'):format(random(5))
  elseif kind == 3 then
    return ("[[ .N%d ]]"):format(random(2))
  elseif kind == 4 then
    return ({ "true", "false", "17", "-1.5", "{}", "[]" })[random(6)]
  elseif kind == 5 then
    return json.encode(ODD[random(#ODD)])
  end
  local parts = {}
  for i = 1, random(0, 4) do
    local name = kind == 6 and json.encode(("k%d%s"):format(i, ODD[random(#ODD)])) .. ":" or ""
    parts[i] = name .. random_value(random, depth - 1)
  end
  local inner = table.concat(parts, ",")
  return kind == 6 and "{" .. inner .. "}" or "[ " .. inner .. "]"
end

local FIELDS = { "A", "Constraints", "Meta", "Mz", "NodePool", "Periodic", "Spreads", "Zz" }

local function random_template(random)
  local fields = { '"ID":"backup-[[ .ID ]]"' }
  for _, name in ipairs(FIELDS) do
    if random(2) == 1 then
      local value = random_value(random, 3)
      if name == "Meta" then
        value = ({ "{}", '{"a":"b"}', '{"a":"[[ .V1 ]]","é":"x[[ .V2 ]]"}' })[random(3)]
      end
      fields[#fields + 1] = json.encode(name) .. ":" .. value
    end
  end
  return "{" .. table.concat(fields, ",") .. "}"
end

local function random_values(random)
  local values = { ID = "shop", N1 = random(9), N2 = random(2) == 1 }
  for i = 1, 5 do
    local odd = ODD[random(#ODD)]:gsub("%c", "")
    values["V" .. i] = ({ odd, random(100), random(2) == 1, 1.5 })[random(4)]
  end
  return values
end

describe("operator.child", function()
  it("is the same as text and as a table", function()
    local values = { ID = "x", At = "@daily" }
    assert_same('{"ID":"b-[[ .ID ]]","Periodic":{"Spec":"[[ .At ]]"}}', values)
    assert_same('{"ID":"b-[[ .ID ]]","Meta":{"a":"[[ .At ]]"}}', values)
    assert_same('{"ID":"b-[[ .ID ]]","Meta":{}}', values)
    assert_same('{"Namespace":"default","ID":"[[ .ID ]]"}', values)
  end)

  it("is the same with fields that the policy brings along", function()
    local text = '{"ID":"b-[[ .ID ]]","Datacenters":["[[ .ID ]]"],"Meta":{"a":"b"}}'
    local values = { ID = "x" }
    assert_same(text, values, { Datacenters = { "dc1", "dc2" } })
    assert_same(text, values, { NodePool = "gpu", Datacenters = json.array {} })
    assert_same(text, values, { Priority = 70 })
  end)

  it("is the same for random templates and values", function()
    local seed = tonumber(os.getenv "SEED") or os.time()
    math.randomseed(seed)
    for round = 1, 300 do
      local text, values = random_template(math.random), random_values(math.random)
      local over = math.random(3) == 1 and { Zz = values.V1, Ab = { values.V2 } } or nil
      local ok, err = pcall(assert_same, text, values, over)
      assert(ok, ("SEED=%d, round %d: %s\n%s"):format(seed, round, text, tostring(err)))
    end
  end)

  it("is made as a table where its text could not be right", function()
    local function job(text, overrides)
      local made = new(template.new(text, "t.json"):render({ ID = "x" }, overrides))
      assert.is_table(rawget(made, "job"))
      return made.job
    end
    -- Keys that change, marks that are there already, what decides about the job.
    assert.equal("1", job('{"ID":"b-[[ .ID ]]","Meta":{"[[ .ID ]]":"1"}}').Meta.x)
    local own = job('{"ID":"b-[[ .ID ]]","Meta":{"operator-owner":"me"}}').Meta
    assert.equal(OWNER, own["operator-owner"])
    assert.equal("other", job('{"ID":"b-[[ .ID ]]"}', { ID = "other" }).ID)
    assert.equal("v", job('{"ID":"b-[[ .ID ]]"}', { Meta = { k = "v" } }).Meta.k)
    assert.is_nil(job('{"ID":"b-[[ .ID ]]","Region":"global"}').Region)
  end)

  it("refuses as text what it refuses as a table", function()
    local made = template.new('{"ID":"[[ .ID ]]","Namespace":"[[ .NS ]]"}', "t.json")
    for _, values in ipairs { { ID = "shop", NS = "default" }, { ID = "b", NS = "other" } } do
      local errors = {}
      for i, ignored in ipairs { {}, { "^Nothing$" } } do
        local ok, err = pcall(new, made:render(values), ANY, ignored)
        assert.is_false(ok)
        assert.is_true(failure.is(err))
        errors[i] = tostring(err)
      end
      assert.equal(errors[1], errors[2])
    end
  end)

  describe("with a check", function()
    local TEXT = [==[{
      "ID": "[[ .ID ]]", "Name": "[[ .ID ]]", "Type": "batch", "Datacenters": ["dc1"],
      "Priority": [[ .Priority ]],
      "Periodic": { "Spec": "[[ .At ]]", "SpecType": "cron" },
      "TaskGroups": [{ "Name": "g", "Tasks": [{
        "Name": "t", "Driver": "raw_exec", "Config": { "command": "[[ .Command ]]" },
        "Env": { "A": "[[ .Env ]]" }
      }] }]
    }]==]

    local function values(over)
      local all = { ID = "b", At = "@daily", Command = "/bin/x", Env = "e", Priority = 50 }
      for name, value in pairs(over or {}) do
        all[name] = value
      end
      return all
    end

    local made, checker

    before_each(function()
      made = template.new(TEXT, "t.json")
      local function timer()
        return { set = function() end }
      end
      checker =
        check.new { host = { log = function() end, timer = timer }, version = function() end }
    end)

    -- Was the child of these values made as text?
    local function is_text(over, overrides)
      return rawget(new(made:render(values(over), overrides), checker), "job") == nil
    end

    it("looks at one of each kind only", function()
      assert.is_false(is_text())
      assert.is_true(is_text())
      assert.is_true(is_text { ID = "c", Env = "other", Command = "/bin/y" })
    end)

    it("looks at each value that could be wrong", function()
      assert.is_false(is_text())
      assert.is_false(is_text { At = "@hourly" })
      assert.is_true(is_text { At = "@hourly", ID = "c" })
      assert.is_false(is_text { Priority = 60 })
      assert.is_false(is_text({}, { NodePool = "gpu" }))
      assert.is_true(is_text({ ID = "c" }, { NodePool = "gpu" }))
      for _, wrong in ipairs { { Priority = -1 }, { ID = "with space" }, { Priority = true } } do
        local ok, err = pcall(is_text, wrong)
        assert.is_false(ok)
        assert.matches("which Nomad would not take", tostring(err), 1, true)
      end
    end)
  end)
end)
