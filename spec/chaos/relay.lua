-- relay: stands between the operator and a Nomad: hands on each byte as it comes, and tells of each request that
-- passes. Nomad does not say who wrote what; here it can be seen.
local uv = require "luv"

local relay = {}
relay.__index = relay

-- Reads requests out of a connection's bytes, which may be cut anywhere.
local function reader(tell)
  local text, head, length = "", nil, 0
  local function step()
    if not head then
      local from, to = text:find("\r\n\r\n", 1, true)
      if not from then
        return false
      end
      head, text = text:sub(1, to), text:sub(to + 1)
      length = tonumber(head:lower():match "\r\ncontent%-length:%s*(%d+)") or 0
    end
    if #text < length then
      return false
    end
    local method, target = head:match "^(%u+) (%S+) HTTP"
    local path, query = (target or "?"):match "^([^?]*)%??(.*)$"
    local request = { method = method, path = path, query = query, body = text:sub(1, length) }
    text, head = text:sub(length + 1), nil
    tell(request)
    return true
  end
  return function(data)
    text = text .. data
    while step() do
    end
  end
end

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
    if look then
      look(data)
    end
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
    local look = reader(function(request)
      self.tell(request)
    end)
    pump(near, far, look)
    pump(far, near)
  end)
end

-- start{ target = port, tell = function(request) }: `port` is where it listens. Another `target` is for connections
-- that come from then on.
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
