-- fake_consul: what Nomad's servers ask a Consul before they take a job with a gateway: everything is answered with
-- "true". It lives in this process, so it answers whenever the loop runs.
local ports = require "support.ports"
local uv = require "luv"

local fake_consul = {}

local ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\ntrue"

local function serve(listener, clients)
  local client = uv.new_tcp()
  listener:accept(client)
  clients[client] = true
  local text = ""
  client:read_start(function(_, data)
    text = text .. (data or "")
    local head, body = text:match("^(.-\r\n\r\n)(.*)$")
    local length = head and tonumber(head:lower():match("content%-length: (%d+)") or 0)
    if not data or (head and #body >= length) then
      client:read_stop()
      client:write(data and ANSWER or "", function()
        clients[client] = nil
        client:close()
      end)
    end
  end)
end

-- start() -> { address =, close = }
function fake_consul.start()
  local listener, clients = uv.new_tcp(), {}
  local port = ports.free(1)
  assert(listener:bind("127.0.0.1", port))
  assert(listener:listen(16, function()
    serve(listener, clients)
  end))
  return {
    address = "127.0.0.1:" .. port,
    close = function()
      listener:close()
      for client in pairs(clients) do
        client:close()
      end
      uv.run "nowait"
    end,
  }
end

return fake_consul
