--- server: the model of Nomad on a TCP socket, for tests of the host and for the demo; it has faults on demand.
--
--     local s = server.new { model = model.new { clock = server.clock() } }
--     s.port; s.connections.total, s.connections.current      streams so far, and now
--     s:fault("429", { path = "/v1/jobs", times = 2 })         see faults.lua for the names
--     s:clear(); s:close()
--
-- Another process does the same by POST /v1/_fault {"name": …, "path": …} or {"clear": true}; GET /v1/_state tells
-- the streams and the requests. Runs on luv's default loop: whoever starts it runs the loop.

local connection = require "operator.testing.connection"
local faults = require "operator.testing.faults"
local json = require "host.json"
local streams = require "operator.testing.streams"
local uv = require "luv"

local server = {}

local BACKLOG = 128

local HTML = [[
<!DOCTYPE html>
<html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>
]]

local TEXTS = {
  ["403"] = "Permission denied",
  ["429"] = "Your IP is issuing too many concurrent connections, please rate limit your calls\n",
  ["500"] = "rpc error: No cluster leader",
}

---@class operator.testing.ServerOptions
---@field model operator.testing.Model
---@field port? integer 0 (default): any that is free
---@field host? string "127.0.0.1"

---@class operator.testing.Server
---@field port integer
---@field address string "http://127.0.0.1:port"
---@field model operator.testing.Model
---@field connections { total: integer, current: integer } of streams
---@field failures string[] errors of the model itself, with their tracebacks
local Server = {}
Server.__index = Server

--- Real time for the model, by luv's timers.
---@return operator.testing.ModelClock
function server.clock()
  return {
    now = function()
      local seconds, micros = uv.gettimeofday()
      return seconds + micros / 1e6
    end,
    after = function(seconds, fn)
      local timer = uv.new_timer()
      local function stop()
        if not timer:is_closing() then
          timer:close()
        end
      end
      timer:start(math.max(0, math.floor(seconds * 1000)), 0, function()
        stop()
        fn()
      end)
      return { stop = stop }
    end,
  }
end

local function token_of(request)
  local bearer = (request.headers.authorization or ""):match "^[Bb]earer%s+(.+)$"
  return request.headers["x-nomad-token"] or bearer
end

-- -- answers

-- A blocking query is asked again at each change, and a last time when its wait is over.
function Server:wait(conn, call, seconds)
  local unwatch, timer
  local function stop()
    unwatch()
    timer:stop()
    self.waiting[conn] = nil
  end
  local function again(final)
    call.final = final
    local answer = self.model:http(call)
    if not answer.blocked then
      stop()
      conn:respond(answer.status, answer.headers, answer.body)
    end
  end
  unwatch = self.model:watch(function()
    again(false)
  end)
  timer = server.clock().after(seconds, function()
    again(true)
  end)
  self.waiting[conn] = stop
end

function Server:ask(conn, request, cut)
  local call = {
    method = request.method,
    path = request.path,
    query = request.query,
    body = request.body,
    headers = { ["X-Nomad-Token"] = token_of(request) },
  }
  local answer = self.model:http(call)
  if answer.blocked then
    return self:wait(conn, call, answer.blocked.wait)
  end
  conn:respond(answer.status, answer.headers, answer.body, cut and #answer.body // 2)
end

-- -- faults

local function text_answer(conn, _, fault)
  local headers = { ["Content-Type"] = "text/plain; charset=utf-8" }
  if fault.name == "429" then
    headers["Retry-After"] = tostring(math.floor(fault.retry_after or 1))
  end
  conn:respond(math.tointeger(fault.name), headers, fault.body or TEXTS[fault.name])
end

local answering = { ["403"] = text_answer, ["429"] = text_answer, ["500"] = text_answer }

function answering.html(conn, _, fault)
  conn:respond(fault.status or 200, { ["Content-Type"] = "text/html" }, fault.body or HTML)
end

function answering.half_open() end

-- Without the right token: what the version says, and for a new one's stream that is nothing.
function answering.token(conn, request, _, self)
  if not streams.is_stream(request) then
    return conn:respond(403, { ["Content-Type"] = "text/plain" }, TEXTS["403"])
  elseif self.model.modern then
    return conn:start({}, false)
  end
  conn:respond(500, { ["Content-Type"] = "text/plain" }, TEXTS["403"])
end

function answering.http00(conn, request, _, self)
  if streams.is_stream(request) then
    return self.streams:open(conn, request, token_of(request), "HTTP/0.0 200 OK")
  end
  conn:raw "HTTP/0.0 200 OK\r\nConnection: close\r\n\r\n{}\n"
  conn:close()
end

function answering.eof(conn, request, _, self)
  if streams.is_stream(request) then
    return conn:close()
  end
  self:ask(conn, request, true)
end

function answering.rst(conn)
  conn:reset()
end

function answering.garbage(conn, _, fault)
  conn:raw(fault.text or "SSH-2.0-OpenSSH_9.2p1\r\n")
  conn:close()
end

function answering.oversized(conn, _, fault)
  local size = fault.bytes or streams.OVERSIZED
  conn:respond(200, { ["Content-Type"] = "application/json" }, '"' .. ("x"):rep(size - 2) .. '"')
end

local INSTEAD = { answer = true, act = true }

local function has_token(request, fault)
  return fault.name == "token" and token_of(request) == fault.token
end

-- -- the server's own requests

local function control(self, request)
  local order = json.decode(request.body)
  if type(order) ~= "table" then
    return nil, "a JSON object is wanted"
  elseif order.clear then
    self:clear(order.clear ~= true and order.clear or nil)
    return true
  end
  local name = order.name
  order.name = nil
  local fault, problem = faults.make(name or "nil", order)
  if not fault then
    return nil, problem
  end
  return true, function()
    self:start_fault(fault)
  end
end

function Server:own_request(conn, request)
  local headers = { ["Content-Type"] = "application/json" }
  if request.path == "/v1/_fault" and request.method ~= "GET" then
    local ok, act = control(self, request)
    if not ok then
      return conn:respond(400, { ["Content-Type"] = "text/plain" }, act .. "\n")
    end
    conn:respond(200, headers, "{}")
    return act and act()
  end
  local names = json.array()
  for i, fault in ipairs(self.faults.list) do
    names[i] = fault.name
  end
  local requests = self.model.requests
  local state = {
    Streams = { Total = self.connections.total, Current = self.connections.current },
    Faults = names,
    Requests = table.move(requests, 1, #requests, 1, json.array()),
    Writes = json.array(self.model:writes()),
    Failures = json.array(self.failures),
  }
  conn:respond(200, headers, json.encode(state))
end

-- -- requests

function Server:serve(conn, request)
  conn.request = request
  if request.path:sub(1, 5) == "/v1/_" then
    return self:own_request(conn, request)
  end
  local fault = self.faults:take(INSTEAD, request)
  if fault and not has_token(request, fault) then
    return answering[fault.name](conn, request, fault, self)
  elseif streams.is_stream(request) and request.method == "GET" then
    return self.streams:open(conn, request, token_of(request))
  end
  self:ask(conn, request)
end

function Server:accept()
  local tcp = uv.new_tcp()
  self.listener:accept(tcp)
  local conn
  conn = connection.serve(tcp, {
    request = function(c, request)
      local ok, trace = xpcall(self.serve, debug.traceback, self, c, request)
      if not ok then
        self.failures[#self.failures + 1] = trace
        c:respond(500, { ["Content-Type"] = "text/plain" }, trace)
      end
    end,
    closed = function(c)
      self.open[c] = nil
      self.streams:closed(c)
      if self.waiting[c] then
        self.waiting[c]()
      end
    end,
    pace = function(c)
      return c.request and self:pace(c.request)
    end,
  })
  self.open[conn] = true
end

function Server:pace(request)
  local slow = self.faults:get("slow", request)
  if slow then
    return { bytes = slow.bytes or 1, delay = slow.ms or 1 }
  end
  local delay = self.faults:get("delay", request)
  return delay and { delay = delay.ms or 100 } or nil
end

function Server:listen()
  self.listener = uv.new_tcp()
  assert(self.listener:bind(self.host, self.port))
  assert(self.listener:listen(BACKLOG, function(err)
    if not err then
      self:accept()
    end
  end))
  self.port = self.listener:getsockname().port
end

function Server:hang_up()
  self.listener:close()
  self.listener = nil
  local list = {}
  for conn in pairs(self.open) do
    list[#list + 1] = conn
  end
  for _, conn in ipairs(list) do
    conn:finish_close(false)
  end
end

---@param fault operator.testing.Fault
function Server:start_fault(fault)
  if fault.kind == "act" and not fault.path then
    return self.streams:act(fault)
  end
  self.faults:add(fault)
  if fault.kind == "listen" and self.listener then
    self:hang_up()
  end
  if fault.seconds then
    server.clock().after(fault.seconds, function()
      if not self.over then
        self:cleared(self.faults:remove(fault))
      end
    end)
  end
end

function Server:cleared(gone)
  for _, fault in ipairs(gone) do
    if fault.kind == "listen" and not self.listener then
      self:listen()
    end
  end
  self.streams:release()
end

--- Starts a trouble. eof, rst, garbage and oversized happen at once to all open streams, or with a path to the
--- answers of such requests; the others last until they are cleared.
---@param name string|integer
---@param options? table
function Server:fault(name, options)
  local fault, problem = faults.make(name, options)
  if not fault then
    error(problem, 2)
  end
  self:start_fault(fault)
end

--- Ends the troubles of a name, or all.
---@param name? string|integer
function Server:clear(name)
  self:cleared(self.faults:remove(name and tostring(name)))
end

--- Stops serving; connections are closed.
function Server:close()
  self.over = true
  if self.listener then
    self:hang_up()
  end
end

local broken_pipes

-- A client that is killed while it is being written to must not end us too: libuv leaves SIGPIPE as it is.
local function outlive_clients()
  if not broken_pipes then
    broken_pipes = uv.new_signal()
    broken_pipes:start("sigpipe", function() end)
    broken_pipes:unref()
  end
end

---@param options operator.testing.ServerOptions
---@return operator.testing.Server
function server.new(options)
  outlive_clients()
  local self = setmetatable({
    model = options.model,
    host = options.host or "127.0.0.1",
    port = options.port or 0,
    faults = faults.new(),
    failures = {},
    open = {},
    waiting = {},
  }, Server)
  self.streams = streams.new(self.model, self.faults)
  self.connections = self.streams.count
  self:listen()
  self.address = ("http://%s:%d"):format(self.host, self.port)
  return self
end

return server
