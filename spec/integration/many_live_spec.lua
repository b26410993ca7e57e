-- 200 jobs, 20 of them marked: one pass, no write without need, reloads, limits on removals, crashes, outages.
local live = require "support.live"
local process = require "support.process"
local wait = require "support.wait"

local marked = {}
for i = 1, 20 do marked[i] = ("marked-%02d"):format(i) end

describe("the operator beside 200 jobs", function()
  local cluster, scripts, operator

  setup(function()
    cluster = live.cluster()
    scripts = live.scripts()
    for i = 1, 180 do
      cluster:register(live.parameterized(("plain-%03d"):format(i), {}))
    end
    for _, id in ipairs(marked) do cluster:register(live.parameterized(id)) end
  end)

  teardown(function()
    if operator then operator:stop() end
    if scripts then scripts.remove() end
    if cluster then cluster:close() end
  end)

  local function backups()
    local found = {}
    for _, id in ipairs(marked) do
      local backup = cluster:job("default", "backup-" .. id)
      if live.schedule(backup) then found[#found + 1] = backup end
    end
    return found
  end

  -- Waits until exactly `count` backups have the schedule.
  local function expect(count, schedule)
    local found
    wait.poll(live.patience, function()
      return ("%d backups with %s wanted, %d there; %s"):format(count, schedule, found,
        operator:said())
    end, function()
      found = 0
      for _, backup in ipairs(backups()) do
        if live.schedule(backup) == schedule then found = found + 1 end
      end
      return found == count
    end)
  end

  local function versions()
    local list = {}
    for _, backup in ipairs(backups()) do list[#list + 1] = backup.Version end
    return list
  end

  local function all(version)
    local list = {}
    for i = 1, #marked do list[i] = version end
    return list
  end

  local function plan()
    local run = process.operator {
      "plan", "-log-format", "text", scripts.dir, env = { NOMAD_ADDR = cluster.address },
    }
    local code = run:wait(30)
    return code, run.stdout, run:said()
  end

  local function resyncs()
    operator:forget()
    operator:signal("sigusr1")
    return tonumber((operator:wait_for("(%d+) lists", live.patience)))
  end

  local function hangup()
    operator:forget()
    operator:signal("sighup")
  end

  local function stream_port()
    operator:forget()
    operator:signal("sigusr1")
    return operator:wait_for("port (%d+)", live.patience)
  end

  it("plans 20 backups and writes none", function()
    local code, stdout, said = plan()
    assert.equal(2, code, said)
    assert.truthy(stdout:find("20 to create, 0 to update, 0 to remove", 1, true), said)
    assert.same({}, backups())
  end)

  it("creates 20 backups in one pass, and plans nothing after it", function()
    operator = live.operator(cluster, scripts.dir)
    expect(20, "@daily")
    local code, _, said = plan()
    assert.equal(0, code, said)
  end)

  it("writes nothing on resyncs and after a restart", function()
    local before = resyncs()
    wait.poll(live.patience, "no resync", function() return resyncs() >= before + 2 end)
    live.stop(operator)
    operator = live.operator(cluster, scripts.dir)
    before = resyncs()
    wait.poll(live.patience, "no resync", function() return resyncs() >= before + 2 end)
    assert.same(all(0), versions())
    assert.is_nil(operator.stderr:find("Backup created", 1, true))
    assert.is_nil(operator.stderr:find("Backup updated", 1, true))
  end)

  it("takes a changed policy at SIGHUP, on the same stream", function()
    local port = stream_port()
    scripts.edit("backup.lua", function(text) return (text:gsub("@daily", "@weekly")) end)
    hangup()
    expect(20, "@weekly")
    assert.equal(port, stream_port())
    assert.same(all(1), versions())
  end)

  it("keeps the old rules when the new ones do not load, and names the line", function()
    scripts.edit("backup.lua", function(text) return text .. "\nlocal = 1\n" end)
    hangup()
    operator:wait_for("backup%.lua:%d+:", live.patience)
    cluster:register(live.parameterized("after-broken"))
    live.expect(cluster, operator, "backup-after-broken", "@weekly")
    scripts.edit("backup.lua", function(text) return (text:gsub("\nlocal = 1\n$", "")) end)
    hangup()
    operator:wait_for("has taken over", live.patience)
    assert.same(all(1), versions())
  end)

  it("removes at most 5 when a policy suddenly wants none, and puts all back", function()
    local kept
    scripts.edit("backup.lua", function(text)
      kept = text
      return (text:gsub("local function desired%b()", "%0 if true then return {} end", 1))
    end)
    hangup()
    operator:wait_for("is not removed", live.patience)
    local before = resyncs()
    wait.poll(live.patience, "no resync", function() return resyncs() >= before + 2 end)
    local left = 0
    for _, id in ipairs(cluster:job_ids("default")) do
      local found = id:find("^backup%-[^/]*$") and cluster:job("default", id)
      if found and not found.Stop then left = left + 1 end
    end
    scripts.edit("backup.lua", function() return kept end)
    hangup()
    expect(20, "@weekly")
    assert.equal(21 - 5, left)
  end)

  it("ends in the same state when it is killed at any moment", function()
    local wanted = {}
    for i, version in ipairs(versions()) do wanted[i] = version + 3 end
    for round, moment in ipairs { 0.05, 0.2, 0.5 } do
      local schedule = ({ "@hourly", "@daily", "@monthly" })[round]
      for _, id in ipairs(marked) do
        local meta = { ["auto-backup"] = "true", ["backup-schedule"] = schedule }
        cluster:register(live.parameterized(id, meta))
      end
      wait.pass(moment)
      operator:signal("sigkill")
      operator:wait(live.patience)
      operator = live.operator(cluster, scripts.dir)
      expect(20, schedule)
    end
    assert.same(wanted, versions())
  end)

  it("comes back by itself when Nomad was away, also as another cluster", function()
    operator:forget()
    cluster:halt()
    wait.pass(3)
    cluster:resume()
    cluster:register(live.parameterized(marked[1]))
    live.expect(cluster, operator, "backup-" .. marked[1], "@weekly", { seconds = 45 })
  end)

  it("waits for a Nomad that is not there yet", function()
    live.stop(operator)
    cluster:halt()
    operator = live.launch(cluster, scripts.dir)
    operator:wait_for("127%.0%.0%.1:" .. cluster.port, live.patience)
    cluster:resume()
    cluster:register(live.parameterized(marked[2]))
    live.expect(cluster, operator, "backup-" .. marked[2], "@weekly", { seconds = 45 })
  end)
end)
