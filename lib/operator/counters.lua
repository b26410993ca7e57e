--- counters: the counters of one name, by policy and one label more. Each is named to the host once.

local counters = {}

---@class operator.Counters
---@field private host table counter
---@field private name string
---@field private label string
---@field private made table<string, table<string, fun()>> by policy and value
local Counters = {}
Counters.__index = Counters

---@param host { counter: fun(name: string, labels: table<string, string>): fun() }
---@param name string "writes_total"
---@param label string "verb"
---@return operator.Counters
function counters.new(host, name, label)
  return setmetatable({ host = host, name = name, label = label, made = {} }, Counters)
end

local function make(self, policy, value)
  local of_policy = self.made[policy] or {}
  local add = self.host.counter(self.name, { policy = policy, [self.label] = value })
  self.made[policy], of_policy[value] = of_policy, add
  return add
end

--- Counts one more.
---@param policy string
---@param value string of the label
function Counters:add(policy, value)
  local of_policy = self.made[policy]
  local add = of_policy and of_policy[value] or make(self, policy, value)
  add()
end

return counters
