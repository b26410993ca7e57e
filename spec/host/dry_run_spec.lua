-- -dry-run, judged by what the real binary sends: each thing that writes is done twice, and only the run without
-- -dry-run may be seen to write.
local process = require "support.process"
local served = require "support.served"
local wait = require "support.wait"
local wire = require "support.wire"

local patience = 40

-- VERSION is what a child runs; KIND its type; WANTED false: no children at all.
local POLICY = [[
local operator = require "operator"
local jobs = require "nomad.jobs"
local nomad = require "nomad"

local function child(job)
  local late = VERSION == "two"
  return {
    ID = "c-" .. job.ID, Type = job.Meta.reshape and late and "service" or "batch",
    Datacenters = { "dc1" },
    Periodic = job.Meta.cron and { Spec = "@daily", SpecType = "cron" } or nil,
    TaskGroups = { { Name = "g", Tasks = {
      { Name = "t", Driver = "raw_exec",
      Config = { command = job.Meta.plain and "true" or VERSION } },
    } } },
  }
end

local function everything(id)
  jobs.force("default", id)
  jobs.deregister("default", id .. "-none", { purge = true })
  for _, method in ipairs { "PUT", "POST", "DELETE" } do
    nomad.request(method, "/v1/job/" .. id .. "/dispatch", { body = {} })
    nomad.request(method, "/v1/job/" .. id .. "/periodic/force")
  end
end

return {
  operator.policy {
    name = "p", replace = true, stop_runs = true, purge = true,
    watch = { topic = "Job", where = { Meta = { child = operator.present } } },
    desired = function(job)
      if job.Stop or (VERSION == "two" and job.Meta.unwanted) then return {} end
      return { child(job) }
    end,
  },
  VERSION == "two" and operator.policy {
    name = "free", watch = { topic = "Job", where = { Meta = { free = operator.present } } },
    reconcile = function(job) everything(job.ID) end,
    on = { JobRegistered = function(event) everything(event.id or "handled") end },
    every = { ["1s"] = function() everything "timed" end },
    on_start = function() everything "started" end,
    on_stop = function() everything "stopped" end,
  } or nil,
}
]]

-- Every function of lib/nomad, called; what is new there and not named here fails the spec.
local CALLS = [[
local json = require "host.json"
local nomad = require "nomad"
local job = {
  ID = "made", Namespace = "default", Type = "batch", Datacenters = { "dc1" },
  ParameterizedJob = {},
  TaskGroups = { { Name = "g", Tasks = { { Name = "t", Driver = "raw_exec",
  Config = { command = "x" } } } } },
}
local arguments = {
  jobs = {
    get = { "default", "web" }, list = {}, index = {}, register = { job }, strip = { job },
    register_text = { json.encode(job), "default", 0 },
    stop = { job },
    deregister = { "default", "made", { purge = true } }, parse = { "job \"x\" {}" },
    plan = { job },
    validate = { job }, force = { "default", "web" },
  },
  allocations = { list = {}, get = { "default", "x" } },
  deployments = { list = {}, get = { "default", "x" } },
  evaluations = { list = {}, get = { "default", "x" } },
  namespaces = { list = {}, each = {}, names = {}, get = { "default" } },
  nodes = { list = {}, get = { "x" } },
  node_pools = { list = {}, get = { "x" } },
  services = {
    list = {}, registrations = { "default", "s" }, get = { "default", "s", "x" },
  },
  variables = { list = {}, get = { "default", "x" } },
  volumes = {
    csi_list = {}, host_list = {}, plugin_list = {}, csi_get = { "default", "x" },
    host_get = { "default", "x" }, plugin_get = { "x" },
  },
  acl = { are_off = {}, own_rules = {}, list = { "binding-rule" }, get = { "auth-method", "x" } },
}
local count = 0
for module, functions in pairs(arguments) do
  for name, fn in pairs(require("nomad." .. module)) do
    if type(fn) == "function" then
      local given = functions[name]
      if not given then error("no arguments for nomad." .. module .. "." .. name) end
      local result = fn(table.unpack(given))
      if type(result) == "table" and name == "list" and result.close then result:close() end
      count = count + 1
    end
  end
end
local paths = {
  "/v1/jobs", "/v1/job/web", "/v1/job/web/dispatch", "/v1/job/web/evaluate", "/v1/job/web/revert",
  "/v1/job/web/stable", "/v1/job/web/scale", "/v1/job/web/periodic/force",
  "/v1/job/web/versions/x/tag",
  "/v1/system/gc", "/v1/system/reconcile/summaries", "/v1/namespaces", "/v1/namespace/default",
  "/v1/var/a",
  "/v1/acl/token", "/v1/acl/policy/x", "/v1/node/x/drain", "/v1/node/x/eligibility",
  "/v1/node/x/purge",
  "/v1/deployment/fail/x", "/v1/allocation/x/stop", "/v1/client/gc",
  "/v1/client/allocation/x/restart",
  "/v1/operator/scheduler/configuration", "/v1/operator/snapshot", "/v1/search/../jobs",
  "/v1/jobs/parse/../x",
}
for _, method in ipairs { "PUT", "POST", "DELETE", "PATCH" } do
  for _, path in ipairs(paths) do
    pcall(nomad.request, method, path, { body = { Job = job } })
    count = count + 1
  end
end
pcall(nomad.request, "GET", "/v1/client/gc")
require("host").print("called " .. count .. "\n")
]]

local s, on_wire, dir

before_each(function()
  s = served.start()
  on_wire = wire.start(s.server.port)
  dir = os.tmpname()
  os.remove(dir)
  assert(os.execute("mkdir " .. dir))
end)

after_each(function()
  os.execute("rm -rf " .. dir)
  on_wire:close()
  s:close()
end)

local function write(name, text)
  local file <close> = assert(io.open(dir .. "/" .. name, "w"))
  file:write(text)
  return dir .. "/" .. name
end

local function put(id, meta)
  meta.child = "true"
  s.nomad:register {
    ID = id,
    Name = id,
    Type = "batch",
    Datacenters = { "dc1" },
    ParameterizedJob = {},
    Meta = meta,
    TaskGroups = {
      { Name = "g", Tasks = { { Name = "t", Driver = "raw_exec", Config = { command = "x" } } } },
    },
  }
end

local function policy(version)
  return write("p.lua", ("local VERSION = %q\n%s"):format(version, POLICY))
end

local function start(address, ...)
  return process.operator {
    "run",
    "-log-format",
    "text",
    "-address",
    address,
    "-max-delete",
    "100",
    ...,
  }
end

local function stop(operator)
  operator:signal "sigterm"
  assert.equal(0, operator:wait(patience), operator:said())
end

local function child(id)
  return s.nomad:job("default", "c-" .. id)
end

-- Children as the first version wants them; then what the second has to do.
local function prepare()
  for _, id in ipairs { "changed", "drifted", "gone", "unwanted", "reshaped", "running", "same" } do
    put(id, {
      plain = (id == "same" or id == "drifted") and "1" or nil,
      unwanted = id == "unwanted" and "1" or nil,
      reshape = id == "reshaped" and "1" or nil,
      cron = id == "running" and "1" or nil,
    })
  end
  local operator = start(s.server.address, policy "one")
  wait.until_true(patience, function()
    return "not all made; " .. operator:said()
  end, function()
    return child "same"
      and child "drifted"
      and child "gone"
      and child "unwanted"
      and child "reshaped"
      and child "running"
      and child "changed"
  end)
  stop(operator)
  local drifted = child "drifted"
  drifted.TaskGroups[1].Tasks[1].Config.command = "theirs"
  s.nomad:register(drifted)
  s.nomad:stop("default", "gone")
  s.nomad:force("default", "c-running")
  s.nomad:stop("default", "running")
  put("new", {})
  s.nomad:register {
    ID = "c-adopted",
    Name = "c-adopted",
    Type = "batch",
    Datacenters = { "dc1" },
    Meta = { ["operator-adopt"] = "p" },
    TaskGroups = {
      { Name = "g", Tasks = { { Name = "t", Driver = "raw_exec", Config = { command = "x" } } } },
    },
  }
  put("adopted", {})
  put("free", { free = "1" })
  policy "two"
end

local function has(list, pattern)
  for _, line in ipairs(list) do
    if line:find(pattern) then
      return true
    end
  end
  return false
end

-- What the second version writes; the patterns are of "METHOD target".
local WRITES = {
  "^POST /v1/jobs%?",
  "^DELETE /v1/job/c%-reshaped%?",
  "^DELETE /v1/job/c%-running%%2F",
  "^DELETE /v1/job/c%-same%?",
  "^PUT /v1/job/[%w-]+/periodic/force",
  "^POST /v1/job/started/dispatch",
  "^PUT /v1/job/free/dispatch",
  "^DELETE /v1/job/timed/dispatch",
  "^PUT /v1/job/stopped/dispatch",
}

describe("a whole operator", function()
  it("writes, without -dry-run, all that the next test forbids", function()
    prepare()
    local operator = start(on_wire.address, dir)
    wait.until_true(patience, function()
      return operator:said()
    end, function()
      return child "new" and child("gone").Stop and child("unwanted").Stop and child("running").Stop
    end)
    -- What a removal leaves is purged where the owner's own change asked for it.
    s.nomad:stop("default", "same")
    wait.until_true(patience, function()
      return table.concat(on_wire:writes(), "\n") .. operator:said()
    end, function()
      for i, pattern in ipairs(WRITES) do
        if i < #WRITES and not has(on_wire:writes(), pattern) then
          return false
        end
      end
      return child("drifted").TaskGroups[1].Tasks[1].Config.command == "true"
    end)
    stop(operator)
    for _, pattern in ipairs(WRITES) do
      assert.is_true(has(on_wire:writes(), pattern), pattern)
    end
  end)

  it("sends only reads with -dry-run", function()
    prepare()
    local operator = start(on_wire.address, "-dry-run", dir)
    -- In any order.
    local wanted = {
      "would be created: c%-new",
      "would be updated: c%-changed",
      "would be updated: c%-drifted",
      "would be updated: c%-reshaped",
      "would be removed: c%-gone",
      "would be removed: c%-unwanted",
      "would be removed: c%-running",
      "would be %l+: c%-adopted",
    }
    wait.until_true(patience, function()
      return operator:said()
    end, function()
      for _, pattern in ipairs(wanted) do
        if not operator.stderr:find(pattern) then
          return false
        end
      end
      return true
    end)
    put("late", {})
    operator:wait_for("would be created: c%-late", patience)
    s.nomad:stop("default", "same")
    operator:wait_for("would be removed: c%-same", patience)
    operator:signal "sigusr2"
    operator:wait_for("Approved", patience)
    operator:signal "sighup"
    operator:wait_for("generation 2 has taken over", patience)
    stop(operator)
    assert.is_true(#on_wire.requests > 10)
    assert.same({}, on_wire:writes())
    assert.is_nil(child "late")
    assert.is_nil(child "new")
  end)
end)

describe("a program", function()
  local function exec(...)
    local path = write("all.lua", CALLS)
    local words = { process.program(), "exec", "-address", on_wire.address, seconds = patience }
    for _, word in ipairs { ... } do
      words[#words + 1] = word
    end
    words[#words + 1] = path
    local code, out, err = process.run(words)
    assert.equal(0, code, err)
    assert.is_true(tonumber(out:match "called (%d+)") > 100)
  end

  it("writes without -dry-run", function()
    exec("-write-rate", "0")
    assert.is_true(#on_wire:writes() > 80, #on_wire:writes())
  end)

  it("writes nothing with -dry-run, whatever it calls", function()
    exec "-dry-run"
    assert.same({}, on_wire:writes())
    assert.is_true(#on_wire.requests > 15, #on_wire.requests)
  end)
end)

describe("prune", function()
  local function leave()
    put("left", {})
    local operator = start(s.server.address, policy "one")
    wait.until_true(patience, function()
      return operator:said()
    end, function()
      return child "left"
    end)
    stop(operator)
  end

  local function prune(...)
    local words = { process.program(), "prune", "-address", on_wire.address, seconds = patience }
    for _, word in ipairs { ... } do
      words[#words + 1] = word
    end
    words[#words + 1] = "scripts/backup.lua"
    return process.run(words)
  end

  it("writes without -dry-run, and nothing with it, also after a yes", function()
    leave()
    for _, more in ipairs { "-yes", "-release" } do
      local code, out = prune("-dry-run", "-yes", more)
      assert.equal(2, code)
      assert.matches("c-left", out, 1, true)
    end
    assert.same({}, on_wire:writes())
    assert.equal(0, (prune "-yes"))
    assert.is_true(#on_wire:writes() > 0)
  end)

  it("is asked by plan without a write", function()
    leave()
    local code = process.run {
      process.program(),
      "plan",
      "-address",
      on_wire.address,
      dir,
      seconds = patience,
    }
    assert.equal(0, code)
    put("more", {})
    code = process.run {
      process.program(),
      "plan",
      "-address",
      on_wire.address,
      dir,
      seconds = patience,
    }
    assert.equal(2, code)
    assert.same({}, on_wire:writes())
  end)
end)
