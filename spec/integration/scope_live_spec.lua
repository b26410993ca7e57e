-- Namespaces that come and go, tokens that may not read all of them, and refusals that Nomad hides.
local live = require "support.live"
local process = require "support.process"
local wait = require "support.wait"
local uv = require "luv"

local RIGHTS = { "read-job", "list-jobs", "submit-job", "parse-job" }

describe("the operator's scope", function()
  local cluster, operator, number, script = nil, nil, 0, nil

  setup(function()
    cluster = live.cluster { acl = true }
    for _, name in ipairs { "a", "b", "c" } do cluster:namespace(name) end
  end)

  teardown(function()
    if cluster then cluster:close() end
  end)

  before_each(function()
    script = "scripts"
  end)

  after_each(function()
    local one = operator
    operator = nil
    if one then one:stop() end
  end)

  -- A token of its own for each test: changing its policy disturbs no other.
  local function token(namespaces)
    number = number + 1
    local policy = "policy-" .. number
    cluster:policy(policy, namespaces)
    return cluster:client_token(policy), policy
  end

  local function launch(secret, ...)
    local flags = { "run", "-log-format", "text" }
    for _, flag in ipairs { ... } do flags[#flags + 1] = flag end
    flags[#flags + 1] = script
    flags.env = { NOMAD_ADDR = cluster.address, NOMAD_TOKEN = secret }
    operator = process.operator(flags)
  end

  local function put(id, namespace)
    local job = live.parameterized(id)
    job.Namespace = namespace
    cluster:register(job)
  end

  local function expect(id, namespace, seconds)
    return live.expect(cluster, operator, "backup-" .. id, "@daily", {
      namespace = namespace, seconds = seconds,
    })
  end

  local function newer() return live.at_least(11) end

  it("takes in a namespace that is made while it runs, within 30 s", function()
    launch(cluster.token)
    operator:wait_for("Synced", live.patience)
    cluster:namespace "fresh"
    put("early", "fresh")
    expect("early", "fresh", 30)
    operator:wait_for("Subscribing anew: namespace fresh is new", live.patience)
    operator:wait_for("Connected", live.patience)
    -- By an event: the next list is far away.
    put("late", "fresh")
    expect("late", "fresh", 5)
  end)

  it("is what -namespace says, with a token for no more", function()
    put("one", "a")
    put("two", "b")
    put("three", "c")
    launch((token { a = RIGHTS, b = RIGHTS }), "-namespace", "a", "-namespace", "b")
    operator:wait_for("Synced", live.patience)
    expect("one", "a")
    expect("two", "b")
    put("four", "b")
    expect("four", "b", 5)
    assert.is_nil(cluster:job("c", "backup-three"))
    assert.not_matches("denies it", operator.stderr)
    assert.not_matches("error", operator.stderr)
  end)

  it("is what the token may read where it may not read all", function()
    put("five", "a")
    script = "spec/fixtures/policies/watcher.lua"
    launch((token { a = RIGHTS, b = RIGHTS }))
    operator:wait_for("saw five", 20)
    if newer() then
      operator.seen = 1
      operator:wait_for("the token may not read every namespace; a stream for each", 20)
      operator:wait_for("Connected to the event stream of %S+, namespace", live.patience)
    end
    put("six", "b")
    operator:wait_for("saw six", 5)
    local _, times = operator.stderr:gsub("No event stream", "")
    assert.equal(newer() and 1 or 0, times)
  end)

  it("loses a namespace with the token's right to it, and nothing in it", function()
    put("seven", "a")
    put("eight", "b")
    local secret, policy = token { a = RIGHTS, b = RIGHTS }
    launch(secret, "-namespace", "a", "-namespace", "b")
    expect("seven", "a")
    local before = expect("eight", "b")
    operator:forget()
    cluster:policy(policy, { a = RIGHTS })
    operator:wait_for("amespace b", 30)
    put("nine", "a")
    expect("nine", "a")
    operator:signal "sighup"
    operator:wait_for("generation 2 has taken over", live.patience)
    put("ten", "a")
    expect("ten", "a")
    assert.equal(before.Version, cluster:job("b", "backup-eight").Version)
    cluster:policy(policy, { a = RIGHTS, b = RIGHTS })
    put("eleven", "b")
    expect("eleven", "b", 60)
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
    end)
    script = "spec/fixtures/policies/watcher.lua"
    for i, case in ipairs(cases) do
      launch((token(case.rights)), table.unpack(case.flags or {}))
      started[i], operator = operator, nil
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
    put("twelve", "a")
    operator = process.operator {
      "run", "-log-format", "text", "-token-file", path, "scripts",
      env = { NOMAD_ADDR = cluster.address },
    }
    operator:wait_for("No event stream", 15)
    write(cluster.token)
    operator:wait_for("has changed and is used from now on", 15)
    expect("twelve", "a", 5)
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
