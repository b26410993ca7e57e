-- The model on a socket: HTTP as Nomad speaks it.
local json = require "host.json"
local served = require "support.served"
local wait = require "support.wait"

local s

after_each(function()
  if s then s:close() end
  s = nil
end)

describe("the served model", function()
  it("answers request after request on one connection", function()
    s = served.start()
    local client = s:connect()
    client:get("/v1/status/leader")
    client:expect('^HTTP/1.1 200 OK\r\n.*\r\n\r\n"127.0.0.1:4647"$')
    client.text = ""
    client:get("/v1/job/none")
    client:expect("^HTTP/1.1 404 Not Found\r\n.*job not found")
    client.text = ""
    -- Two at once, the second in two pieces.
    client.tcp:write "GET /v1/regions HTTP/1.1\r\n\r\nGET /v1/status/le"
    client:expect('%["global"%]')
    client.tcp:write "ader HTTP/1.1\r\n\r\n"
    client:expect('%["global"%]HTTP/1.1 200 OK\r\n.*"127.0.0.1:4647"$')
    assert.is_falsy(client.over)
  end)

  it("closes when it is asked to, and after HTTP/1.0", function()
    s = served.start()
    local client = s:connect()
    client:get("/v1/regions", "Connection: close\r\n")
    assert.matches("Connection: close\r\n", client:expect_end())
    client = s:connect()
    client.tcp:write "GET /v1/regions HTTP/1.0\r\n\r\n"
    assert.matches('%["global"%]$', client:expect_end())
  end)

  it("reads bodies, also in pieces and with Expect", function()
    s = served.start()
    local body = json.encode { Name = "team-a" }
    local client = s:connect()
    local head = "PUT /v1/namespaces HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
    client.tcp:write(head:format(#body))
    client:expect("^HTTP/1.1 100 Continue\r\n\r\n$")
    client.tcp:write(body:sub(1, 5))
    wait.pass(0.05)
    assert.is_nil(s.nomad.state.namespaces["team-a"])
    client.tcp:write(body:sub(6))
    client:expect("HTTP/1.1 200 OK\r\n")
    assert.is_table(s.nomad.state.namespaces["team-a"])
  end)

  it("decodes the query and leaves the path as it is", function()
    s = served.start()
    local client = s:connect()
    client:get("/v1/job/a%2Fb%20c?namespace=x%26y+z&flag")
    client:expect("404 Not Found")
    local seen = s.nomad.requests[#s.nomad.requests]
    assert.equal("/v1/job/a%2Fb%20c", seen.path)
    assert.same({ namespace = "x&y z", flag = "" }, seen.query)
  end)

  it("refuses what is not HTTP", function()
    s = served.start()
    local cases = {
      { "\22\3\1\2\0\1\0\1\252", "^HTTP/1.1 400 " }, -- how TLS begins
      { "GET /v1/jobs\r\n\r\n", "^HTTP/1.1 400 " },
      { "POST /v1/jobs HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "^HTTP/1.1 411 " },
      { "POST /v1/jobs HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", "^HTTP/1.1 413 " },
      { "GET / HTTP/1.1\r\nX: " .. ("x"):rep(70000), "^HTTP/1.1 431 " },
    }
    for _, case in ipairs(cases) do
      local client = s:connect()
      client.tcp:write(case[1])
      assert.matches(case[2], client:expect_end())
    end
  end)

  it("passes the token on, in either header", function()
    s = served.start()
    s.nomad:token { secret = "s3cret", management = true }
    local function status(headers)
      return s:request("GET", "/v1/job/x", nil, headers).status
    end
    assert.equal(403, status { ["X-Nomad-Token"] = "wrong" })
    assert.equal(404, status { ["X-Nomad-Token"] = "s3cret" })
    assert.equal(404, status { Authorization = "Bearer s3cret" })
  end)

  it("holds a blocking query until something changes", function()
    s = served.start()
    s:put_settled "one"
    local client = s:connect()
    client:get(("/v1/jobs?index=%d&wait=60s"):format(s.nomad.state.index))
    wait.pass(0.05)
    assert.equal("", client.text)
    s:put_job "two"
    client:expect('"ID":"two"')
    assert.is_falsy(client.over)
  end)

  it("ends a blocking query when its time is over", function()
    s = served.start()
    s:put_settled "one"
    local client = s:connect()
    client:get(("/v1/jobs?index=%d&wait=50ms"):format(s.nomad.state.index))
    client:expect('"ID":"one"')
  end)

  it("forgets a blocking query whose asker has gone", function()
    s = served.start()
    s:put_settled "one"
    local client = s:connect()
    client:get(("/v1/jobs?index=%d&wait=60s"):format(s.nomad.state.index))
    wait.until_true(5, "not waiting", function() return next(s.server.waiting) end)
    client.tcp:close()
    wait.until_true(5, "still waiting", function() return not next(s.server.waiting) end)
    assert.same({}, s.nomad.state.watchers)
  end)

  it("answers 500 and keeps the traceback when the model itself fails", function()
    s = served.start()
    s.nomad.http = function() error "a mistake in the model" end
    local answer = s:request("GET", "/v1/jobs")
    assert.equal(500, answer.status)
    assert.matches("a mistake in the model", s.server.failures[1])
    s.server.failures = {}
  end)
end)

describe("the served stream", function()
  it("is chunked on 1.4.3", function()
    s = served.start { version = "1.4.3" }
    local client = s:open_stream()
    client:expect("^HTTP/1.1 200 OK\r\n.*Transfer%-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n$")
    s:put_job "one"
    local chunk = '\r\n(%x+)\r\n({"Events".-\n)\r\n'
    client:expect(chunk)
    local size, line = client.text:match(chunk)
    assert.equal(#line, tonumber(size, 16))
    s.nomad:drop_streams "subscription closed by server, client should resubscribe"
    client:expect("\r\nsubscription closed by server, client should resubscribe\r\n0\r\n\r\n$")
    assert.equal(0, s.server.connections.current)
    client.text = ""
    client:get("/v1/regions") -- and the connection is good for more
    client:expect('%["global"%]$')
  end)

  it("is hijacked on 1.11.3, and silent after its end", function()
    s = served.start()
    local client = s:live_stream()
    assert.matches("^HTTP/1.1 200 OK\r\nConnection: close\r\n", client.text)
    assert.not_matches("Transfer%-Encoding", client.text)
    s.nomad:drop_streams "event dropped from buffer"
    s:put_job "one"
    wait.pass(0.05)
    assert.matches("{}\n$", client.text)
    assert.is_falsy(client.over)
  end)

  it("has heartbeats, topics, the namespace and the index", function()
    s = served.start { heartbeat = 0.02 }
    s.nomad:namespace "other"
    s:put_job "one"
    local client = s:open_stream "/v1/event/stream?topic=Job%3Atwo&topic=Job%3Athree&index=0"
    client:expect("{}\n{}\n{}\n")
    s:put_job "two"
    client:expect('"Key":"two"')
    s:put_job "three"
    client:expect('"Key":"three"')
    assert.not_matches('"Key":"one"', client.text)
    client = s:open_stream "/v1/event/stream?topic=Job&namespace=other&index=0"
    client:expect("{}\n{}\n")
    assert.not_matches('"Key"', client.text)
    s:open_stream "/v1/event/stream?index=x":expect("^HTTP/1.1 400 ")
  end)

  it("is counted, and forgotten when the reader goes away", function()
    s = served.start()
    local first, second = s:live_stream(), s:live_stream()
    assert.same({ total = 2, current = 2 }, s.server.connections)
    first.tcp:close()
    wait.until_true(5, "still there", function() return s.server.connections.current == 1 end)
    assert.equal(1, #s.nomad.state.broker:list())
    second.tcp:close()
    wait.until_true(5, "still there", function() return s.server.connections.current == 0 end)
    assert.equal(0, #s.nomad.state.broker:list())
    assert.equal(2, s.server.connections.total)
  end)
end)
