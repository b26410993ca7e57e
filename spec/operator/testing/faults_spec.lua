-- The faults of the served model, each as a client sees it.
local json = require "host.json"
local served = require "support.served"
local uv = require "luv"
local wait = require "support.wait"

local s

after_each(function()
  if s then s:close() end
  s = nil
end)

describe("a fault of streams", function()
  it("eof: ends them", function()
    s = served.start()
    local client = s:live_stream()
    s.server:fault("eof", { tail = '{"Events":[{"To' })
    assert.matches('{}\n{"Events":%[{"To$', client:expect_end())
    assert.is_falsy(client.err)
    assert.matches("{}\n", s:live_stream().text) -- once only
  end)

  it("eof: cuts a chunked one without the last chunk", function()
    s = served.start { version = "1.4.3" }
    local client = s:live_stream()
    s.server:fault "eof"
    assert.not_matches("0\r\n\r\n$", client:expect_end())
  end)

  it("rst: resets them", function()
    s = served.start()
    local client = s:live_stream()
    s.server:fault "rst"
    client:expect_end()
    assert.matches("^ECONNRESET", client.err)
  end)

  it("garbage: a line that is not JSON, and goes on", function()
    s = served.start()
    local client = s:live_stream()
    s.server:fault "garbage"
    client:expect("{}\n%%%% [^\n]*not JSON[^\n]*\n$")
    s.server:fault("garbage", { text = "Permission denied" })
    client:expect("Permission denied$")
    s:put_job "one"
    client:expect('"Key":"one"')
  end)

  it("oversized: one long line that is JSON", function()
    s = served.start()
    local client = s:live_stream()
    s.server:fault("oversized", { bytes = 3000000 })
    local line = client:expect("{}\n(.*)\n$")
    assert.equal(3000000, #line)
    assert.is_table((json.decode(line)))
  end)

  it("stall: nothing comes until it is cleared, then all of it", function()
    s = served.start { heartbeat = 0.02 }
    local client = s:live_stream()
    s.server:fault "stall"
    local before = client.text
    s:put_job "one"
    wait.pass(0.1)
    assert.equal(before, client.text)
    s.server:clear "stall"
    client:expect('"Key":"one"')
  end)

  it("gap: lines get lost, heartbeats do not", function()
    s = served.start { heartbeat = 0.02 }
    local client = s:live_stream()
    s.server:fault("gap", { lines = 1 })
    s:put_job "one" -- its registration is lost, what follows is not
    client:expect('"Key":"one"')
    assert.not_matches('"Type":"JobRegistered"', client.text)
    s.server:fault "gap"
    s:put_job "two"
    client.text = ""
    client:expect("{}\n{}\n{}\n")
    assert.same({}, client:events())
    s.server:clear()
    s:put_job "three"
    client:expect('"Key":"three"')
  end)

  it("duplicate: each line comes twice", function()
    s = served.start()
    local client = s:live_stream()
    s.server:fault "duplicate"
    s:put_job "one"
    local line = client:expect('{}\n({"Events"[^\n]*\n)')
    client:expect("{}\n" .. line:gsub("%p", "%%%0") .. line:gsub("%p", "%%%0"))
  end)

  it("reorder: neighbours change places, and none is lost", function()
    s = served.start()
    local plain, client = s:live_stream(), s:live_stream()
    -- Only the second stream sees the fault.
    s.server.streams.list[1].request.path = "/plain"
    s.server:fault("reorder", { path = "/v1/event/stream" })
    for _, id in ipairs { "a", "b", "c" } do s:put_job(id) end
    wait.until_true(5, "no events", function() return #plain:events() >= 6 end)
    s.server:clear()
    wait.until_true(5, "not all", function() return #client:events() == #plain:events() end)
    local expected, got = plain:events(), client:events()
    for i = 1, #expected - 1, 2 do
      assert.equal(expected[i], got[i + 1])
      assert.equal(expected[i + 1], got[i])
    end
  end)

  it("slow: byte by byte", function()
    s = served.start()
    s.server:fault("slow", { ms = 2 })
    local client = s:open_stream()
    client:expect("^HTTP")
    assert.is_true(#client.text < 20)
    client:expect("{}\n$")
  end)

  it("http00: the status line of 1.11.2", function()
    s = served.start()
    s.server:fault "http00"
    local client = s:open_stream()
    client:expect("^HTTP/0.0 200 OK\r\nConnection: close\r\n\r\n{}\n$")
    assert.equal(200, s:request("GET", "/v1/regions").status) -- the rest is well
  end)

  it("token: what the version says to a wrong one", function()
    s = served.start { version = "1.4.3" }
    s.server:fault("token", { token = "right" })
    s:open_stream():expect("^HTTP/1.1 500 .*Permission denied$")
    s:open_stream(nil, "X-Nomad-Token: right\r\n"):expect("{}\n")
    s:close()
    s = served.start()
    s.server:fault("token", { token = "right" })
    local client = s:open_stream()
    client:expect("^HTTP/1.1 200 OK\r\n.-\r\n\r\n$")
    wait.pass(0.05)
    assert.matches("\r\n\r\n$", client.text)
    assert.is_falsy(client.over)
    assert.equal(403, s:request("GET", "/v1/jobs").status)
    assert.equal(200, s:request("GET", "/v1/jobs", nil, { ["X-Nomad-Token"] = "right" }).status)
  end)
end)

describe("a fault of answers", function()
  it("403, 429 and 500: with Nomad's texts, for so many requests of a path", function()
    s = served.start()
    local texts = { ["403"] = "Permission denied", ["429"] = "rate limit", ["500"] = "leader" }
    for name, text in pairs(texts) do
      s.server:fault(tonumber(name), { path = "/v1/jobs", times = 2, retry_after = 7 })
      assert.equal(200, s:request("GET", "/v1/regions").status)
      for _ = 1, 2 do
        local answer = s:request("GET", "/v1/jobs")
        assert.equal(tonumber(name), answer.status)
        assert.matches(text, answer.body)
        assert.equal(name == "429" and "7" or nil, answer.headers["retry-after"])
      end
      assert.equal(200, s:request("GET", "/v1/jobs").status)
    end
  end)

  it("only for a method", function()
    s = served.start()
    s.server:fault("500", { method = "PUT" })
    assert.equal(200, s:request("GET", "/v1/namespaces").status)
    assert.equal(500, s:request("PUT", "/v1/namespaces", "{}").status)
  end)

  it("html: a page of some other server", function()
    s = served.start()
    s.server:fault "html"
    local answer = s:request("GET", "/v1/jobs")
    assert.equal(200, answer.status)
    assert.equal("text/html", answer.headers["content-type"])
    assert.matches("^<!DOCTYPE html>", answer.body)
  end)

  it("half_open: silence", function()
    s = served.start()
    s.server:fault "half_open"
    local client = s:connect()
    client:get("/v1/regions")
    wait.pass(0.05)
    assert.equal("", client.text)
    assert.is_falsy(client.over)
  end)

  it("eof: half of the answer", function()
    s = served.start()
    s.server:fault("eof", { path = "/v1/status" })
    local client = s:connect()
    client:get("/v1/status/leader")
    assert.matches('\r\nContent%-Length: 16\r\n.*\r\n\r\n"127%.0%.0$', client:expect_end())
    local none = s:open_stream()
    none:expect("{}\n")
  end)

  it("eof: no answer at all to a subscription", function()
    s = served.start()
    s.server:fault("eof", { path = "/v1/event/stream" })
    assert.equal("", s:open_stream():expect_end())
  end)

  it("rst and garbage", function()
    s = served.start()
    s.server:fault("rst", { path = "/v1/jobs", times = 1 })
    local client = s:connect()
    client:get("/v1/jobs")
    client:expect_end()
    assert.matches("^ECONNRESET", client.err)
    s.server:fault("garbage", { path = "/v1/jobs" })
    client = s:connect()
    client:get("/v1/jobs")
    assert.matches("^SSH%-2.0", client:expect_end())
  end)

  it("oversized: a body of that length", function()
    s = served.start()
    s.server:fault("oversized", { path = "/v1/jobs", bytes = 100000 })
    assert.equal(100000, #s:request("GET", "/v1/jobs").body)
  end)

  it("delay: each answer comes later", function()
    s = served.start()
    s.server:fault("delay", { ms = 60, path = "/v1/jobs" })
    local before = uv.hrtime()
    s:request("GET", "/v1/jobs")
    assert.is_true(uv.hrtime() - before >= 55e6)
  end)

  it("down: nobody listens, then somebody does, at the same port", function()
    s = served.start()
    local port = s.server.port
    local stream = s:live_stream()
    s.server:fault "down"
    stream:expect_end()
    local client = s:connect()
    assert.matches("^ECONNREFUSED", client.err)
    s.server:clear()
    assert.equal(port, s.server.port)
    assert.equal(200, s:request("GET", "/v1/regions").status)
    s.server:fault("down", { seconds = 0.05 })
    assert.matches("^ECONNREFUSED", s:connect().err)
    wait.poll(5, "still down", function() return (s:connect().connected) end)
  end)

  it("is refused when there is none of that name or option", function()
    s = served.start()
    assert.has_error(function() s.server:fault "eoff" end, "no fault is called eoff; there are: "
      .. "403 429 500 delay down duplicate eof gap garbage half_open html http00 oversized "
      .. "reorder rst slow stall token")
    assert.error_matches(function() s.server:fault("eof", { pth = "/" }) end, "no option pth")
    assert.error_matches(function() s.server:fault("eof", { path = 1 }) end, "no option path")
    assert.error_matches(function() s.server:fault "token" end, "option token is missing")
  end)
end)

describe("faults by HTTP", function()
  it("are set, shown and cleared", function()
    s = served.start()
    assert.equal(200, s:request("POST", "/v1/_fault", '{"name":"403","path":"/v1/jobs"}').status)
    assert.equal(403, s:request("GET", "/v1/jobs").status)
    s:live_stream()
    local state = json.decode(s:request("GET", "/v1/_state").body)
    assert.same({ "403" }, state.Faults)
    assert.same({ Total = 1, Current = 1 }, state.Streams)
    assert.equal(200, s:request("POST", "/v1/_fault", '{"clear":true}').status)
    assert.equal(200, s:request("GET", "/v1/jobs").status)
    s:request("PUT", "/v1/namespaces", '{"Name":"x"}')
    state = json.decode(s:request("GET", "/v1/_state").body)
    assert.same({}, state.Faults)
    assert.equal("/v1/jobs", state.Requests[1].path)
    assert.equal("/v1/namespaces", state.Writes[1].path)
    assert.equal(1, #state.Writes)
    local refused = s:request("POST", "/v1/_fault", '{"name":"nothing"}')
    assert.equal(400, refused.status)
    assert.matches("no fault is called nothing", refused.body)
    assert.equal(400, s:request("POST", "/v1/_fault", "garbage").status)
  end)
end)
