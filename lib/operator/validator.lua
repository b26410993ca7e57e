--- validator: Nomad's rules for a job. They and their schema are a third of what an operator holds in Lua, and most
--- children are of a kind that was looked at before. So they are read in when a job has to be looked at, and let go of
--- when none had to be for a while.

local validator = {}

--- Seconds.
validator.KEEP = 0.25

---@class operator.Validator
---@field private timer host.Timer
---@field private modules table<string, true> what is there because of us
local Validator = {}
Validator.__index = Validator

---@param host table timer
---@return operator.Validator
function validator.new(host)
  local self = setmetatable({ modules = {} }, Validator)
  self.timer = host.timer(function()
    self:let_go()
  end)
  return self
end

function Validator:let_go()
  for name in pairs(self.modules) do
    package.loaded[name] = nil
  end
  self.modules = {}
end

local function loaded()
  local names = {}
  for name in pairs(package.loaded) do
    names[name] = true
  end
  return names
end

--- See jobspec.validate.
---@param job any
---@param opts jobspec.validate.Options
---@return jobspec.Problem[]
---@return table? clean
function Validator:validate(job, opts)
  local before = loaded()
  local problems, clean = require("nomad.jobspec").validate(job, opts)
  for name in pairs(package.loaded) do
    if not before[name] and name:find("^nomad%.jobspec%.") then
      self.modules[name] = true
    end
  end
  self.timer:set(validator.KEEP)
  return problems, clean
end

return validator
