-- served: the model of Nomad on a socket in this process, and plain connections to it, so that nothing is made nicer
-- than it is on the wire.
local http = require "support.http"
local model = require "operator.testing.model"
local ports = require "support.ports"
local server = require "operator.testing.server"
local uv = require "luv"
local wait = require "support.wait"

local served = {}
served.__index = served

-- start{ version =, heartbeat = } -> self.server, self.nomad
function served.start(options)
  options = options or {}
  local self = setmetatable({ clients = {} }, served)
  self.nomad = model.new {
    clock = server.clock(),
    version = options.version,
    heartbeat = options.heartbeat or 30,
  }
  -- While it is down nobody else may listen there.
  self.server = server.new { model = self.nomad, port = ports.free(1) }
  return self
end

-- For a teardown; raises what went wrong in the model meanwhile.
function served:close()
  for _, client in ipairs(self.clients) do
    if not client.tcp:is_closing() then client.tcp:close() end
  end
  self.server:close()
  uv.run "nowait"
  if self.server.failures[1] then error(self.server.failures[1], 0) end
end

local client_methods = {}
client_methods.__index = client_methods

-- A connection: text is what has come, over that the other side has ended it, err what was wrong.
function served:connect()
  local client = setmetatable({ text = "", tcp = uv.new_tcp() }, client_methods)
  self.clients[#self.clients + 1] = client
  client.tcp:connect("127.0.0.1", self.server.port, function(err)
    client.connected, client.err = not err, err
    if err then return end
    client.tcp:read_start(function(read_err, data)
      client.err = client.err or read_err
      client.over = client.over or not data
      client.text = client.text .. (data or "")
    end)
  end)
  wait.until_true(5, "no connection", function() return client.connected or client.err end)
  return client
end

function client_methods:get(target, headers)
  self.tcp:write(("GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n"):format(target, headers or ""))
end

-- Waits until what has come matches; returns the first capture.
function client_methods:expect(pattern)
  return wait.until_true(5, function()
    return ("%q has not come, but %q"):format(pattern, self.text)
  end, function() return self.text:match(pattern) end)
end

-- Waits for the end of the connection; returns all that has come.
function client_methods:expect_end()
  wait.until_true(5, function()
    return ("the connection is still open; it said %q"):format(self.text)
  end, function() return self.over or self.err end)
  return self.text
end

-- The lines with events, of a stream that is not chunked.
function client_methods:events()
  local list = {}
  for line in self.text:gmatch '{"Events"[^\n]*' do list[#list + 1] = line end
  return list
end

function served:open_stream(target, headers)
  local client = self:connect()
  client:get(target or "/v1/event/stream?topic=Job&namespace=*&index=0", headers)
  return client
end

function served:live_stream()
  local client = self:open_stream()
  client:expect "{}\n"
  return client
end

function served:request(method, path, body, headers)
  return assert(http.request {
    port = self.server.port,
    method = method,
    path = path,
    body = body,
    headers = headers,
    timeout = 5,
  })
end

function served:put_job(id, meta)
  return self.nomad:register {
    ID = id, Name = id, Type = "service", Datacenters = { "dc1" }, Meta = meta,
    TaskGroups = { {
      Name = "main", Count = 1,
      Tasks = { { Name = "main", Driver = "raw_exec", Config = { command = "sleep" } } },
    } },
  }
end

-- A job after which nothing more happens by itself.
function served:put_settled(id)
  self:put_job(id)
  wait.until_true(5, "not running", function()
    return self.nomad:job("default", id).Status == "running"
  end)
end

return served
