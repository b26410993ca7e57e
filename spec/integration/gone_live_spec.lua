-- Jobs that a real Nomad purges or collects: no error, and no write that nobody needs.
local live = require "support.live"
local wait = require "support.wait"

describe("jobs that go from a real Nomad", function()
  local cluster, scripts, operator

  setup(function()
    cluster = live.cluster()
    scripts = live.scripts()
    operator = live.operator(cluster, scripts.dir)
  end)

  teardown(function()
    if operator then operator:stop() end
    if scripts then scripts.remove() end
    if cluster then cluster:close() end
  end)

  local function gone(id)
    wait.poll(live.patience, function()
      return ("job %s is still there; %s"):format(id, operator:said())
    end, function()
      return cluster:request("GET", "/v1/job/" .. id) == 404
    end)
  end

  -- A job that is stopped and then collected, with its stopped backup.
  local function collect(id)
    cluster:register(live.parameterized(id))
    live.expect(cluster, operator, "backup-" .. id, "@daily")
    cluster:stop("default", id)
    live.expect(cluster, operator, "backup-" .. id, nil)
    assert.equal(200, (cluster:request("PUT", "/v1/system/gc")))
    gone(id)
    gone("backup-" .. id)
  end

  it("are collected, owner and backup, without a write or an error", function()
    collect("collected")
    -- One more job, so that all that came before has been worked.
    cluster:register(live.parameterized("later"))
    live.expect(cluster, operator, "backup-later", "@daily")
    local said = operator:said()
    assert.is_nil(said:find("Error", 1, true), said)
    local _, mentions = said:gsub("backup%-collected", "")
    assert.equal(2, mentions, said) -- created, removed
  end)

  it("have a backup again when they come back", function()
    collect("again")
    cluster:register(live.parameterized("again"))
    local backup = live.expect(cluster, operator, "backup-again", "@daily")
    assert.equal(0, backup.Version)
  end)

  it("take their backup with them when they are purged", function()
    cluster:register(live.service("purged"))
    live.expect(cluster, operator, "backup-purged", "@daily")
    live.runs(cluster, "purged")
    cluster:stop("default", "purged", true)
    live.expect(cluster, operator, "backup-purged", nil)
  end)
end)
