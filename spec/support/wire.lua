-- wire: a place between the program and a Nomad that hands every byte on and writes down each request.
local uv = require "luv"
local reads = require "support.reads"

local wire = {}
wire.__index = wire

local function note(self, method, target)
  self.requests[#self.requests + 1] = { method = method, target = target }
  if self.on_request then
    self.on_request(method, target)
  end
end

-- Takes the heads out of what a client says; bodies have a Content-Length, or they are not understood.
local function reader(self)
  local text, body = "", 0
  return function(data)
    text = text .. data
    while true do
      if body > 0 then
        local taken = math.min(body, #text)
        text, body = text:sub(taken + 1), body - taken
      end
      local head, rest = text:match "^(.-\r\n)\r\n()"
      if body > 0 or not head then
        return
      end
      text = text:sub(rest)
      local method, target = head:match "^(%S+) (%S+) HTTP/1%.[01]\r\n"
      local lower = head:lower()
      if not method or lower:find "\r\ntransfer%-encoding:" or lower:find "\r\nupgrade:" then
        note(self, "UNREADABLE", head)
        body = math.huge
      else
        note(self, method, target)
        body = tonumber(lower:match "\r\ncontent%-length:%s*(%d+)" or 0)
      end
    end
  end
end

local function close(handle)
  if not handle:is_closing() then
    handle:close()
  end
end

local function hand_on(from, to, look)
  from:read_start(function(err, data)
    if err or not data then
      close(from)
      if not to:is_closing() then
        to:shutdown(function()
          close(to)
        end)
      end
    else
      if look then
        look(data)
      end
      if not to:is_closing() then
        to:write(data)
      end
    end
  end)
end

local function accept(self)
  local client, nomad = uv.new_tcp(), uv.new_tcp()
  self.listener:accept(client)
  self.open[client], self.open[nomad] = true, true
  nomad:connect("127.0.0.1", self.target, function(err)
    if err or client:is_closing() then
      close(client)
      close(nomad)
      return
    end
    hand_on(client, nomad, reader(self))
    hand_on(nomad, client)
  end)
end

-- start(port of the Nomad, fn called with each request) -> port, address, requests = { { method=, target= } }
function wire.start(target, on_request)
  local self =
    setmetatable({ target = target, requests = {}, open = {}, on_request = on_request }, wire)
  self.listener = uv.new_tcp()
  assert(self.listener:bind("127.0.0.1", 0))
  self.port = self.listener:getsockname().port
  self.address = "http://127.0.0.1:" .. self.port
  assert(self.listener:listen(128, function()
    accept(self)
  end))
  return self
end

-- The requests that are no reads, as "METHOD target".
function wire:writes()
  local list = {}
  for _, one in ipairs(self.requests) do
    if not reads.is(one.method, one.target) then
      list[#list + 1] = one.method .. " " .. one.target
    end
  end
  return list
end

function wire:close()
  close(self.listener)
  for handle in pairs(self.open) do
    close(handle)
  end
  uv.run "nowait"
end

return wire
