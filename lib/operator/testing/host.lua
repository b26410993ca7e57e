--- host: stands for the module `host` in specs; everything goes to the world of the moment. See fake_host.

local current = require "operator.testing.current"

return setmetatable({}, {
  __index = function(_, name)
    local value = current.world().outside.host[name]
    if type(value) ~= "function" then
      return value
    end
    -- Who keeps the function has the world of the call, not of the lookup.
    return function(...)
      return current.world().outside.host[name](...)
    end
  end,
  __newindex = function(_, name)
    error(("host.%s cannot be set; a world's options say what it is"):format(tostring(name)), 2)
  end,
})
