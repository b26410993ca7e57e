-- ports: free ports for what a spec starts. Each process has a block of its own as long as it lives, so that no two
-- specs that run at once are given one port between the look at it and the program that listens there.
local uv = require "luv"

local ports = {}

-- Below those that Nomad gives to tasks (from 20000) and the system to connections: a program that is started again
-- must find its own port free.
local FIRST, LAST, SIZE = 12000, 19999, 100

local block, given

-- A socket that listens there, or nil.
local function listen(port)
  local socket = uv.new_tcp()
  if socket:bind("127.0.0.1", port) and socket:listen(1, function() end) then
    return socket
  end
  socket:close()
  uv.run "nowait"
  return nil
end

-- The first block that nobody has. Who listens on its first port has it.
local function take_block()
  for first = FIRST, LAST, SIZE do
    local held = listen(first)
    if held then
      held:unref() -- no reason for a loop to go on
      return { first = first, held = held }
    end
  end
  error(("every port %d, %d … %d is taken"):format(FIRST, FIRST + SIZE, LAST + 1 - SIZE))
end

-- Ports on which nobody listens. None comes twice before all others of the block have.
function ports.free(count)
  block = block or take_block()
  given = given or 0
  local list = {}
  for _ = 1, SIZE do
    given = given % (SIZE - 1) + 1
    local socket = listen(block.first + given)
    if socket then
      socket:close()
      list[#list + 1] = block.first + given
    end
    if #list == count then
      uv.run "nowait"
      return table.unpack(list)
    end
  end
  error(("fewer than %d ports are free of those from %d"):format(count, block.first))
end

return ports
