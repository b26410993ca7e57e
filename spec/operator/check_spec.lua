-- check: what `desired` returns is valid before it is sent, at a price that thousands of children can pay.
local check = require "operator.check"
local failure = require "operator.failure"
local json = require "host.json"

-- A check, whose server is of this version; nil: it does not say.
local function new(version)
  local said, times = {}, 0
  local self = check.new({
    host = {
      log = function(level, message)
        said[#said + 1] = level .. " " .. message
      end,
      timer = function()
        return { set = function() end }
      end,
    },
    version = function()
      times = times + 1
      return version, "denied"
    end,
  })
  return self, said, function()
    return times
  end
end

local function job(over, task)
  local one = { Name = "t", Driver = "raw_exec", Config = { command = "/bin/true" } }
  for name, value in pairs(task or {}) do
    one[name] = value
  end
  local result = {
    ID = "x",
    Type = "batch",
    Datacenters = { "dc1" },
    Periodic = { Spec = "@daily" },
    TaskGroups = { { Name = "g", Tasks = { one } } },
  }
  for name, value in pairs(over or {}) do
    result[name] = value
  end
  return result
end

local function refusal(checker, given)
  local ok, err = pcall(checker.job, checker, given, "backup")
  assert.is_false(ok)
  assert.is_true(failure.is(err), tostring(err))
  assert.equal("fail", err.kind)
  return tostring(err)
end

-- Runs fn, and returns how often the validator was asked.
local function asked(fn)
  local jobspec, count = require "nomad.jobspec", 0
  local validate = jobspec.validate
  jobspec.validate = function(...)
    count = count + 1
    return validate(...)
  end
  local ok, err = pcall(fn)
  jobspec.validate = validate
  assert(ok, err)
  return count
end

describe("operator.check", function()
  it("lets a valid job through as it is", function()
    local given = job()
    assert.equal(given, new():job(given, "backup"))
  end)

  it("names the policy, the job, the path, and what is allowed", function()
    local text = refusal(new(), job({}, { Resources = { MemoyMB = 1 } }))
    assert.matches("policy backup returned job x, which Nomad would not take: ", text, 1, true)
    assert.matches("TaskGroups[0].Tasks[0].Resources.MemoyMB", text, 1, true)
    assert.matches("did you mean MemoryMB?", text, 1, true)
  end)

  it("names some problems, and counts the others", function()
    local text = refusal(new(), job { A = 1, B = 2, C = 3, D = 4, E = 5 })
    assert.matches("; and 2 more$", text)
  end)

  it("sends lengths of time as numbers and names in their case", function()
    local sent = new():job(job({}, { killTimeout = "30s" }), "backup")
    assert.equal(30000000000, sent.TaskGroups[1].Tasks[1].KillTimeout)
  end)

  it("looks once at jobs that differ in name, meta, environment and configuration", function()
    local checker = new()
    assert.equal(
      1,
      asked(function()
        for i = 1, 50 do
          local given = job({ ID = "backup-" .. i, Meta = { n = tostring(i) } }, {
            Env = { TARGET = "job/" .. i },
            Config = { command = "/bin/true", args = { "a" .. i } },
          })
          assert.equal(given, checker:job(given, "backup"))
        end
      end)
    )
  end)

  it("looks again at whatever may make a job invalid", function()
    local checker = new()
    checker:job(job(), "backup")
    local wrong = {
      job { Periodic = { Spec = "every day" } },
      job { ID = "a b" },
      job { Meta = { a = 1 } },
      job { Type = "service" },
      job({}, { Env = { A = 1 } }),
      job({}, { Env = json.array { "a" } }),
      job({}, { Config = json.array { "a" } }),
      job({}, { Config = { f = print } }),
      job({}, { Driver = "" }),
      job({}, { Services = { { Name = ("x"):rep(70) } } }),
      job {
        TaskGroups = { { Name = "g", Tasks = { { Name = "t", Driver = "a" } } }, { Name = "g" } },
      },
    }
    for i, given in ipairs(wrong) do
      assert.equal("string", type(refusal(checker, given)), i)
    end
  end)

  it("leaves to the cluster what its configuration decides", function()
    local given = job { Priority = 150 }
    assert.equal(given, new():job(given, "backup"))
    refusal(new(), job { Priority = 40000 })
  end)

  it("costs little for a child like the ones before", function()
    local checker, given = new(), job({ Meta = { a = "b" } }, { Env = { A = "1" } })
    checker:job(given, "backup")
    local best = math.huge
    for _ = 1, 5 do
      local before = os.clock()
      for _ = 1, 1000 do
        checker:job(given, "backup")
      end
      best = math.min(best, (os.clock() - before) / 1000)
    end
    assert.is_true(best < 60e-6, ("%.1f microseconds"):format(best * 1e6))
  end)

  it("lets a field that only a newer server can know through, and names it once", function()
    local checker, said, times = new "9.0.0"
    local given = job { Blink = { Rate = 3 } }
    assert.same({ Rate = 3 }, checker:job(given, "backup").Blink)
    assert.same({ Rate = 3 }, checker:job(given, "backup").Blink)
    assert.equal(1, #said)
    assert.matches("^warn policy backup: Blink: unknown field", said[1])
    assert.equal(1, times())
  end)

  it("asks for the server's version only where that matters, and once", function()
    for _, version in ipairs { "1.11.3", false } do
      local checker, _, times = new(version or nil)
      checker:job(job(), "backup")
      assert.equal(0, times())
      assert.matches("Blink: unknown field", refusal(checker, job { Blink = 1 }), 1, true)
      assert.matches("Blonk: unknown field", refusal(checker, job { Blonk = 1 }), 1, true)
      assert.equal(1, times())
    end
  end)
end)
