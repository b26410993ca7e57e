-- admin: the pages of the real binary against the model of Nomad on a socket: readiness goes with each trouble and
-- comes back by itself, the metrics are those of docs/metrics.md, and no page holds a token.
local http = require "support.http"
local json = require "host.json"
local process = require "support.process"
local served = require "support.served"
local wait = require "support.wait"

-- Seconds that the operator has for anything; the sanitizers make it slow, and its backoff may be ten seconds.
local patience = 40

local POLICY = [[
local operator = require "operator"
return operator.policy {
  name = "watcher",
  watch = { topic = "Job", where = { Meta = { watched = operator.present } } },
  reconcile = function(job)
    if job.Meta.watched == "retry" then
      operator.retry("not yet", "1s")
    elseif job.Meta.watched == "fail" then
      operator.fail("never")
    end
  end,
}
]]

local s, operator, script, port

local function write(text)
  local file <close> = assert(io.open(script, "w"))
  file:write(text)
end

local function start(...)
  operator = process.operator {
    "run",
    "-log-format",
    "text",
    "-address",
    s.server.address,
    "-http-addr",
    "127.0.0.1:0",
    ...,
  }
  port = tonumber((operator:wait_for("http://127%.0%.0%.1:(%d+)/\n", patience)))
end

local function get(path, method)
  return assert(http.request {
    port = port,
    path = path,
    method = method,
    headers = { ["X-Nomad-Operator"] = "yes" },
    timeout = patience,
  })
end

local function until_ready()
  return wait.poll(patience, function()
    return "not ready: " .. get("/ready").body .. operator:said()
  end, function()
    local answer = get "/ready"
    return answer.status == 200 and answer.body
  end)
end

-- Waits until /ready says no, for a reason with that text; it is alive all the same.
local function until_not(text)
  local body = wait.poll(patience, function()
    return ("%q is no reason in %q; %s"):format(text, get("/ready").body, operator:said())
  end, function()
    local answer = get "/ready"
    return answer.status == 503 and answer.body:find(text, 1, true) and answer.body
  end)
  assert.equal(200, get("/health").status)
  assert.matches("nomad_operator_ready 0\n", get("/metrics").body, 1, true)
  for line in body:gmatch "[^\n]*\n" do
    assert.matches("^%u.*%l", line)
  end
  return body
end

local function put(id, watched)
  s.nomad:register {
    ID = id,
    Name = id,
    Type = "service",
    Datacenters = { "dc1" },
    Meta = { watched = watched },
    TaskGroups = {
      {
        Name = "main",
        Count = 1,
        Tasks = { { Name = "main", Driver = "raw_exec", Config = { command = "sleep" } } },
      },
    },
  }
end

before_each(function()
  s = served.start { heartbeat = 0.5 }
  script = os.tmpname()
  write(POLICY)
end)

after_each(function()
  local one = operator
  operator = nil
  s.server:clear()
  if one and one:running() then
    one:signal "sigterm"
    local ok, code = pcall(one.wait, one, patience)
    if not ok then
      one:stop()
    end
    assert.equal(0, code, one:said())
  end
  s:close()
  os.remove(script)
end)

describe("readiness", function()
  it("waits for the first sync", function()
    s.server:fault("500", { path = "/v1/jobs" })
    start(script)
    until_not "The first sync is not done"
    until_not "The jobs cannot be listed: GET /v1/jobs"
    s.server:clear()
    assert.equal("ready\n", until_ready())
    assert.matches("nomad_operator_ready 1\n", get("/metrics").body, 1, true)
  end)

  it("goes with a stream that has fallen silent, and with one that is cut", function()
    start("-stream-idle=2s", script)
    until_ready()
    s.server:fault "stall"
    until_not "The event stream is not connected"
    s.server:clear "stall"
    until_ready()
    s.server:fault "half_open"
    s.server:fault "eof"
    until_not "The event stream is not connected"
    s.server:clear()
    until_ready()
  end)

  it("goes with scripts that do not load, and says where", function()
    start(script)
    until_ready()
    write "local x =\nreturn {}"
    operator:signal "sighup"
    local body = until_not "generation 1 goes on"
    assert.is_truthy(body:find(script .. ":2:", 1, true), body)
    write(POLICY)
    assert.equal(202, get("/v1/reload", "POST").status)
    until_ready()
    assert.matches("POST /v1/reload: loading scripts", operator.stderr, 1, true)
    local page = get("/metrics").body
    assert.matches('nomad_operator_reload_total{result="error"} 1\n', page, 1, true)
    assert.matches('nomad_operator_reload_total{result="ok"} 1\n', page, 1, true)
  end)

  it("goes with a key that waits for too long, but not with a parked one", function()
    start("-ready-queue-age=2s", script)
    until_ready()
    put("parked", "fail")
    wait.poll(patience, "no parked key", function()
      return get("/metrics").body:find('reconcile_parked{policy="watcher"} 1\n', 1, true)
    end)
    put("late", "retry")
    until_not "Policy watcher is behind: a job has waited for"
    put("late", "fine")
    until_ready()
    assert.matches('reconcile_parked{policy="watcher"} 1\n', get("/metrics").body, 1, true)
  end)

  it("goes with the token, and no page holds it", function()
    local token = "0f4fd8a3-7c5d-4ae1-9a5b-3b1ad9a14b0f"
    start("-token", token, script)
    until_ready()
    s.server:fault("403", { path = "/v1", body = "Permission denied for " .. token })
    s.server:fault("eof")
    until_not "Nomad refuses the token"
    for _, path in ipairs { "/", "/ready", "/metrics", "/v1/status" } do
      assert.is_nil(get(path).body:find(token, 1, true), path)
    end
    s.server:clear()
    until_ready()
  end)

  it("counts lists in place of a stream as connected, while they succeed", function()
    s.server:fault("http00")
    start(script)
    until_ready()
    local status = json.decode(get("/v1/status").body)
    assert.equal("polling", status.stream.state)
    assert.matches("nomad_operator_stream_connected 0\n", get("/metrics").body, 1, true)
    s.server:fault("500", { path = "/v1/jobs" })
    until_not "The jobs cannot be listed"
    s.server:clear "500"
    until_ready()
  end)
end)

describe("the pages", function()
  -- name → type, of the page for people.
  local function documented()
    local families = {}
    for line in io.lines "docs/metrics.md" do
      local name, kind, _, help = line:match "^| `(nomad_operator_[%w_]+)` | (%l+) | (.-) | (.-) |$"
      if name then
        families[name] = kind .. ": " .. help
      end
    end
    return families
  end

  it("hold the metrics of docs/metrics.md, each described and in order", function()
    start("-ready-queue-age=1h", script)
    until_ready()
    put("a", "fail")
    wait.poll(patience, "nothing reconciled", function()
      return get("/metrics").body:find("nomad_operator_reconcile_total{", 1, true)
    end)
    local answer = get "/metrics"
    assert.equal("text/plain; version=0.0.4; charset=utf-8", answer.headers["content-type"])
    local families, current, help, count = {}, nil, nil, 0
    for line in answer.body:gmatch "[^\n]+" do
      local described = line:match "^# HELP ([%w_]+) "
      if described then
        current, help = described, line:match "^# HELP [%w_]+ (.*)$"
      elseif line:match "^# TYPE" then
        families[current] = assert(line:match("^# TYPE " .. current .. " (%l+)$")) .. ": " .. help
      else
        local name, value = line:match "^([%w_]+)%S* (%S+)$"
        assert.equal(current, name)
        assert(tonumber(value), line)
        count = count + 1
      end
    end
    assert.same(documented(), families)
    assert.is_true(count > 20, count)
    assert.matches('nomad_requests_total{code="200",method="GET"} %d', answer.body)
    assert.matches('events_total{topic="Job"} %d', answer.body)
    assert.matches('lua_memory_bytes{generation="1"} %d%d%d%d%d', answer.body)
    assert.is_nil(answer.body:find('"a"', 1, true))
  end)

  it("give the status as JSON, and a list of themselves", function()
    start("-instance=blue", script)
    until_ready()
    local answer = get "/v1/status"
    assert.equal("application/json", answer.headers["content-type"])
    local status = json.decode(answer.body)
    assert.equal("blue", status.instance)
    assert.is_true(status.ready)
    assert.equal(0, #status.reasons)
    assert.equal("live", status.stream.state)
    assert.equal("working", status.generations[1].role)
    assert.equal("watcher", status.policies[1].name)
    assert.equal(s.server.address, status.address)
    for path in get("/").body:gmatch "GET +(/%S*)" do
      assert.equal(200, get(path).status, path)
    end
    operator:signal "sigusr1"
    operator:wait_for("==> Status\n.-\n    ready\n", patience)
    s.server:fault "down"
    until_not "The event stream is not connected"
    status = json.decode(get("/v1/status").body)
    assert.is_false(status.ready)
    assert.matches("^The event stream is not connected", status.reasons[1])
  end)

  it("are not served where another program listens, which ends the start", function()
    start(script)
    local second = process.operator {
      "run",
      "-address",
      s.server.address,
      "-http-addr",
      "127.0.0.1:" .. port,
      script,
    }
    assert.equal(1, (second:wait(patience)))
    assert.matches("cannot listen on 127.0.0.1:" .. port, second.stderr, 1, true)
    assert.matches("-http-addr=off", second.stderr, 1, true)
  end)
end)
