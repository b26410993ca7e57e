--- port: a port of 127.0.0.1 that nobody listens on.

local uv = require "luv"

local port = {}

---@return integer
function port.free()
  local socket = uv.new_tcp()
  assert(socket:bind("127.0.0.1", 0))
  local number = socket:getsockname().port
  socket:close()
  uv.run("nowait")
  return number
end

return port
