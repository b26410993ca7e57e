-- What the stream is for changes while it is there: topics, namespaces, the token. The new one is opened before the
-- old one is closed.
local process = require "support.process"
local served = require "support.served"
local wait = require "support.wait"

-- Seconds that the operator has for anything; the sanitizers make it slow.
local patience = 20

local STREAM = "/v1/event/stream"
local OTHER = [[return {
  interests = { topics = { "Job" }, pass = { Job = true }, namespace = { "default", "ops" } },
}]]

local s, operator, script, token_file

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

local function says(text)
  return operator:wait_for((text:gsub("%p", "%%%0")), patience)
end

local function run(text)
  write(script, text or "")
  operator = process.operator {
    "run", "-lib", "spec/fixtures/lib", "-log-format", "text", "-address", s.server.address,
    "-token-file", token_file, script,
  }
  says "gen 1: connected 1 live"
end

local function port()
  operator:forget()
  operator:signal "sigusr1"
  return operator:wait_for("stream: live, local port (%d+)", patience)
end

local function until_streams(total, current)
  wait.until_true(patience, function()
    return ("%d streams, %d open"):format(s.server.connections.total, s.server.connections.current)
  end, function()
    return s.server.connections.total == total and s.server.connections.current == current
  end)
end

before_each(function()
  s = served.start()
  script, token_file = os.tmpname(), os.tmpname()
  write(token_file, "token-number-1")
end)

after_each(function()
  local one = operator
  operator = nil
  if one then
    one:signal "sigterm"
    local ok, code = pcall(one.wait, one, patience)
    if not ok then one:stop() end
    assert.equal(0, code, one:said())
    assert.not_matches("token%-number", one.stderr)
  end
  s:close()
  os.remove(script)
  os.remove(token_file)
end)

describe("a reload", function()
  it("with other interests opens a stream for each namespace, then closes the old one", function()
    run()
    local old = port()
    write(script, OTHER)
    operator:signal "sighup"
    says "gen 2: connected 2 live"
    until_streams(3, 2)
    assert.not_equal(old, port())
    assert.not_matches("gen %d: lost", operator.stderr)
    s:put_job "after"
    says "gen 2: event Job JobRegistered after default"
  end)

  it("whose stream cannot be had yet keeps the old one", function()
    run()
    local old = port()
    s.server:fault("500", { path = STREAM })
    write(script, OTHER)
    operator:signal "sighup"
    says "cannot serve it now (500)"
    assert.equal(old, port())
    s:put_job "meanwhile"
    says "gen 2: event Job JobRegistered meanwhile"
    s.server:clear()
    says "gen 2: connected 2 live"
    until_streams(3, 2)
    assert.not_matches("gen %d: lost", operator.stderr)
  end)

  it("with the same interests and the same token does not touch it", function()
    run()
    local old = port()
    operator:signal "sighup"
    says "gen 2: work"
    assert.equal(old, port())
    until_streams(1, 1)
  end)
end)

describe("a generation", function()
  it("can ask for a new subscription, and events go on meanwhile", function()
    run [[local host, say = ...
    return { event = function(_, _, key)
      if key ~= "go" or host.asked then return end
      host.asked = true -- a new stream may show the event again
      say("asked: %s", host.resubscribe("namespace ops is new"))
    end }]]
    s:put_job "go"
    says "Subscribing anew: namespace ops is new"
    says "gen 1: connected 2 live"
    until_streams(2, 1)
    assert.matches("asked: true", operator.stderr)
    assert.not_matches("gen %d: lost", operator.stderr)
  end)

  it("is not given fewer namespaces while it has all", function()
    run [[local host, say = ...
    return { event = function()
      say("asked: %s", host.resubscribe("fewer", { "default" }))
      say("wrong: %s", pcall(host.resubscribe, "fewer", { 1 }))
    end }]]
    s:put_job "go"
    says "asked: false"
    says "wrong: false"
    until_streams(1, 1)
  end)

  it("whose token has no stream of all namespaces gets one for each", function()
    s.nomad:namespace "ops"
    s.nomad:namespace "closed"
    local rights = { "read-job", "list-jobs" }
    s.nomad:token { secret = "token-number-1", namespaces = { default = rights, ops = rights } }
    write(script, [[local host, say = ...
    return { start = function()
      host.sleep(0.5)
      say("asked: %s", host.resubscribe("two of three", { "default", "ops" }))
    end }]])
    operator = process.operator {
      "run", "-lib", "spec/fixtures/lib", "-log-format", "text", "-address", s.server.address,
      "-token-file", token_file, script,
    }
    says "asked: false"
    operator:forget()
    says "gen 1: connected 1 polling"
    operator:signal "sighup"
    says "asked: true"
    says "gen 2: connected 2 live"
    -- The one that stayed silent was one more.
    until_streams(3, 2)
    s:put_job "after"
    says "gen 2: event Job JobRegistered after default"
  end)
end)

describe("a new token", function()
  it("opens a new stream before the old one is closed, at SIGHUP", function()
    run()
    write(token_file, "token-number-2")
    operator:signal "sighup"
    says "connected 2 live"
    until_streams(2, 1)
    assert.not_matches("gen %d: lost", operator.stderr)
  end)

  it("in the file does so by itself", function()
    run()
    write(token_file, "token-number-2")
    says "has changed and is used from now on"
    says "gen 1: connected 2 live"
    until_streams(2, 1)
    assert.not_matches("gen %d: lost", operator.stderr)
  end)

  it("that is not good leaves the stream there is", function()
    run()
    local old = port()
    s.server:fault("token", { token = "token-number-1" })
    write(token_file, "token-number-2")
    operator:signal "sighup"
    says "denies it (Permission denied)"
    assert.equal(old, port())
    s:put_job "meanwhile"
    says "event Job JobRegistered meanwhile"
    write(token_file, "token-number-1")
    operator:signal "sighup"
    says "connected 2 live"
    until_streams(2, 1)
  end)

  it("takes the place of one that has expired", function()
    run()
    s.server:fault("token", { token = "token-number-2" })
    s.server:fault "eof"
    says "gen 1: lost"
    write(token_file, "token-number-2")
    says "gen 1: connected 2 live"
  end)
end)
