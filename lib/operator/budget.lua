--- budget: how many children may be removed that their owner did not ask for, in a rolling day. It latches: once it
--- was exceeded nothing more is removed until a person acts. Kept in the process, so reloads do not reset it; each stop
--- that it paid for carries its time as a mark, so that a restart finds it again.

local budget = {}

local DAY = 86400
local LEAST = 5
local SHARE = 0.2

---@class operator.Budget
---@field private host table now, keep, kept
---@field private limit integer -1: by the number of children
---@field private refused table<string, table<string, true>> policy → children that it did not let go
---@field private approved table<string, table<string, true>> policy → children that a person let go
---@field private paid table<string, string> "policy\0child" → time of a removal with unknown outcome
local Budget = {}
Budget.__index = Budget

--- @param deps { host: table, limit: integer } limit -1 means the larger of 5 and 20 % of the children
---@return operator.Budget
function budget.new(deps)
  return setmetatable(
    { host = deps.host, limit = deps.limit, refused = {}, approved = {}, paid = {} },
    Budget
  )
end

-- The times of removals in the last day, as texts, and whether the latch is down.
local function read(self, policy)
  local latched, list = (self.host.kept("budget/" .. policy) or "open "):match("^(%a+) (.*)$")
  local times, since = {}, self.host.now() - DAY
  for text in list:gmatch("%S+") do
    if tonumber(text) > since then
      times[#times + 1] = text
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

local function contains(list, text)
  for _, other in ipairs(list) do
    if other == text then
      return true
    end
  end
  return false
end

-- Now, as a text that no other removal has.
local function stamp(self, times)
  local now = self.host.now()
  while contains(times, ("%.6f"):format(now)) do
    now = now + 1e-6
  end
  return ("%.6f"):format(now)
end

local function remember(sets, policy, child)
  sets[policy] = sets[policy] or {}
  sets[policy][child] = true
end

local function has(sets, policy, child)
  return sets[policy] ~= nil and sets[policy][child] == true
end

local function forget(sets, policy, child)
  if sets[policy] then
    sets[policy][child] = nil
  end
end

local REFUSED = "%d of %d %s been removed in the last day without a change of their owner, "
  .. "and more are refused; mend the policy and reload, "
  .. "or approve it (nomad-operator approve), or restart with -max-delete N, if this is meant"

--- Takes one removal out of the budget, before it is made: several may be under way at once.
---@param policy string
---@param children integer of the policy, that exist now
---@param child string key
---@param limit? integer the policy's own max_delete
---@return boolean
---@return string? reason why not; else the time to mark the stop with, nil where a person approved it
function Budget:take(policy, children, child, limit)
  if has(self.approved, policy, child) then
    forget(self.approved, policy, child)
    return true
  end
  local paid = self.paid[policy .. "\0" .. child]
  if paid then
    self.paid[policy .. "\0" .. child] = nil
    return true, paid
  end
  local times, latched = read(self, policy)
  local most = limit
  if self.limit >= 0 then
    most = self.limit
  elseif not most then
    most = math.max(LEAST, math.floor((children + #times) * SHARE))
  end
  if latched or #times >= most then
    write(self, policy, times, true)
    remember(self.refused, policy, child)
    return false,
      REFUSED:format(#times, children + #times, #times == 1 and "child has" or "children have")
  end
  local time = stamp(self, times)
  times[#times + 1] = time
  write(self, policy, times, false)
  return true, time
end

--- Gives a removal back that was not made after all.
---@param policy string
---@param child string
---@param time? string what take returned
---@param unknown? boolean it may have been made: it stays paid, and can be made again
function Budget:give_back(policy, child, time, unknown)
  if not time then
    remember(self.approved, policy, child)
    return
  elseif unknown then
    self.paid[policy .. "\0" .. child] = time
    return
  end
  local times, latched = read(self, policy)
  for i = #times, 1, -1 do
    if times[i] == time then
      table.remove(times, i)
      break
    end
  end
  write(self, policy, times, latched)
end

--- Children were found that an earlier process, or another one, stopped out of this budget.
---@param policy string
---@param found string[] their marks
function Budget:recall(policy, found)
  local times, latched = read(self, policy)
  local counted, approved = {}, self.host.kept("approved/" .. policy) or 0
  for _, time in ipairs(times) do
    counted[time] = true
  end
  for _, time in ipairs(found) do
    if not counted[time] and tonumber(time) > approved then
      times[#times + 1], counted[time] = time, true
    end
  end
  write(self, policy, times, latched)
end

--- The children that it did not let go, sorted.
---@param policy string
---@return string[] keys
function Budget:held(policy)
  local list = {}
  for child in pairs(self.refused[policy] or {}) do
    list[#list + 1] = child
  end
  table.sort(list)
  return list
end

--- A person wants the removals that were refused, and the count to begin anew.
---@param policy string
---@return integer refused so many
---@return boolean latched whether anything was stopped by it
function Budget:approve(policy)
  local _, latched = read(self, policy)
  local count = 0
  for child in pairs(self.refused[policy] or {}) do
    remember(self.approved, policy, child)
    count = count + 1
  end
  self.refused[policy] = nil
  self.host.keep("approved/" .. policy, self.host.now())
  write(self, policy, {}, false)
  return count, latched
end

return budget
