-- build: jobs written in Lua: names of JSON and HCL, blocks by label, merging, patches.
local json = require "host.json"
local jobspec = require "nomad.jobspec"

local function text(value)
  return json.encode(value, { sorted = true })
end

local function fails(message, ...)
  local ok, err = pcall(jobspec.job, ...)
  assert.is_false(ok)
  assert.equal(message, (tostring(err):gsub("^[^:]+:%d+: ", "")))
end

describe("jobspec.job", function()
  it("takes the names of JSON, of HCL, and JSON's in snake_case", function()
    local by_json = jobspec.job {
      ID = "x",
      Type = "batch",
      Datacenters = { "dc1" },
      TaskGroups = {
        {
          Name = "g",
          Tasks = {
            {
              Name = "t",
              Driver = "exec",
              KillTimeout = "30s",
              Resources = { MemoryMB = 64, CPU = 10 },
              Templates = { { EmbeddedTmpl = "x", DestPath = "local/x" } },
            },
          },
        },
      },
    }
    local by_hcl = jobspec.job {
      id = "x",
      type = "batch",
      datacenters = { "dc1" },
      group = {
        g = {
          task = {
            t = {
              driver = "exec",
              kill_timeout = "30s",
              resources = { memory = 64, cpu = 10 },
              template = { { data = "x", destination = "local/x" } },
            },
          },
        },
      },
    }
    local mixed = jobspec.job {
      id = "x",
      type = "batch",
      Datacenters = { "dc1" },
      task_groups = {
        {
          name = "g",
          tasks = {
            t = {
              driver = "exec",
              KillTimeout = 30000000000,
              resources = { memory_mb = 64, cpu = 10 },
              templates = { { embedded_tmpl = "x", destination = "local/x" } },
            },
          },
        },
      },
    }
    assert.equal(text(by_json), text(by_hcl))
    assert.equal(text(by_json), text(mixed))
  end)

  it("sorts what is keyed by label, and says [] for an empty list", function()
    local job = jobspec.job { id = "x", groups = { b = {}, a = {}, c = { tasks = {} } } }
    assert.equal(
      '{"ID":"x","TaskGroups":[{"Name":"a"},{"Name":"b"},{"Name":"c","Tasks":[]}]}',
      text(job)
    )
  end)

  it("reads ports, volumes, constraints as HCL does", function()
    local job = jobspec.job {
      id = "x",
      constraints = { { attribute = "${attr.a}", version = ">= 1" }, { distinct_hosts = true } },
      groups = {
        g = {
          network = { mode = "bridge", port = { http = { static = 80 }, x = { to = 1 } } },
          volumes = { data = { type = "host", source = "d" } },
          meta = { n = 1, b = true },
        },
      },
    }
    local group = job.TaskGroups[1]
    assert.same(
      {
        { LTarget = "${attr.a}", RTarget = ">= 1", Operand = "version" },
        { Operand = "distinct_hosts" },
      },
      job.Constraints
    )
    assert.same({ { Label = "http", Value = 80 } }, group.Networks[1].ReservedPorts)
    assert.same({ { Label = "x", To = 1 } }, group.Networks[1].DynamicPorts)
    assert.same({ data = { Name = "data", Type = "host", Source = "d" } }, group.Volumes)
    assert.same({ n = "1", b = "true" }, group.Meta)
  end)

  it("lays tables over each other and changes none of them", function()
    local base = {
      id = "x",
      priority = 50,
      meta = { a = "1", b = "2" },
      groups = { web = { count = 1, tasks = { server = { env = { A = "1" } } } } },
    }
    local over = {
      priority = 60,
      meta = { b = json.null, c = "3" },
      groups = { web = { count = 2, tasks = { server = { env = { B = "2" } }, log = {} } } },
    }
    local before = text(base)
    local job = jobspec.job(base, over)
    assert.equal(60, job.Priority)
    assert.same({ a = "1", c = "3" }, job.Meta)
    assert.equal(2, job.TaskGroups[1].Count)
    assert.same({ A = "1", B = "2" }, job.TaskGroups[1].Tasks[1].Env)
    assert.equal("log", job.TaskGroups[1].Tasks[2].Name)
    assert.equal(before, text(base))
  end)

  it("names the path and the nearest name", function()
    fails(
      "jobspec.job: TaskGroups[web].Tasks[s].Resources.memoy: unknown field, did you mean memory?",
      { id = "x", groups = { web = { tasks = { s = { resources = { memoy = 1 } } } } } }
    )
    fails(
      "jobspec.job: TaskGroups[0].Tasks[0].Resources.MemoyMB: unknown field, "
        .. "did you mean MemoryMB?",
      { ID = "x", TaskGroups = { { Tasks = { { Resources = { MemoyMB = 1 } } } } } }
    )
    fails("jobspec.job: id: is the same field as ID", { id = "x", ID = "y" })
    fails('jobspec.job: Priority: expected an integer, got "50"', { priority = "50" })
    fails(
      'jobspec.job: TaskGroups[a]: its Name is "b", but its key is "a"',
      { groups = { a = { name = "b" } } }
    )
    fails("jobspec.job: expected a table of fields, got string", "x")
  end)
end)

describe("jobspec.patch", function()
  local job = {
    ID = "x",
    Priority = 50,
    Odd = 1,
    Datacenters = { "a", "b" },
    TaskGroups = {
      {
        Name = "web",
        Count = 1,
        Tasks = { { Name = "s", Config = { image = "a", args = { "x" } } } },
      },
      { Name = "db", Tasks = {} },
    },
  }

  it("merges what has a name, replaces other lists, and keeps what nobody knows", function()
    local patched = jobspec.patch(job, {
      datacenters = { "c" },
      groups = { web = { count = 3, tasks = { s = { config = { image = "b" } } } }, new = {} },
    }, { priority = 70 })
    assert.same({ "c" }, patched.Datacenters)
    assert.equal(70, patched.Priority)
    assert.equal(1, patched.Odd)
    assert.equal(3, patched.TaskGroups[1].Count)
    assert.same({ image = "b", args = { "x" } }, patched.TaskGroups[1].Tasks[1].Config)
    assert.equal("db", patched.TaskGroups[2].Name)
    assert.equal("new", patched.TaskGroups[3].Name)
    assert.equal(1, job.TaskGroups[1].Count)
  end)

  it("deletes with null", function()
    local patched = jobspec.patch(job, {
      priority = json.null,
      groups = { db = json.null, web = { tasks = { s = { config = { args = json.null } } } } },
    })
    assert.is_nil(patched.Priority)
    assert.equal(1, #patched.TaskGroups)
    assert.same({ image = "a" }, patched.TaskGroups[1].Tasks[1].Config)
  end)
end)
