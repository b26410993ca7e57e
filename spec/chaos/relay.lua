-- relay: stands between the operator and a Nomad: hands on each byte as it comes, and tells of each request and answer
-- that passes. Nomad does not say who wrote what, and because of what; here it can be seen.
local exchange = require "chaos.exchange"
local uv = require "luv"

local relay = {}
relay.__index = relay

local function close(handle)
  if not handle:is_closing() then
    handle:close()
  end
end

-- What comes from `one` goes to `other`; the end of one is the end of both.
local function pump(one, other, look)
  one:read_start(function(err, data)
    if err or not data or other:is_closing() then
      close(one)
      return close(other)
    end
    look(data)
    other:write(data)
  end)
end

local function serve(self)
  local near, far = uv.new_tcp(), uv.new_tcp()
  self.listener:accept(near)
  self.open[near], self.open[far] = true, true
  far:connect("127.0.0.1", self.target, function(err)
    if err or near:is_closing() then
      close(near)
      return close(far)
    end
    local heard = exchange.new(self.tell)
    pump(near, far, function(data)
      heard:from_client(data)
    end)
    pump(far, near, function(data)
      heard:from_server(data)
    end)
  end)
end

-- start{ target = port, tell = what exchange.new takes }: `port` is where it listens. Another `target` is for
-- connections that come from then on.
function relay.start(options)
  local self = setmetatable({ target = options.target, tell = options.tell, open = {} }, relay)
  self.listener = uv.new_tcp()
  assert(self.listener:bind("127.0.0.1", 0))
  assert(self.listener:listen(64, function(err)
    if not err then
      serve(self)
    end
  end))
  self.port = math.tointeger(self.listener:getsockname().port)
  return self
end

function relay:close()
  close(self.listener)
  for handle in pairs(self.open) do
    close(handle)
  end
  uv.run "nowait"
end

return relay
