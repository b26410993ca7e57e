-- The model of Nomad by itself: its stream, waiting, tokens, versions. What it answers to single requests is compared
-- with real ones by spec/integration/model_live_spec.lua.
local clock = require "operator.testing.clock"
local json = require "host.json"
local jobs = require "support.jobs"
local models = require "operator.testing.model"

local time, model

local function new(options)
  time = clock.new()
  options = options or {}
  options.clock = time
  model = models.new(options)
  return model
end

local function follow(options)
  local seen = {}
  options.line = function(text) seen[#seen + 1] = text end
  local sub, refusal = model:subscribe(options)
  return seen, sub, refusal
end

-- "Job/JobRegistered web" for every event of the lines.
local function events(lines)
  local out = {}
  for _, text in ipairs(lines) do
    for _, event in ipairs(json.decode(text).Events or {}) do
      local id = event.Payload.Job and event.Payload.Job.ID or event.Payload.Evaluation.JobID
      out[#out + 1] = ("%s/%s %s"):format(event.Topic, event.Type, id)
    end
  end
  return out
end

local function http(method, path, options)
  options = options or {}
  options.method, options.path = method, path
  return model:http(options)
end

describe("the model's event stream", function()
  before_each(function() new() end)

  it("begins with a heartbeat and beats every 30 seconds", function()
    local seen, sub = follow { topics = { "Job" } }
    assert.same({ "{}" }, seen)
    time.advance(61)
    assert.same({ "{}", "{}", "{}" }, seen)
    sub:close()
    time.advance(100)
    assert.equal(3, #seen)
    assert.is_nil(time.next_at())
  end)

  it("gives what came before the reader was there", function()
    local sub = model:subscribe { topics = { "Job" } }
    model:register(jobs.periodic "tick")
    local seen = {}
    sub.line = function(text) seen[#seen + 1] = text end
    assert.equal(2, #seen)
    assert.same({ "Job/JobRegistered tick" }, events(seen))
  end)

  it("sends one line a commit: the job, then its evaluation with the same index", function()
    local seen = follow { topics = { "Job", "Evaluation" } }
    model:register(jobs.service "web")
    assert.equal(3, #seen)
    assert.equal(11, json.decode(seen[2]).Index)
    assert.equal(11, json.decode(seen[3]).Index)
    assert.same({ "Job/JobRegistered web", "Evaluation/JobRegistered web" }, events(seen))
  end)

  it("filters by topic and key, with Nomad's own quirks", function()
    local function of(...)
      local seen, sub = follow { topics = { ... } }
      return seen, sub
    end
    local wanted, all = of("Job:web"), of "*"
    local twice, starred = of("Evaluation:web", "Evaluation:web"), of("Job:*", "Job:nope")
    model:register(jobs.service "web")
    model:register(jobs.service "other")
    assert.same({ "Job/JobRegistered web" }, events(wanted))
    assert.equal(4, #events(all))
    assert.same({ "Evaluation/JobRegistered web", "Evaluation/JobRegistered web" }, events(twice))
    assert.same({}, events(starred))
    local _, sub, refusal = follow { topics = { "Job:a:b" } }
    assert.is_nil(sub)
    assert.equal(400, refusal.status)
    assert.matches("^Invalid topic query: .* Invalid key value pair for topic, topic: Job:a:b$",
      refusal.body)
    _, _, refusal = follow { index = "abc" }
    assert.equal('Unable to parse index: strconv.Atoi: parsing "abc": invalid syntax', refusal.body)
  end)

  it("keeps a hundred commits, and starts at the closest", function()
    for i = 1, 150 do model:register(jobs.periodic("tick" .. i)) end
    local function first(index)
      local lines = follow { topics = { "Job" }, index = index }
      return json.decode(lines[2]).Index, #lines - 1
    end
    local last = model.state.index
    assert.same({ last - 99, 100 }, { first(0) })
    assert.same({ last - 99, 100 }, { first(5) })
    assert.same({ last - 9, 10 }, { first(last - 9) })
    assert.same({ last, 1 }, { first(last + 1000) })
  end)

  it("is for one namespace, or for all there were when it began", function()
    model:namespace "ops"
    local one = follow { topics = { "Job" }, namespace = "ops" }
    local all = follow { topics = { "Job" }, namespace = "*" }
    model:namespace "later"
    for _, name in ipairs { "default", "ops", "later" } do
      model:register(jobs.periodic("in-" .. name), { namespace = name })
    end
    assert.same({ "Job/JobRegistered in-ops" }, events(one))
    assert.same({ "Job/JobRegistered in-default", "Job/JobRegistered in-ops" }, events(all))
  end)

  it("of 1.4.3 brings also those of later namespaces", function()
    new { version = "1.4.3" }
    local all = follow { topics = { "Job" }, namespace = "*" }
    model:namespace "later"
    model:register(jobs.periodic "tick", { namespace = "later" })
    assert.same({ "Job/JobRegistered tick" }, events(all))
  end)

  it("can be ended by the server", function()
    local tail
    local seen = follow { topics = { "Job" }, ended = function(text) tail = text end }
    model:drop_streams "subscription closed by server, client should resubscribe"
    model:register(jobs.periodic "tick")
    assert.equal("subscription closed by server, client should resubscribe", tail)
    assert.equal(1, #seen)
  end)
end)

describe("a purge", function()
  local function purged(version, job)
    new { version = version }
    model:register(job)
    time.advance(1)
    local seen = follow { topics = { "Job", "Evaluation" }, index = 1 << 40 }
    local before = #seen
    model:purge("default", job.ID)
    return events(table.move(seen, before + 1, #seen, 1, {})), seen[#seen]
  end

  it("is a Job event with Deleted and the job as it was, since 1.11.3", function()
    local told = purged("1.11.3", jobs.service "web")
    assert.same({ "Job/JobDeregistered web", "Evaluation/JobDeregistered web" }, told)
    local _, line = purged("1.11.3", jobs.periodic "tick")
    local payload = json.decode(line).Events[1].Payload
    assert.is_true(payload.Deleted)
    assert.is_false(payload.Job.Stop)
  end)

  it("is an evaluation, or nothing at all, before 1.7.5", function()
    assert.same({ "Evaluation/JobDeregistered web" }, (purged("1.4.3", jobs.service "web")))
    assert.same({}, (purged("1.4.3", jobs.periodic "tick")))
  end)
end)

describe("the model's answers", function()
  before_each(function() new() end)

  it("know what was written, apart from what the spec itself did", function()
    model:register(jobs.service "mine")
    http("GET", "/v1/jobs")
    http("POST", "/v1/jobs/parse", { body = "{}" })
    http("POST", "/v1/job/x/plan", { body = "{}" })
    http("DELETE", "/v1/job/mine")
    assert.equal(4, #model.requests)
    assert.equal(1, #model:writes())
    assert.equal("/v1/job/mine", model:writes()[1].path)
  end)

  it("wait when asked to", function()
    model:register(jobs.periodic "tick")
    local index = tonumber(http("GET", "/v1/jobs").headers["X-Nomad-Index"])
    local query = { index = tostring(index), wait = "1m30s" }
    assert.same({ index = index, wait = 90 }, http("GET", "/v1/jobs", { query = query }).blocked)
    assert.is_nil(http("GET", "/v1/jobs", { query = query, final = true }).blocked)
    assert.truthy(http("GET", "/v1/job/tick", { query = query }).blocked)
    assert.truthy(http("GET", "/v1/job/none", { query = query }).blocked)
    local woken = 0
    local stop = model:watch(function() woken = woken + 1 end)
    model:register(jobs.periodic "tock")
    assert.equal(1, woken)
    stop()
    assert.is_nil(http("GET", "/v1/jobs", { query = query }).blocked)
    assert.truthy(http("GET", "/v1/job/tick", { query = query }).blocked)
    model:namespace "ops"
    assert.equal(1, woken)
  end)

  it("page through a list", function()
    for i = 1, 5 do model:register(jobs.periodic("tick" .. i)) end
    local query, ids = { per_page = "2" }, {}
    repeat
      local answer = http("GET", "/v1/jobs", { query = query })
      for _, stub in ipairs(json.decode(answer.body)) do ids[#ids + 1] = stub.ID end
      query.next_token = answer.headers["X-Nomad-NextToken"]
    until not query.next_token
    assert.same({ "tick1", "tick2", "tick3", "tick4", "tick5" }, ids)
  end)

  it("refuse registrations while they are frozen, but not removals", function()
    model:register(jobs.service "web")
    model.frozen = true
    local answer = http("POST", "/v1/jobs", { body = json.encode { Job = jobs.service "new" } })
    assert.equal(403, answer.status)
    assert.matches("disabled by the scheduler configuration", answer.body)
    assert.equal(200, http("DELETE", "/v1/job/web").status)
  end)

  it("parse the job files that they were taught", function()
    model:teach('job "x" {}', { ID = "x" })
    model:teach('job {', "input.hcl:1,5-6: Unclosed configuration block")
    local function parse(hcl)
      return http("POST", "/v1/jobs/parse", { body = json.encode { JobHCL = hcl } })
    end
    assert.equal('{"ID":"x"}', parse('job "x" {}').body)
    assert.equal(400, parse("job {").status)
    assert.equal("input.hcl:1,5-6: Unclosed configuration block", parse("job {").body)
    assert.matches("this is the model of Nomad", parse("something else").body)
  end)

  it("never change what was read before", function()
    model:register(jobs.service("web", { Meta = { a = "1" } }))
    local read = model:job("default", "web")
    read.Meta.a = "spoilt"
    assert.equal("1", model:job("default", "web").Meta.a)
  end)
end)

describe("the model's cluster", function()
  it("runs jobs: pending, running, dead or stable", function()
    new()
    model:register(jobs.service "web")
    model:register(jobs.batch "once")
    assert.equal("pending", model:job("default", "web").Status)
    time.advance(0.1)
    assert.equal("running", model:job("default", "web").Status)
    time.advance(1)
    assert.equal("dead", model:job("default", "once").Status)
    time.advance(10)
    assert.is_true(model:job("default", "web").Stable)
  end)

  it("does everything at once where the clock has no timers", function()
    time = { now = function() return 1800000000.5 end }
    model = models.new { clock = time }
    model:register(jobs.service "web")
    model:register(jobs.batch "once")
    assert.equal("running", model:job("default", "web").Status)
    assert.equal("dead", model:job("default", "once").Status)
  end)

  it("launches periodic jobs at their times, if wished; runs inherit the meta", function()
    new { launch = true }
    local tick = jobs.periodic("tick", { Periodic = { Spec = "@hourly" }, Meta = { a = "1" } })
    model:register(tick)
    time.advance(2.5 * 3600)
    assert.equal(3, #model:ids())
    local run = model:job("default", model:ids()[2])
    assert.equal("tick", run.ParentID)
    assert.equal("1", run.Meta.a)
    assert.is_nil(run.Periodic)
    model:stop("default", "tick")
    time.advance(86400)
    assert.equal(2, #model:ids())
    model:gc()
    assert.same({}, model:ids())
  end)

  it("dispatches, with checked meta", function()
    new()
    model:register(jobs.parameterized("work", { Meta = { z = "1" } }))
    local id = model:dispatch("default", "work", { Meta = { a = "x" } }).DispatchedJobID
    assert.same({ a = "x", z = "1" }, model:job("default", id).Meta)
    assert.has_error(function() model:dispatch("default", "work", { Meta = { b = "x" } }) end)
  end)
end)

describe("tokens", function()
  local function get(path, token, query)
    return http("GET", path, { headers = { ["X-Nomad-Token"] = token }, query = query })
  end

  before_each(function()
    new()
    model:namespace "ops"
    model:register(jobs.periodic "tick")
    model:register(jobs.periodic "tock", { namespace = "ops" })
    model:token { secret = "root", management = true }
    model:token { secret = "reader", namespaces = { default = "read" } }
    model:token { secret = "writer", namespaces = { ["*"] = "write" } }
  end)

  it("that are unknown or none get 403", function()
    local function refused(...)
      local answer = get("/v1/jobs", ...)
      return { answer.status, answer.body }
    end
    assert.same({ 403, "Permission denied" }, refused "stray")
    assert.same({ 403, "Permission denied" }, refused())
    assert.same({ 403, "Permission denied" }, refused(nil, { namespace = "*" }))
    new { version = "1.4.3" }
    model:token { secret = "root", management = true }
    assert.same({ 403, "ACL token not found" }, refused "stray")
  end)

  it("see what they may: a list of all namespaces is 200 and just shorter", function()
    assert.equal(403, get("/v1/job/tock", "reader", { namespace = "ops" }).status)
    local function count(token)
      return #json.decode(get("/v1/jobs", token, { namespace = "*" }).body)
    end
    assert.same({ 1, 2, 2 }, { count "reader", count "root", count "writer" })
    assert.equal(1, #json.decode(get("/v1/namespaces", "reader").body))
  end)

  it("write only with the right to", function()
    local function register(token)
      return http("POST", "/v1/jobs", {
        body = json.encode { Job = jobs.periodic "new" },
        headers = { ["x-nomad-token"] = token },
      }).status
    end
    assert.same({ 403, 200 }, { register "reader", register "writer" })
    local function remove(token)
      return http("DELETE", "/v1/job/new", { headers = { ["X-Nomad-Token"] = token } }).status
    end
    assert.same({ 403, 200 }, { remove "reader", remove "writer" })
  end)

  it("without the right to a stream: silence since 1.11.2, 500 before", function()
    local sub = model:subscribe { topics = { "Job" }, namespace = "ops", token = "reader" }
    assert.is_true(sub.silent)
    assert.is_nil(model:subscribe { topics = { "Job" }, namespace = "*", token = "writer" }.silent)
    new { version = "1.4.3" }
    model:token { secret = "root", management = true }
    model:token { secret = "reader", namespaces = { default = "read" } }
    model:namespace "ops"
    local _, refusal = model:subscribe { topics = { "Job" }, token = "none" }
    assert.same({ 500, "Permission denied" }, { refusal.status, refusal.body })
    -- Before 1.9.6 a right to one namespace showed them all.
    assert.truthy(model:subscribe { topics = { "Job" }, namespace = "*", token = "reader" })
  end)
end)

describe("the model's job bodies", function()
  -- Nomad 1.1.2 wrote the recordings; these fields came or went since.
  local NEWER = { DispatchIdempotencyToken = true, MaxClientDisconnect = true }

  local function keys_differ(ours, theirs, path, out)
    for key, value in pairs(theirs) do
      if ours[key] == nil then out[#out + 1] = path .. key end
      if type(value) == "table" and type(ours[key]) == "table" and not path:find("Config") then
        keys_differ(ours[key], value, path .. tostring(key) .. ".", out)
      end
    end
    for key in pairs(ours) do
      if theirs[key] == nil and not NEWER[key] then out[#out + 1] = "+" .. path .. key end
    end
    return out
  end

  local function marked(text)
    return json.decode((text:gsub(":null", ':"(null)"')))
  end

  -- The first registration of a job in the recording, as its line.
  local function recorded(id)
    for line in io.lines "spec/fixtures/recordings/jobs.ndjson" do
      local event = (json.decode(line).Events or {})[1]
      if event and event.Key == id and event.Type == "JobRegistered" then return line end
    end
    error(id .. " is not in the recording")
  end

  local RUNTIME = { "CreateIndex", "ModifyIndex", "JobModifyIndex", "SubmitTime",
    "DispatchIdempotencyToken" }

  for _, name in ipairs { "svc-backup", "backup-example", "batch-once" } do
    it("have the fields and defaults of the recorded " .. name, function()
      local line = recorded(name)
      local theirs = json.decode(line).Events[1].Payload.Job
      new { version = "1.4.3" }
      local seen = follow { topics = { "Job" } }
      model:register(theirs)
      local ours = json.decode(seen[2]).Events[1].Payload.Job
      local shown = marked(seen[2]).Events[1].Payload.Job
      assert.same({}, keys_differ(shown, marked(line).Events[1].Payload.Job, "", {}))
      for _, field in ipairs(RUNTIME) do ours[field], theirs[field] = nil, nil end
      assert.same(theirs, ours)
    end)
  end
end)
