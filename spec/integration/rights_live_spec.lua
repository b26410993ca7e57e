-- What a token may, asked of real Nomads with ACLs: namespaces that may only be read, where templates are parsed, and
-- registrations that are switched off.
local live = require "support.live"
local process = require "support.process"
local tenants = require "support.tenants"
local wait = require "support.wait"

local READ = { "read-job", "list-jobs" }
local WRITE = { "read-job", "list-jobs", "submit-job" }
local PROBE = "nomad-operator-asks-for-its-rights"

describe("the rights of a token", function()
  local shared

  setup(function() shared = tenants.new() end)
  teardown(function()
    if shared then shared:close() end
  end)
  after_each(function() shared:reset() end)

  local function count(piece)
    local times = 0
    for _ in shared.operator.stderr:gmatch(piece) do times = times + 1 end
    return times
  end

  it("let a namespace that may only be read wait, until it may be written", function()
    shared:put("one", "a")
    shared:put("two", "b")
    shared:put("three", "b")
    local secret, policy = shared:token { a = WRITE, b = READ }
    local operator = shared:launch(secret)
    local sentence = "Namespace b may only be read with this token: "
      .. "the capability submit%-job is missing"
    operator:wait_for(sentence, 30)
    shared:expect("one", "a")
    -- News of a job there changes nothing.
    shared:put("four", "b")
    shared:put("five", "a")
    shared:expect("five", "a")
    for _, id in ipairs { "two", "three", "four" } do
      assert.is_nil(shared.cluster:job("b", "backup-" .. id))
    end
    assert.equal(1, count(sentence))
    assert.equal(0, count("Nothing can be written"))
    assert.equal(0, count("Failed"))
    shared.cluster:policy(policy, { a = WRITE, b = WRITE })
    shared:expect("two", "b", 45)
    shared:expect("three", "b")
    shared:expect("four", "b")
    operator:wait_for("Namespace b can be written again", live.patience)
  end)

  it("are asked for without a trace", function()
    shared:put("six", "c")
    local index = shared.cluster:job("c", "six").JobModifyIndex
    local before = #shared.cluster:get "/v1/evaluations?namespace=c"
    local secret = shared:token { c = READ }
    local operator = shared:launch(secret, "-namespace", "a", "-namespace", "c")
    -- Templates are parsed nowhere: it says so, and asks no more.
    operator:wait_for("grant the capability parse%-job %(or submit%-job%)", live.patience)
    operator:stop()
    secret = shared:token { a = WRITE, c = READ }
    operator = shared:launch(secret, "-namespace", "a", "-namespace", "c")
    operator:wait_for("Namespace c may only be read", live.patience)
    assert.is_nil(shared.cluster:job("c", PROBE))
    assert.equal(index, shared.cluster:job("c", "six").JobModifyIndex)
    assert.equal(before, #shared.cluster:get "/v1/evaluations?namespace=c")
  end)

  it("to register without the right to plan are enough, where Nomad has such rights", function()
    if not live.at_least(11) then return end
    shared:put("seven", "a")
    shared:launch((shared:token { a = { "read-job", "list-jobs", "parse-job", "register-job" } }))
    shared:expect("seven", "a", 30)
    assert.equal(0, count("may only be read"))
  end)

  it("are those of everybody where there is no token", function()
    shared.cluster:policy("anonymous", { a = { "read-job", "list-jobs", "parse-job" } })
    finally(function() shared.cluster:request("DELETE", "/v1/acl/policy/anonymous") end)
    shared:put("eight", "a")
    local operator = shared:launch(nil)
    operator:wait_for("Namespace a may only be read with this token", 30)
    assert.is_nil(shared.cluster:job("a", "backup-eight"))
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
