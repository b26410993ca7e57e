-- ask: a person asks the running operator by commands, over its admin address: what it does, what it holds back, that
-- it reloads, goes on or tries again; and no web page can.
local http = require "support.http"
local ports = require "support.ports"
local process = require "support.process"
local served = require "support.served"
local wait = require "support.wait"

local patience = 40

local POLICY = [[
local operator = require "operator"
return operator.policy {
  name = "p",
  watch = { topic = "Job", where = { Meta = { child = operator.present } } },
  desired = function(job)
    if job.Meta.broken then operator.fail("broken") end
    if job.Stop or WANTED == false then return {} end
    return { {
      ID = "c-" .. job.ID, Type = "batch", Datacenters = { "dc1" }, ParameterizedJob = {},
      TaskGroups = { { Name = "g", Tasks = { {
        Name = "t", Driver = "raw_exec", Config = { command = "true" },
      } } } },
    } }
  end,
}
]]

local s, operator, script, port

local function write(wanted)
  local file <close> = assert(io.open(script, "w"))
  file:write(("local WANTED = %s\n"):format(wanted), POLICY)
end

local function put(id, meta)
  meta = meta or {}
  meta.child = "1"
  s.nomad:register {
    ID = id,
    Name = id,
    Type = "batch",
    Datacenters = { "dc1" },
    ParameterizedJob = {},
    Meta = meta,
    TaskGroups = {
      {
        Name = "g",
        Tasks = { {
          Name = "t",
          Driver = "raw_exec",
          Config = { command = "x" },
        } },
      },
    },
  }
end

local function children()
  local count = 0
  for _, id in ipairs(s.nomad:ids "default") do
    local job = id:find "^c%-" and s.nomad:job("default", id)
    if job and not job.Stop then
      count = count + 1
    end
  end
  return count
end

local function expect(count)
  wait.until_true(patience, function()
    return ("%d children wanted, %d there; %s"):format(count, children(), operator:said())
  end, function()
    return children() == count
  end)
end

local function ask(...)
  return process.run {
    process.program(),
    (...),
    "-log-format",
    "text",
    "-http-addr",
    "127.0.0.1:" .. port,
    seconds = patience,
    select(2, ...),
  }
end

local function post(path, headers)
  return assert(http.request {
    port = port,
    path = path,
    method = "POST",
    headers = headers,
    timeout = patience,
  }).status
end

before_each(function()
  s = served.start()
  script = os.tmpname()
  write "true"
  operator = process.operator {
    "run",
    "-log-format",
    "text",
    "-address",
    s.server.address,
    "-http-addr",
    "127.0.0.1:0",
    script,
  }
  port = tonumber((operator:wait_for("http://127%.0%.0%.1:(%d+)/\n", patience)))
end)

after_each(function()
  operator:signal "sigterm"
  local code = operator:wait(patience)
  s:close()
  os.remove(script)
  assert.equal(0, code, operator:said())
end)

describe("a running operator", function()
  it("says what it does", function()
    operator:wait_for("Synced", patience)
    local code, out
    wait.poll(patience, function()
      return tostring(out)
    end, function()
      code, out = ask "status"
      return code == 0
    end)
    assert.matches("\nready\n", out, 1, true)
    assert.matches("policy p: 0 watched, 0 children", out, 1, true)
  end)

  it("loads its scripts again", function()
    operator:wait_for("Synced", patience)
    local code, out = ask "reload"
    assert.equal(0, code)
    assert.matches("/ready says if they are refused", out, 1, true)
    operator:wait_for("generation 2 has taken over", patience)
  end)

  it("shows the removals that are held back, and makes them after a yes", function()
    for i = 1, 8 do
      put("job-" .. i)
    end
    expect(8)
    local code, out = ask "approve"
    assert.same({ 0, "No removals are held back.\n" }, { code, out })
    write "false"
    assert.equal(0, (ask "reload"))
    expect(3)
    wait.poll(patience, function()
      return out
    end, function()
      code, out = ask "approve"
      return select(2, out:gsub("c%-job%-%d %(policy p%)\n", "")) == 3
    end)
    assert.equal(2, code)
    assert.matches("There is no terminal to ask at", out, 1, true)
    assert.equal(3, children())
    local _, why
    code, _, why = ask("approve", "nobody")
    assert.equal(1, code)
    assert.matches("No policy is called nobody", why, 1, true)
    code, out = ask("approve", "-yes", "p")
    assert.equal(0, code)
    assert.matches("Approved: 3 removals are made now", out, 1, true)
    expect(0)
  end)

  it("tries a job again", function()
    put("bad", { broken = "1" })
    operator:wait_for("Failed; tried again when the job changes", patience)
    local code, out = ask("retry", "bad")
    assert.equal(0, code)
    assert.matches("Job bad is tried again by p", out, 1, true)
    operator:wait_for("Failed; tried again when the job changes", patience)
    local _, why
    code, _, why = ask("retry", "ops/none")
    assert.equal(1, code)
    assert.matches("No policy looks after job ops/none", why, 1, true)
  end)

  it("does nothing for a web page", function()
    operator:wait_for("Synced", patience)
    local ours = { ["X-Nomad-Operator"] = "yes" }
    for _, path in ipairs { "/v1/reload", "/v1/approve", "/v1/retry?key=a" } do
      assert.equal(403, post(path))
      assert.equal(403, post(path, { ["Content-Type"] = "text/plain" }))
      assert.equal(
        403,
        post(path, { Origin = "http://evil.example", ["X-Nomad-Operator"] = "yes" })
      )
    end
    assert.equal(202, post("/v1/reload", ours))
    assert.equal(202, post("/v1/reload", { ["Content-Type"] = "application/json" }))
    assert.equal(404, post("/v1/retry?key=a", ours))
  end)
end)

describe("where no operator runs", function()
  it("says so", function()
    local free = ports.free(1)
    local mine = port
    port = free
    local code, _, why = ask "status"
    port = mine
    assert.equal(1, code)
    assert.matches("no operator answers at 127.0.0.1:" .. free, why, 1, true)
  end)
end)
