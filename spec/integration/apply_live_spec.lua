-- What a real Nomad does with children: a service under restarts and reloads keeps its allocations, runs finish or are
-- stopped, shapes are replaced, the budget holds over kill -9, two operators do not flap.
local uv = require "luv"
local live = require "support.live"
local process = require "support.process"
local wait = require "support.wait"

-- One child a job, as its meta says.
local POLICY = [[
local operator = require "operator"
local function child(job)
  local meta = job.Meta
  return {
    ID = "c-" .. job.ID, Type = meta.type or "batch", Datacenters = { "dc1" },
    Periodic = meta.cron and { Spec = meta.cron, SpecType = "cron" } or nil,
    TaskGroups = { { Name = "g", Count = tonumber(meta.count or "1"), Tasks = {
      { Name = "t", Driver = "raw_exec",
        Config = { command = "/bin/sleep", args = { meta.seconds or "3600" } },
        Resources = { CPU = 20, MemoryMB = 16 } },
    } } },
  }
end
return operator.policy {
  name = "p", watch = { topic = "Job", where = { Meta = { child = "true" } } }, resync = "1s",
  ignore = { "TaskGroups[*].Tasks[*].Env.THEIRS" }, replace = true,
  desired = function(job)
    if job.Stop or job.Meta.none then return {} end
    return { child(job) }
  end,
}
]]

describe("apply on a real Nomad", function()
  local cluster, dir, operator

  local function write(name, text)
    local file = assert(io.open(("%s/%s"):format(dir, name), "w"))
    file:write(text)
    file:close()
  end

  local function policy(text)
    write(".p.lua", text)
    assert(os.rename(dir .. "/.p.lua", dir .. "/p.lua"))
  end

  setup(function()
    cluster = live.cluster()
    dir = assert(uv.fs_mkdtemp((os.getenv "TMPDIR" or "/tmp") .. "/nomad-operator-apply-XXXXXX"))
    policy(POLICY)
    operator = live.operator(cluster, dir)
  end)

  teardown(function()
    if operator then operator:stop() end
    if cluster then cluster:close() end
    if dir then process.run { "rm", "-rf", dir } end
  end)

  local function source(id, meta)
    local all = { child = "true", ["auto-backup"] = "false" }
    for name, value in pairs(meta or {}) do all[name] = value end
    return live.parameterized(id, all)
  end

  local function poll(what, fn)
    return wait.poll(live.patience, function() return what .. "; " .. operator:said() end, fn)
  end

  local function alive(id)
    local job = cluster:job("default", id)
    return job and not job.Stop and job or nil
  end

  -- The IDs of the allocations that should run, sorted; nil while one of them does not.
  local function allocations(id)
    local ids = {}
    for _, alloc in ipairs(cluster:get("/v1/job/" .. id .. "/allocations")) do
      if alloc.DesiredStatus == "run" then
        if alloc.ClientStatus ~= "running" then return nil end
        ids[#ids + 1] = alloc.ID
      end
    end
    table.sort(ids)
    return ids
  end

  local function lists()
    operator:forget()
    operator:signal "sigusr1"
    return tonumber((operator:wait_for("(%d+) lists", live.patience)))
  end

  -- Waits for two more lists: whatever there was to do is done.
  local function two_lists()
    local before = lists()
    poll("no resync", function() return lists() >= before + 2 end)
  end

  local function kill()
    operator:signal "sigkill"
    operator:wait(live.patience)
  end

  local function hangup()
    operator:forget()
    operator:signal "sighup"
  end

  local function another_lib()
    assert(process.run { "cp", "-R", "lib", dir .. "/lib" } == 0)
    local path = dir .. "/lib/operator/marks.lua"
    local file = assert(io.open(path))
    local text = file:read "a"
    file:close()
    local changed = text:gsub('HASH_VERSION = "1"', 'HASH_VERSION = "2"')
    assert(changed ~= text)
    write("lib/operator/marks.lua", changed)
    return dir .. "/lib"
  end

  local function run(...)
    local started = process.operator {
      env = { NOMAD_ADDR = cluster.address }, "run", "-log-format", "text", ...
    }
    started:wait_for("Synced", live.patience)
    return started
  end

  it("keeps the allocations of a service child over reloads, restarts and a new hash", function()
    cluster:register(source("web", { type = "service", count = "3" }))
    cluster:register(source("tick", { cron = "0 0 1 1 *" }))
    local before
    poll("no three allocations", function()
      before = alive "c-web" and allocations "c-web"
      return before and #before == 3
    end)
    local version = alive("c-web").Version
    local index = alive("c-tick").JobModifyIndex
    for _ = 1, 25 do
      hangup()
      operator:wait_for("has taken over", live.patience)
    end
    for i = 1, 25 do
      if i % 2 == 0 then kill() else live.stop(operator) end
      operator = live.operator(cluster, dir)
    end
    live.stop(operator)
    operator = run("-lib", another_lib(), dir)
    two_lists()
    assert.same(before, allocations "c-web")
    assert.equal(version, alive("c-web").Version)
    assert.equal(index, alive("c-tick").JobModifyIndex)
    live.stop(operator)
    operator = live.operator(cluster, dir)
    two_lists()
    assert.same(before, allocations "c-web")
  end)

  it("keeps what it ignores when it writes", function()
    cluster:register(source("ignored", { cron = "0 0 1 1 *" }))
    poll("not made", function() return alive "c-ignored" end)
    local child = alive "c-ignored"
    child.TaskGroups[1].Tasks[1].Env = { THEIRS = "x" }
    cluster:register(child)
    two_lists()
    local version = alive("c-ignored").Version
    cluster:register(source("ignored", { cron = "0 0 2 1 *" }))
    poll("not updated", function() return live.schedule(alive "c-ignored") == "0 0 2 1 *" end)
    assert.equal(version + 1, alive("c-ignored").Version)
    assert.same({ THEIRS = "x" }, alive("c-ignored").TaskGroups[1].Tasks[1].Env)
  end)

  it("replaces a child of another shape, and back", function()
    cluster:register(source("shape", { cron = "0 0 1 1 *" }))
    poll("not made", function() return alive "c-shape" end)
    cluster:register(source("shape", { type = "service" }))
    poll("no service", function()
      local child = alive "c-shape"
      return child and child.Type == "service" and #(allocations "c-shape" or {}) == 1
    end)
    cluster:register(source("shape", { cron = "0 0 1 1 *" }))
    poll("not periodic again", function() return live.schedule(alive "c-shape") end)
    two_lists()
    assert.equal(0, alive("c-shape").Version)
  end)

  local function running(id)
    for _, stub in ipairs(cluster:get "/v1/jobs") do
      if stub.ParentID == id and stub.Status == "running" then return stub.ID end
    end
  end

  local function with_run(id)
    cluster:register(source(id, { cron = "0 0 1 1 *" }))
    poll("not made", function() return alive("c-" .. id) end)
    assert.equal(200, (cluster:request("PUT", "/v1/job/c-" .. id .. "/periodic/force")))
    poll("no run", function() return running("c-" .. id) end)
  end

  it("lets a running run of a removed child finish, or stops it with stop_runs", function()
    with_run "finish"
    cluster:stop("default", "finish", true)
    poll("not removed", function() return not alive "c-finish" end)
    two_lists()
    assert.is_string(running "c-finish")
    policy((POLICY:gsub("replace = true,", "replace = true, stop_runs = true,")))
    hangup()
    operator:wait_for("has taken over", live.patience)
    with_run "stopped"
    cluster:stop("default", "stopped", true)
    poll("not removed", function() return not alive "c-stopped" end)
    poll("the run goes on", function() return not running "c-stopped" end)
    policy(POLICY)
    hangup()
    operator:wait_for("has taken over", live.patience)
  end)

  it("takes a job over that asks for it", function()
    cluster:register(source("c-mine", { child = "no", ["operator-adopt"] = "p" }))
    cluster:register(source("mine", { type = "batch" }))
    poll("not adopted", function()
      local job = alive "c-mine"
      return job and job.Meta["operator-owner"] == "default/mine"
    end)
  end)

  it("removes five in all in a crash loop, and the rest after SIGUSR2", function()
    for _, id in ipairs(cluster:job_ids "default") do
      if not id:find "/" and not id:find "^c%-" then cluster:stop("default", id, true) end
    end
    local function children()
      local count = 0
      for _, stub in ipairs(cluster:get "/v1/jobs") do
        if stub.ID:find "^c%-[^/]+$" and not stub.Stop then count = count + 1 end
      end
      return count
    end
    -- They go because their owners went, which costs nothing as long as the operator that saw it lives.
    poll("not removed", function() return children() == 0 end)
    for i = 1, 10 do cluster:register(source("job-" .. i, { cron = "0 0 1 1 *" })) end
    poll("not made", function() return children() == 10 end)
    kill()
    policy((POLICY:gsub("if job.Stop", "if true")))
    for _ = 1, 3 do
      operator = live.operator(cluster, dir)
      operator:wait_for("is not removed", live.patience)
      two_lists()
      assert.equal(5, children())
      kill()
    end
    operator = live.operator(cluster, dir)
    operator:wait_for("is not removed", live.patience)
    two_lists()
    operator:signal "sigusr2"
    poll("not approved", function() return children() == 0 end)
    live.stop(operator)
    policy(POLICY)
    operator = live.operator(cluster, dir)
    poll("not back", function() return children() == 10 end)
  end)

  it("does not flap beside a second operator, of the same instance or another", function()
    local second = run(dir)
    finally(function() second:stop() end)
    cluster:register(source("both", { cron = "0 0 1 1 *" }))
    poll("not made", function() return alive "c-both" end)
    cluster:register(source("both", { cron = "0 0 2 1 *" }))
    poll("not updated", function() return live.schedule(alive "c-both") == "0 0 2 1 *" end)
    -- Nomad looks at EnforceIndex before it applies a write, not while: two writes of one moment both pass. So each
    -- of the two operators may have written each of the two states once; after that nothing moves.
    two_lists()
    local version = alive("c-both").Version
    assert.is_true(version >= 1 and version <= 3, operator:said() .. second:said())
    two_lists()
    two_lists()
    assert.equal(version, alive("c-both").Version, operator:said() .. second:said())
    second:stop()
    local other = run("-instance", "other", dir)
    finally(function() other:stop() end)
    other:wait_for("belongs to operator instance default", live.patience)
    two_lists()
    assert.equal(version, alive("c-both").Version)
    other:stop()
  end)

  it("writes nothing in 30 resyncs and reloads of an unchanged state", function()
    local function look()
      local list = {}
      for _, stub in ipairs(cluster:get "/v1/jobs") do
        list[#list + 1] = ("%s %d %s"):format(stub.ID, stub.JobModifyIndex, stub.Stop)
      end
      return list
    end
    local before = look()
    for _ = 1, 20 do
      hangup()
      operator:wait_for("has taken over", live.patience)
    end
    poll("no resyncs", function() return lists() >= 10 end)
    assert.same(before, look())
  end)
end)
