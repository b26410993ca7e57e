--- host_nomad: stands for the module `host.nomad` in specs; requests go to the model of the world of the moment.

local current = require "operator.testing.current"

return setmetatable({}, {
  __index = function(_, name)
    if current.world().outside.nomad[name] == nil then
      return nil
    end
    return function(...)
      return current.world().outside.nomad[name](...)
    end
  end,
  __newindex = function(_, name)
    error(("host.nomad.%s cannot be set; see World:fault"):format(tostring(name)), 2)
  end,
})
