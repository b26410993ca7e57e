-- Namespaces that come and go, tokens that may not read all of them, and refusals that Nomad hides.
local live = require "support.live"
local process = require "support.process"
local tenants = require "support.tenants"
local wait = require "support.wait"
local uv = require "luv"

local RIGHTS = { "read-job", "list-jobs", "submit-job", "parse-job" }

describe("the operator's scope", function()
  local shared

  setup(function() shared = tenants.new() end)
  teardown(function()
    if shared then shared:close() end
  end)
  after_each(function() shared:reset() end)

  local function newer() return live.at_least(11) end

  it("takes in a namespace that is made while it runs, within 30 s", function()
    local operator = shared:launch(shared.cluster.token)
    operator:wait_for("Synced", live.patience)
    shared.cluster:namespace "fresh"
    shared:put("early", "fresh")
    shared:expect("early", "fresh", 30)
    operator:wait_for("Subscribing anew: namespace fresh is new", live.patience)
    operator:wait_for("Connected", live.patience)
    -- By an event: the next list is far away.
    shared:put("late", "fresh")
    shared:expect("late", "fresh", 5)
  end)

  it("is what -namespace says, with a token for no more", function()
    shared:put("one", "a")
    shared:put("two", "b")
    shared:put("three", "c")
    local secret = shared:token { a = RIGHTS, b = RIGHTS }
    local operator = shared:launch(secret, "-namespace", "a", "-namespace", "b")
    operator:wait_for("Synced", live.patience)
    shared:expect("one", "a")
    shared:expect("two", "b")
    shared:put("four", "b")
    shared:expect("four", "b", 5)
    assert.is_nil(shared.cluster:job("c", "backup-three"))
    assert.not_matches("denies it", operator.stderr)
    assert.not_matches("error", operator.stderr)
  end)

  it("is what the token may read where it may not read all", function()
    shared:put("five", "a")
    shared.script = "spec/fixtures/policies/watcher.lua"
    local operator = shared:launch((shared:token { a = RIGHTS, b = RIGHTS }))
    operator:wait_for("saw five", 20)
    if newer() then
      operator.seen = 1
      operator:wait_for("the token may not read every namespace; a stream for each", 20)
      operator:wait_for("Connected to the event stream of %S+, namespace", live.patience)
    end
    shared:put("six", "b")
    operator:wait_for("saw six", 5)
    local _, times = operator.stderr:gsub("No event stream", "")
    assert.equal(newer() and 1 or 0, times)
  end)

  it("loses a namespace with the token's right to it, and nothing in it", function()
    shared:put("seven", "a")
    shared:put("eight", "b")
    local secret, policy = shared:token { a = RIGHTS, b = RIGHTS }
    local operator = shared:launch(secret, "-namespace", "a", "-namespace", "b")
    shared:expect("seven", "a")
    local before = shared:expect("eight", "b")
    operator:forget()
    shared.cluster:policy(policy, { a = RIGHTS })
    operator:wait_for("amespace b", 30)
    shared:put("nine", "a")
    shared:expect("nine", "a")
    operator:signal "sighup"
    operator:wait_for("generation 2 has taken over", live.patience)
    shared:put("ten", "a")
    shared:expect("ten", "a")
    assert.equal(before.Version, shared.cluster:job("b", "backup-eight").Version)
    shared.cluster:policy(policy, { a = RIGHTS, b = RIGHTS })
    shared:put("eleven", "b")
    shared:expect("eleven", "b", 60)
  end)

  -- What is wrong must be said in time, also where Nomad answers 200 and nothing else.
  it("names the capability that is missing, within 15 s", function()
    local cases = {
      { rights = { a = { "list-jobs" } }, "read-job", "every namespace" },
      { rights = { a = RIGHTS, b = { "list-jobs" } }, "read-job", 'namespace "b"',
        flags = { "-namespace", "a", "-namespace", "b" } },
      { rights = { a = RIGHTS }, "list-jobs", 'namespace "c"', flags = { "-namespace", "c" } },
    }
    local started = {}
    finally(function()
      for _, one in ipairs(started) do one:stop() end
      shared.operator = nil
    end)
    shared.script = "spec/fixtures/policies/watcher.lua"
    for i, case in ipairs(cases) do
      local secret = shared:token(case.rights)
      started[i] = shared:launch(secret, table.unpack(case.flags or {}))
    end
    local deadline = uv.now() + 15000
    for i, case in ipairs(cases) do
      local left = math.max(0.01, (deadline - uv.now()) / 1000)
      local capability, place = started[i]:wait_for("the token lacks (%S+) in ([^,]+),", left)
      assert.same({ case[1], case[2] }, { capability, place })
    end
  end)

  it("comes back with another token in the file", function()
    local path = os.tmpname()
    local function write(secret)
      local file = assert(io.open(path, "w"))
      file:write(secret)
      file:close()
    end
    write "00000000-0000-0000-0000-000000000000"
    shared:put("twelve", "a")
    local operator = process.operator {
      "run", "-log-format", "text", "-token-file", path, "scripts",
      env = { NOMAD_ADDR = shared.cluster.address },
    }
    shared.operator = operator
    operator:wait_for("No event stream", 15)
    write(shared.cluster.token)
    operator:wait_for("has changed and is used from now on", 15)
    shared:expect("twelve", "a", 5)
    os.remove(path)
  end)
end)

describe("a Nomad without an event broker", function()
  local cluster, operator

  setup(function()
    cluster = live.cluster { config = "server {\n  enable_event_broker = false\n}\n" }
  end)

  teardown(function()
    if operator then operator:stop() end
    if cluster then cluster:close() end
  end)

  it("is listed as soon as something changes", function()
    operator = live.launch(cluster)
    -- The newer ones say nothing at all, and that twice.
    operator:wait_for("Synced", 40)
    for i = 1, 3 do
      wait.pass(1.5)
      cluster:register(live.parameterized("job-" .. i))
      live.expect(cluster, operator, "backup-job-" .. i, "@daily", { seconds = 3 })
    end
    local _, times = operator.stderr:gsub("listing instead", "")
    assert.equal(1, times)
  end)
end)
