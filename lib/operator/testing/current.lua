--- current: the world that `require "host"` means in a spec: the one that was made or started last.

local current = {}

local held

--- The world of a spec that has made none yet is an empty one.
---@return operator.testing.World
function current.world()
  if not held then
    require("operator.testing.world").new()
  end
  return held
end

---@param world operator.testing.World
function current.set(world)
  held = world
end

return current
