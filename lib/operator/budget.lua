--- budget: how many children may be removed that their owner did not ask for, in a rolling day. It latches: once it
--- was exceeded nothing more is removed until a person acts. Kept in the process, so reloads do not reset it.

local budget = {}

local DAY = 86400
local LEAST = 5
local SHARE = 0.2

---@class operator.Budget
---@field private host table now, keep, kept
---@field private limit integer -1: by the number of children
local Budget = {}
Budget.__index = Budget

--- @param deps { host: table, limit: integer } limit -1 means the larger of 5 and 20 % of the children
---@return operator.Budget
function budget.new(deps)
  return setmetatable({ host = deps.host, limit = deps.limit }, Budget)
end

-- The times of removals in the last day, and whether the latch is down.
local function read(self, policy)
  local latched, list = (self.host.kept("budget/" .. policy) or "open "):match("^(%a+) (.*)$")
  local times, since = {}, self.host.now() - DAY
  for text in list:gmatch("%S+") do
    local time = tonumber(text)
    if time > since then
      times[#times + 1] = time
    end
  end
  return times, latched == "latched"
end

local function write(self, policy, times, latched)
  self.host.keep(
    "budget/" .. policy,
    (latched and "latched " or "open ") .. table.concat(times, " ")
  )
end

--- Takes one removal out of the budget, before it is made: several may be under way at once.
---@param policy string
---@param children integer of the policy, that exist now
---@param limit? integer the policy's own max_delete
---@return boolean
---@return string? why not
function Budget:take(policy, children, limit)
  local times, latched = read(self, policy)
  local most = limit
  if self.limit >= 0 then
    most = self.limit
  elseif not most then
    most = math.max(LEAST, math.floor((children + #times) * SHARE))
  end
  if latched or #times >= most then
    write(self, policy, times, true)
    return false,
      (
        "%d of %d %s been removed in the last day without a change of their owner, "
        .. "and more are refused; mend the policy and reload, "
        .. "or restart with -max-delete N if this is meant"
      ):format(#times, children + #times, #times == 1 and "child has" or "children have")
  end
  times[#times + 1] = ("%.3f"):format(self.host.now())
  write(self, policy, times, false)
  return true
end

--- Gives the newest one back: the removal was not made after all.
---@param policy string
function Budget:give_back(policy)
  local times, latched = read(self, policy)
  table.remove(times)
  write(self, policy, times, latched)
end

return budget
