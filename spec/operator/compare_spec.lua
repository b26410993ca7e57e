-- compare: what counts as a difference between a desired and a live job.
local compare = require "operator.compare"
local paths = require "operator.paths"
local json = require "host.json"

local function job()
  return {
    ID = "backup-x",
    Type = "batch",
    Periodic = { Spec = "@daily", ProhibitOverlap = true },
    TaskGroups = json.array({
      {
        Name = "g",
        Count = 1,
        Tasks = json.array({
          {
            Name = "t",
            Driver = "raw_exec",
            Config = { command = "sh", args = json.array({ "-c", "true" }) },
          },
        }),
      },
    }),
  }
end

local function difference(change, ignore)
  local live = job()
  change(live)
  return compare.first_difference(job(), live, paths.compile(ignore))
end

describe("compare", function()
  it("ignores what only the live job has", function()
    assert.is_nil(difference(function(live)
      live.Status, live.Priority, live.Periodic.TimeZone = "running", 50, "UTC"
      live.TaskGroups[1].Tasks[1].KillTimeout = 5000000000
    end))
  end)

  it("finds changed values, and names their path", function()
    local found = difference(function(live)
      live.Periodic.Spec = "@hourly"
    end)
    assert.equal("Periodic.Spec", found.path)
    assert.equal("cron @hourly → @daily", compare.describe(found))
    found = difference(function(live)
      live.TaskGroups[1].Tasks[1].Config.args[2] = "false"
    end)
    assert.equal("TaskGroups[g].Tasks[t].Config.args[1]", found.path)
  end)

  it("matches groups and tasks by name, not by place", function()
    local want =
      { TaskGroups = json.array({ { Name = "a", Count = 1 }, { Name = "b", Count = 2 } }) }
    local have =
      { TaskGroups = json.array({ { Name = "b", Count = 2 }, { Name = "a", Count = 1 } }) }
    assert.is_nil(compare.first_difference(want, have))
    have.TaskGroups[1].Name = "c"
    assert.equal("TaskGroups[b]", compare.first_difference(want, have).path)
  end)

  it("sees an added or missing element of a list", function()
    assert.equal(
      "TaskGroups[g].Tasks[t].Config.args",
      difference(function(live)
        table.insert(live.TaskGroups[1].Tasks[1].Config.args, "more")
      end).path
    )
    assert.equal(
      "TaskGroups",
      difference(function(live)
        table.insert(live.TaskGroups, { Name = "extra" })
      end).path
    )
  end)

  it("takes nothing, zero and empty for the same", function()
    assert.is_nil(
      compare.first_difference({ A = "", B = 0, C = false, D = json.array({}), E = {} }, {})
    )
    assert.is_nil(compare.first_difference({ A = json.array({}) }, { A = json.null }))
    assert.equal("A", compare.first_difference({ A = 1 }, {}).path)
    assert.equal("A", compare.first_difference({ A = 0 }, { A = 1 }).path)
  end)

  it("leaves ignored paths out", function()
    local change = function(live)
      live.TaskGroups[1].Count = 7
    end
    assert.equal("TaskGroups[g].Count", difference(change).path)
    assert.is_nil(difference(change, { "TaskGroups[*].Count" }))
    assert.equal("TaskGroups[g].Count", difference(change, { "TaskGroups[other].Count" }).path)
  end)
end)
