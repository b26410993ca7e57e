-- diff: what is different between two jobs, as data, in a line, in many.
local difftext = require "nomad.jobspec.difftext"
local diff = require "nomad.jobspec.diff"
local json = require "host.json"
local jobspec = require "nomad.jobspec"

local function job(over)
  return jobspec.job({
    id = "x",
    type = "batch",
    priority = 50,
    periodic = { cron = "@daily" },
    constraint = { attribute = "${a}", value = "b" },
    groups = {
      db = {
        count = 2,
        tasks = {
          dump = {
            env = { A = "geheim" },
            kill_timeout = "1m",
            resources = { memory = 256 },
            template = { { data = "body", destination = "local/a" } },
          },
          old = {},
        },
      },
    },
  }, over or {})
end

local function line(over)
  return difftext.line(jobspec.diff(job(), job(over)))
end

describe("jobspec.diff", function()
  it("finds nothing where nothing is different", function()
    assert.same({}, jobspec.diff(job(), job()))
    assert.same({}, jobspec.diff({ Meta = {}, Name = json.null, Stop = false }, { Priority = 0 }))
    assert.equal("", difftext.line {})
  end)

  it("compares by name, whatever the order", function()
    local one = { TaskGroups = { { Name = "a", Count = 1 }, { Name = "b", Count = 2 } } }
    local two = { TaskGroups = { { Name = "b", Count = 3 }, { Name = "a", Count = 1 } } }
    local changes = jobspec.diff(one, two)
    assert.equal(1, #changes)
    assert.equal("TaskGroups[b].Count", changes[1].path)
    assert.equal("changed", changes[1].kind)
    assert.equal(2, changes[1].old)
    assert.equal(3, changes[1].new)
  end)

  it("tells what is there from what is not", function()
    local changes = jobspec.diff(
      { TaskGroups = { { Name = "a" }, { Name = "b" } }, Meta = { x = "1" } },
      { TaskGroups = { { Name = "a" }, { Name = "c" } }, Meta = { y = "1" } }
    )
    local seen = {}
    for i, change in ipairs(changes) do
      seen[i] = change.kind .. " " .. change.path
    end
    assert.same(
      { "removed Meta.x", "added Meta.y", "removed TaskGroups[b]", "added TaskGroups[c]" },
      seen
    )
  end)

  it("compares only what the second sets, where that is asked for", function()
    local live = { Priority = 50, Region = "global", Meta = { a = "1", b = "2" } }
    local changes = jobspec.diff(live, { Priority = 60, Meta = { a = "1" } }, { partial = true })
    assert.equal(1, #changes)
    assert.equal("Priority", changes[1].path)
  end)

  it("leaves out what is ignored", function()
    assert.same(
      {},
      jobspec.diff({ Priority = 1 }, { Priority = 2 }, {
        ignored = function(path)
          return path == "Priority"
        end,
      })
    )
  end)

  it("says it in a line", function()
    assert.equal("cron @daily → @hourly", line { periodic = { cron = "@hourly" } })
    assert.equal(
      "Priority 50 → 60, group db: task dump: Resources.MemoryMB 256 → 512",
      line {
        priority = 60,
        groups = { db = { tasks = { dump = { resources = { memory = 512 } } } } },
      }
    )
    assert.equal(
      "group db: Count 2 → 3, task old removed, task dump: KillTimeout 1m → 1m30s, "
        .. "and 1 more",
      (
        line {
          groups = {
            db = {
              count = 3,
              tasks = {
                dump = { kill_timeout = "90s" },
                old = json.null,
                new = { driver = "exec" },
              },
            },
          },
        }
      )
    )
  end)

  it("shows no values of environments and no bodies", function()
    local over = {
      groups = {
        db = {
          tasks = {
            dump = {
              env = { A = "streng" },
              template = { { data = "neu", destination = "local/a" } },
            },
          },
        },
      },
    }
    local changes = jobspec.diff(job(), job(over))
    local all = difftext.line(changes)
      .. table.concat(difftext.lines(changes), "\n")
      .. json.encode(diff.plain(changes))
    for _, secret in ipairs { "geheim", "streng", "body", "neu" } do
      assert.is_nil(all:find(secret, 1, true), secret)
    end
    assert.equal(
      "group db: task dump: Env.A changed, " .. "template local/a: EmbeddedTmpl changed",
      difftext.line(changes)
    )
    local whole = json.encode(diff.plain(jobspec.diff({}, job())))
    assert.is_nil(whole:find("geheim", 1, true))
  end)

  it("says it in many lines", function()
    local changes = jobspec.diff(
      job(),
      job {
        priority = 60,
        groups = {
          db = {
            count = 3,
            tasks = {
              dump = { env = { A = json.null } },
              new = {},
              old = json.null,
            },
          },
        },
      }
    )
    assert.same({
      "~ Priority: 50 → 60",
      "~ group db",
      "  ~ Count: 2 → 3",
      "  - task old",
      "  ~ task dump",
      "    - Env.A (not shown)",
      "  + task new",
    }, difftext.lines(changes))
  end)

  it("cuts long values between letters", function()
    local text = difftext.line(jobspec.diff({ Name = "a" }, { Name = ("ä"):rep(40) }))
    assert.is_truthy(utf8.len(text))
    assert.is_true(#text < 70)
  end)
end)
