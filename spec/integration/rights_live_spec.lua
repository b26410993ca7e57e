-- What a token may, asked of real Nomads with ACLs: namespaces that may only be read, where templates are parsed, and
-- registrations that are switched off.
local live = require "support.live"
local process = require "support.process"
local wait = require "support.wait"

local READ = { "read-job", "list-jobs" }
local WRITE = { "read-job", "list-jobs", "submit-job" }
local PROBE = "nomad-operator-asks-for-its-rights"

describe("the rights of a token", function()
  local cluster, operator, number = nil, nil, 0

  setup(function()
    cluster = live.cluster { acl = true }
    for _, name in ipairs { "a", "b", "c" } do cluster:namespace(name) end
  end)

  teardown(function()
    if cluster then cluster:close() end
  end)

  after_each(function()
    local one = operator
    operator = nil
    if one then one:stop() end
  end)

  local function token(namespaces)
    number = number + 1
    local policy = "policy-" .. number
    cluster:policy(policy, namespaces)
    return cluster:client_token(policy), policy
  end

  local function launch(secret, ...)
    local flags = { "run", "-log-format", "text" }
    for _, flag in ipairs { ... } do flags[#flags + 1] = flag end
    flags[#flags + 1] = "scripts"
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

  local function count(piece)
    local times = 0
    for _ in operator.stderr:gmatch(piece) do times = times + 1 end
    return times
  end

  it("let a namespace that may only be read wait, until it may be written", function()
    put("one", "a")
    put("two", "b")
    put("three", "b")
    local secret, policy = token { a = WRITE, b = READ }
    launch(secret)
    local sentence = "Namespace b may only be read with this token: "
      .. "the capability submit%-job is missing"
    operator:wait_for(sentence, 30)
    expect("one", "a")
    -- News of a job there changes nothing.
    put("four", "b")
    put("five", "a")
    expect("five", "a")
    for _, id in ipairs { "two", "three", "four" } do
      assert.is_nil(cluster:job("b", "backup-" .. id))
    end
    assert.equal(1, count(sentence))
    assert.equal(0, count("Nothing can be written"))
    assert.equal(0, count("Failed"))
    cluster:policy(policy, { a = WRITE, b = WRITE })
    expect("two", "b", 45)
    expect("three", "b")
    expect("four", "b")
    operator:wait_for("Namespace b can be written again", live.patience)
  end)

  it("are asked for without a trace", function()
    put("six", "c")
    local index = cluster:job("c", "six").JobModifyIndex
    local before = #cluster:get "/v1/evaluations?namespace=c"
    launch((token { c = READ }), "-namespace", "a", "-namespace", "c")
    -- Templates are parsed nowhere: it says so, and asks no more.
    operator:wait_for("grant the capability parse%-job %(or submit%-job%)", live.patience)
    operator:stop()
    launch((token { a = WRITE, c = READ }), "-namespace", "a", "-namespace", "c")
    operator:wait_for("Namespace c may only be read", live.patience)
    assert.is_nil(cluster:job("c", PROBE))
    assert.equal(index, cluster:job("c", "six").JobModifyIndex)
    assert.equal(before, #cluster:get "/v1/evaluations?namespace=c")
  end)

  it("to register without the right to plan are enough, where Nomad has such rights", function()
    if not live.at_least(11) then return end
    put("seven", "a")
    launch((token { a = { "read-job", "list-jobs", "parse-job", "register-job" } }))
    expect("seven", "a", 30)
    assert.equal(0, count("may only be read"))
  end)

  it("are those of everybody where there is no token", function()
    cluster:policy("anonymous", { a = { "read-job", "list-jobs", "parse-job" } })
    finally(function() cluster:request("DELETE", "/v1/acl/policy/anonymous") end)
    put("eight", "a")
    launch(nil)
    operator:wait_for("Namespace a may only be read with this token", 30)
    assert.is_nil(cluster:job("a", "backup-eight"))
  end)
end)

describe("the policy that acl prints", function()
  local cluster, operator, rules

  setup(function()
    cluster = live.cluster { acl = true }
    local code, text = process.run { process.program(), "acl", "scripts" }
    assert.equal(0, code)
    rules = text
  end)

  teardown(function()
    if cluster then cluster:close() end
  end)

  after_each(function()
    local one = operator
    operator = nil
    if one then one:stop() end
  end)

  local function launch(text, name)
    local status = cluster:request("POST", "/v1/acl/policy/" .. name, { Name = name, Rules = text })
    assert.equal(200, status)
    operator = process.operator {
      "run", "-log-format", "text", "scripts",
      env = { NOMAD_ADDR = cluster.address, NOMAD_TOKEN = cluster:client_token(name) },
    }
  end

  it("is enough for all that the backup policy does", function()
    launch(rules, "least")
    operator:wait_for("Synced", live.patience)
    cluster:register(live.parameterized("web"))
    live.expect(cluster, operator, "backup-web", "@daily")
    cluster:register(live.parameterized("web", {
      ["auto-backup"] = "true", ["backup-schedule"] = "@hourly",
    }))
    live.expect(cluster, operator, "backup-web", "@hourly")
    cluster:stop("default", "backup-web")
    live.expect(cluster, operator, "backup-web", "@hourly")
    operator:wait_for("Done", live.patience)
    cluster:stop("default", "web")
    live.expect(cluster, operator, "backup-web", false)
    for _, word in ipairs { "denies", "lacks", "warn", "error", "Failed" } do
      assert.not_matches(word, operator.stderr, 1, true)
    end
  end)

  it("has no line too many", function()
    local left, lines = {}, 0
    for capability in rules:gmatch '\n    "([%w-]+)"' do
      left[#left + 1] = capability
    end
    assert.same({ "list-jobs", "read-job", "submit-job" }, left)
    cluster:register(live.parameterized("two"))
    for _, capability in ipairs(left) do
      local without, count = rules:gsub('\n    "' .. capability:gsub("%-", "%%-") .. '"[^\n]*', "")
      assert.equal(1, count)
      launch(without, "without-" .. capability)
      operator:wait_for(capability:gsub("%-", "%%-"), 30)
      operator:stop()
      lines = lines + 1
    end
    assert.equal(3, lines)
    assert.is_nil(cluster:job("default", "backup-two"))
  end)
end)

describe("registrations that are switched off", function()
  local cluster, operator

  setup(function()
    cluster = live.cluster { acl = true }
  end)

  teardown(function()
    if operator then operator:stop() end
    if cluster then cluster:close() end
  end)

  local function freeze(on)
    local _, now = cluster:request("GET", "/v1/operator/scheduler/configuration")
    local config = now.SchedulerConfig
    config.RejectJobRegistration = on
    local status = cluster:request("PUT", "/v1/operator/scheduler/configuration", config)
    assert.equal(200, status)
  end

  it("are said once, nothing is made or removed meanwhile, and all is right afterwards", function()
    cluster:register(live.parameterized("old"))
    cluster:register(live.parameterized("new"))
    cluster:policy("w", { default = WRITE })
    local secret = cluster:client_token("w")
    operator = process.operator {
      "run", "-log-format", "text", "scripts",
      env = { NOMAD_ADDR = cluster.address, NOMAD_TOKEN = secret },
    }
    live.expect(cluster, operator, "backup-old", "@daily")
    live.expect(cluster, operator, "backup-new", "@daily")
    freeze(true)
    -- A management token may register all the same; ours may not.
    cluster:register(live.parameterized("late"))
    cluster:stop("default", "old")
    operator:wait_for("Nothing is made, changed or removed until it is over", live.patience)
    wait.pass(2)
    assert.is_nil(cluster:job("default", "backup-late"))
    assert.is_false(cluster:job("default", "backup-old").Stop)
    freeze(false)
    live.expect(cluster, operator, "backup-late", "@daily", { seconds = 40 })
    live.expect(cluster, operator, "backup-old", false, { seconds = 40 })
    assert.equal("@daily", live.schedule(cluster:job("default", "backup-new")))
    operator:wait_for("Nomad takes registrations again", live.patience)
    local _, times = operator.stderr:gsub("until it is over", "")
    assert.equal(1, times)
  end)
end)
