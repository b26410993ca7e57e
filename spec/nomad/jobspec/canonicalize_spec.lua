-- canonicalize: what spec/integration compares with a real Nomad, in a few fixed examples; and what is ours alone.
local exact = require "support.exact"
local json = require "host.json"
local jobspec = require "nomad.jobspec"
local sha1 = require "nomad.jobspec.canonical.sha1"

local function job(over, task)
  local one = { Name = "t", Driver = "raw_exec" }
  for name, value in pairs(task or {}) do
    one[name] = value
  end
  local result = { ID = "x", TaskGroups = { { Name = "g", Tasks = { one } } } }
  for name, value in pairs(over or {}) do
    result[name] = value
  end
  return result
end

describe("jobspec.canonicalize", function()
  it("fills in defaults, and says null where the server does", function()
    local made = jobspec.canonicalize(job())
    local group = made.TaskGroups[1]
    local task = group.Tasks[1]
    assert.same({ "*" }, made.Datacenters)
    assert.equal(50, made.Priority)
    assert.equal("default", made.NodePool)
    assert.equal(json.null, made.Meta)
    assert.equal(json.null, made.Periodic)
    assert.same({
      Attempts = 2,
      Delay = 15000000000,
      Interval = 1800000000000,
      Mode = "fail",
      RenderTemplates = false,
    }, group.RestartPolicy)
    assert.equal(1, group.Update.MaxParallel)
    assert.equal(5000000000, task.KillTimeout)
    assert.same({ "nomadproject.io" }, task.Identity.Audience)
    assert.equal(json.null, task.Templates)
    assert.is_nil(made.Status)
    assert.is_nil(made.JobModifyIndex)
  end)

  it("reads keys in any case and lengths of time as text, and changes nothing", function()
    local given = {
      id = "x",
      PRIORITY = 60.0,
      taskGroups = {
        { name = "g", ephemeraldisk = {}, tasks = { { name = "t", killTIMEOUT = "1m30s" } } },
      },
    }
    local before = json.encode(given, { sorted = true })
    local made = jobspec.canonicalize(given)
    assert.equal("x", made.Name)
    assert.equal("60", json.encode(made.Priority))
    assert.equal(90000000000, made.TaskGroups[1].Tasks[1].KillTimeout)
    assert.equal(300, made.TaskGroups[1].EphemeralDisk.SizeMB)
    assert.equal(before, json.encode(given, { sorted = true }))
  end)

  it("keeps the canonical form as it is", function()
    local once = jobspec.canonicalize(job({}, { KillSignal = "SIGINT" }))
    assert.same({}, exact.differences(exact.of(once), exact.of(jobspec.canonicalize(once))))
  end)

  it("knows what older servers do otherwise", function()
    local old = jobspec.canonicalize(job { Datacenters = { "dc1" } }, { nomad = "1.4.3" })
    assert.is_nil(old.NodePool)
    assert.equal("", old.VaultToken)
    assert.is_nil(old.TaskGroups[1].Tasks[1].Identity)
    assert.same({ Namespace = "" }, old.TaskGroups[1].Consul)
    local before = jobspec.canonicalize(job(), { nomad = "1.9.7" })
    assert.equal(json.null, before.TaskGroups[1].Tasks[1].Vault)
    assert.is_nil(before.TaskGroups[1].Tasks[1].Secrets)
  end)

  it(
    "drops what the version does not know, and keeps it where that is newer than the schema",
    function()
      local given = job { NewField = { A = 1 } }
      assert.is_nil(jobspec.canonicalize(given).NewField)
      assert.same({ A = 1 }, jobspec.canonicalize(given, { nomad = "99.1.0" }).NewField)
    end
  )

  it("goes to the agent's region and the namespace that is said", function()
    local made = jobspec.canonicalize(job(), { region = "eu", namespace = "n" })
    assert.equal("eu", made.Region)
    assert.equal("n", made.Namespace)
  end)

  it("says where a value is that cannot be read", function()
    local function fails(given, message)
      local ok, err = pcall(jobspec.canonicalize, given)
      assert.is_false(ok)
      assert.equal(message, err)
    end
    fails(
      job({}, { KillTimeout = "1d" }),
      "TaskGroups[0].Tasks[0].KillTimeout: "
        .. '"1d" is not a length of time; write it like "30s", "10m" or "1h30m"'
    )
    fails(job { Priority = "50" }, 'Priority: expected an integer, got "50"')
    fails(job { TaskGroups = { a = {} } }, 'TaskGroups: expected a list, got "an object"')
    assert.has_error(function()
      jobspec.canonicalize(job(), { nomad = "new" })
    end)
  end)

  it("hashes as FIPS 180 says", function()
    assert.equal("a9993e364706816aba3e25717850c26c9cd0d89d", sha1.hex "abc")
    assert.equal("da39a3ee5e6b4b0d3255bfef95601890afd80709", sha1.hex "")
    assert.equal(
      "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
      sha1.hex "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
    )
  end)
end)
