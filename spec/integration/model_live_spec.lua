-- The model of Nomad against a real one: the same story must get the same answers and the same events. Through a client
-- agent too, which only says of a refusal that it came from a server.
local uv = require "luv"
local http = require "support.http"
local json = require "host.json"
local live = require "support.live"
local conformance = require "support.conformance"
local wait = require "support.wait"

local THROUGH_CLIENT = os.getenv("NOMAD_THROUGH") == "client"

-- The event stream: a list that grows. HTTP/1.0, so that lines come as they are.
local function follow(port, path)
  local stream = { lines = {} }
  local tcp, text, in_body = uv.new_tcp(), "", false
  tcp:connect("127.0.0.1", port, function(err)
    assert(not err, err)
    tcp:write(("GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n"):format(path))
    tcp:read_start(function(_, data)
      text = text .. (data or "")
      if not in_body then
        local rest = text:match("\r\n\r\n(.*)$")
        if not rest then return end
        text, in_body = rest, true
      end
      for line in text:gmatch("([^\n]*)\n") do
        stream.lines[#stream.lines + 1] = json.decode(line)
      end
      text = text:match("[^\n]*$")
    end)
  end)
  function stream.close() tcp:close() end
  wait.until_true(10, "no heartbeat came", function() return stream.lines[1] end)
  return stream
end

-- Is evaluation `id` ("" for none) complete, and each other that the lines tell of?
local function all_complete(lines, id)
  local open = { [id] = id ~= "" and "not heard of" or nil }
  for _, line in ipairs(lines) do
    for _, event in ipairs(line.Events or {}) do
      local eval = event.Payload.Evaluation
      if eval then open[eval.ID] = eval.Status ~= "complete" and eval.Status or nil end
    end
  end
  return next(open) == nil
end

-- Do the lines after the first `seen` tell that a job has come to its end?
local function has_ended(lines, seen)
  for i = seen + 1, #lines do
    for _, event in ipairs(lines[i].Events or {}) do
      if event.Payload.Job and event.Payload.Job.Status == "dead" then return true end
    end
  end
  return false
end

local function real(cluster)
  local stream = follow(cluster.port, "/v1/event/stream?topic=Job&topic=Evaluation&namespace=*")
  local seen, evaluation = 0, ""
  local target = { close = stream.close }
  function target.request(method, path, body)
    local answer = assert(http.request {
      port = cluster.port, method = method, path = path, body = body, timeout = 20,
    })
    local text = answer.body
    evaluation = text:match '"EvalID":"([^"]*)"' or ""
    if THROUGH_CLIENT and answer.status >= 400 then text = text:gsub("^rpc error: ", "") end
    return answer.status, text, answer.headers
  end
  -- Quiet: what was begun is over, and then nothing.
  function target.lines(step)
    local since = uv.now()
    local count = #stream.lines
    wait.until_true(30, "it does not become quiet after " .. step[1], function()
      if #stream.lines ~= count then count, since = #stream.lines, uv.now() end
      return uv.now() - since >= (step[2] == "GET" and 0 or 400)
        and all_complete(stream.lines, evaluation)
        and (not step.slow or has_ended(stream.lines, seen))
    end)
    local new = table.move(stream.lines, seen + 1, #stream.lines, 1, {})
    seen = #stream.lines
    return new
  end
  return target
end

describe("the model of Nomad", function()
  local cluster, theirs, ours

  setup(function()
    cluster = live.cluster()
    local target = real(cluster)
    theirs = conformance.play(target)
    target.close()
    ours = conformance.play(conformance.model(os.getenv("NOMAD_VERSION") or "1.11.3"))
  end)

  teardown(function()
    if cluster then cluster:close() end
  end)

  for i, step in ipairs(conformance.steps) do
    -- Of itself a client agent says something else.
    local compared = not (THROUGH_CLIENT and step.agent) and it or function() end
    compared("answers as Nomad does: " .. step[1], function()
      assert.equal(theirs[i].answer, ours[i].answer)
    end)
    it("announces what Nomad does: " .. step[1], function()
      assert.equal(theirs[i].events, ours[i].events)
    end)
  end
end)
