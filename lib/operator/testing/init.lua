--- testing: what specs of policies are written with: a world to run them in, the model of Nomad, a virtual clock.

local testing = {}

--- Makes a world: `local world = testing.world { files = { ["mine.lua"] = … } }`.
---@param options? operator.testing.WorldOptions
---@return operator.testing.World
function testing.world(options)
  return require("operator.testing.world").new(options)
end

testing.model = require "operator.testing.model"
testing.clock = require "operator.testing.clock"

return testing
