-- The program beside a served model that misbehaves: each trouble has its own sentence in the log, and passes by
-- itself where it can.
local process = require "support.process"
local served = require "support.served"
local wait = require "support.wait"

-- Seconds that the operator has for anything; the sanitizers make it slow.
local patience = 15

local s, operator

local function run(options)
  options = options or {}
  local arguments = { "run", "-log-format", "text" }
  for _, argument in ipairs(options) do arguments[#arguments + 1] = argument end
  arguments[#arguments + 1] = "spec/fixtures/policies/watcher.lua"
  local address = options.address or s and s.server.address
  -- A name server that does not answer must not take as long as our patience.
  local resolver = "timeout:1 attempts:1"
  arguments.env = { NOMAD_ADDR = address, NOMAD_TOKEN = options.token, RES_OPTIONS = resolver }
  operator = process.operator(arguments)
end

local function plain(text)
  return (text:gsub("%p", "%%%0"))
end

local function says(text)
  operator:wait_for(plain(text), patience)
end

local function connects()
  operator:wait_for("Connected to the event stream of " .. plain(s.server.address), patience)
end

-- An operator that has a stream and knows the cluster.
local function run_connected(...)
  run { ... }
  connects()
  s:put_job "first"
  says "saw first running"
end

-- What a connected operator does after its stream has broken: connects, and sees what it missed.
local function recovers()
  s:put_job "missed"
  connects()
  says "saw missed running"
end

after_each(function()
  local one, server = operator, s
  operator, s = nil, nil
  if one then
    one:signal "sigterm"
    local ok, code = pcall(one.wait, one, patience)
    if not ok then one:stop() end
    assert.equal(0, code, one:said())
  end
  if server then server:close() end
end)

describe("the operator says", function()
  it("that nobody listens, and connects when somebody does", function()
    s = served.start()
    s.server:fault "down"
    run()
    says(s.server.address .. " refuses the connection")
    says "is Nomad running there? Else set -address or NOMAD_ADDR"
    s.server:clear()
    connects()
  end)

  it("that the name of the host is wrong", function()
    run { address = "nomad.invalid" }
    says "the host name of http://nomad.invalid:4646 has no address"
  end)

  it("that a plain port does not speak TLS", function()
    s = served.start()
    run { address = s.server.address:gsub("^http:", "https:") }
    says "does not speak TLS; use http:// in -address or NOMAD_ADDR"
  end)

  it("that what answers is not HTTP", function()
    s = served.start()
    s.server:fault("garbage", { path = "/" })
    run()
    says "does not speak HTTP; check -address or NOMAD_ADDR (Nomad's HTTP port is 4646)"
  end)

  it("that a page came instead of JSON", function()
    s = served.start()
    s.server:fault "html"
    run()
    says "but not as Nomad (200, text/html); check -address or NOMAD_ADDR"
    s.server:clear()
    connects()
  end)

  it("that some other server has no such page", function()
    s = served.start()
    s.server:fault("html", { status = 404, body = "<html>404 Not Found</html>" })
    run()
    says "but not as Nomad (404, text/html)"
  end)

  it("that a token is wanted, or the one given is not enough", function()
    s = served.start()
    s.server:fault "403"
    run()
    -- Of the list, which is asked where the stream is refused; of the namespaces it may be said before.
    says "none was given; set -token, NOMAD_TOKEN or -token-file to one with list-jobs"
    s.server:clear()
    connects()
  end)

  it("that the token is refused, and never the token", function()
    s = served.start()
    s.server:fault "403"
    run { token = "0a1b2c3d-secret" }
    says "denies it (Permission denied)"
    assert.not_matches("0a1b2c3d", operator.stderr .. operator.stdout)
  end)

  it("why a subscription stays silent", function()
    s = served.start()
    s.server:fault("token", { token = "the right one" })
    run { token = "wrong" }
    says "denies it (Permission denied)"
    s.server:clear()
    connects()
  end)

  it("that the server asks for fewer requests", function()
    s = served.start()
    s.server:fault("429", { path = "/v1/event/stream", times = 1 })
    run()
    says "asks for fewer requests (429)"
    connects()
  end)

  it("that the server has an error, and tries again", function()
    s = served.start()
    s.server:fault("500", { times = 2 })
    run()
    says "cannot serve it now (500): rpc error: No cluster leader"
    connects()
    s:put_job "later"
    says "saw later running"
  end)

  it("that the stream of 1.11.2 cannot be read, and lists instead", function()
    s = served.start()
    s:put_settled "before"
    s.server:fault "http00"
    run()
    says "HTTP version that does not exist"
    says "upgrade Nomad to 1.11.3"
    says "saw before running"
  end)

  it("what changes, also where there is no stream", function()
    s = served.start()
    s.server:fault "http00"
    run()
    says "Synced"
    s:put_job "later"
    says "saw later running"
  end)

  it("what changes within about a second, where there is no stream", function()
    s = served.start()
    s.server:fault "http00"
    run()
    says "Synced"
    for i = 1, 3 do
      s:put_job("later" .. i)
      operator:wait_for(("saw later%d"):format(i), os.getenv "NOMAD_OPERATOR_BIN" and 5 or 2.5)
    end
    -- The last list is read, and what it waits for does not come: nothing more is asked.
    wait.pass(2.5)
    local before = #s.nomad.requests
    wait.pass(2)
    assert.is_true(#s.nomad.requests - before <= 1)
  end)
end)

describe("the operator's stream", function()
  it("is opened again after its end", function()
    s = served.start()
    run_connected()
    s.server:fault "eof"
    says "ended the event stream; is it being restarted?"
    recovers()
    assert.same({ total = 2, current = 1 }, s.server.connections)
  end)

  it("drops half a line at its end", function()
    s = served.start()
    run_connected()
    s.server:fault("eof", { tail = '{"Index":99,"Events":[{"Topic":"Job","Key":"hal' })
    says "ended the event stream in the middle of a line, which is dropped"
    recovers()
  end)

  it("drops half a line of a chunked one too", function()
    s = served.start { version = "1.4.3" }
    run_connected()
    s.server:fault("eof", { tail = '{"Index":99,"Events":[{"Topic":"Job","Key":"hal' })
    says "in the middle of a line, which is dropped"
    recovers()
  end)

  it("repeats what an old server says at the end", function()
    s = served.start { version = "1.4.3" }
    run_connected()
    s.nomad:drop_streams "subscription closed by server, client should resubscribe"
    says "Nomad closed the subscription (subscription closed by server)"
    recovers()
  end)

  it("survives a reset", function()
    s = served.start()
    run_connected()
    s.server:fault "rst"
    says "broke before the answer was complete"
    recovers()
  end)

  it("ends at a line that is no event", function()
    s = served.start()
    run_connected()
    s.server:fault("garbage", { text = "\27[2J<!DOCTYPE html>\n" })
    says [[sends lines that are not events of Nomad ("\x1b[2J<!DOCTYPE html>")]]
    recovers()
    assert.not_matches("\27", operator.stderr)
  end)

  it("has a limit for a line", function()
    s = served.start()
    run_connected("-stream-line-max", "1000000")
    s.server:fault("oversized", { bytes = 1000001 })
    says "is longer than 1000000 bytes; raise -stream-line-max"
    recovers()
    s.server:fault("oversized", { bytes = 999000 })
    s:put_job "after"
    says "saw after running"
    assert.equal(2, s.server.connections.total)
  end)

  it("is outlived by the server's absence", function()
    s = served.start()
    run_connected()
    s.server:fault "down"
    says "No event stream"
    s:put_job "meanwhile"
    s.server:clear()
    connects()
    says "saw meanwhile running"
  end)

  it("may come byte by byte, doubled or in disorder", function()
    s = served.start()
    run_connected()
    for _, fault in ipairs { "duplicate", "reorder" } do
      s.server:fault(fault)
      for i = 1, 4 do s:put_job(fault .. i) end
      s:put_settled(fault .. "5")
      s.server:clear()
      says("saw " .. fault .. "3 running")
    end
    s.server:fault("slow", { bytes = 100 })
    s:put_job "slow"
    says "saw slow running"
    assert.equal(1, s.server.connections.total)
  end)
end)

describe("the operator's address", function()
  it("needs no scheme", function()
    s = served.start()
    run { address = s.server.address:gsub("^http://", "") }
    connects()
  end)

  it("needs no port", function()
    run { "-address", "127.0.0.77" }
    says "http://127.0.0.77:4646 refuses the connection"
  end)

  it("is taken without path and user", function()
    s = served.start()
    run { address = s.server.address:gsub("^http://", "http://somebody:hunter2@") .. "/ui/jobs" }
    connects()
    assert.not_matches("hunter2", operator.stderr)
  end)
end)
