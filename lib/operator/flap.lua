--- flap: children that are put right again and again, because somebody else writes them too. Such a child is named
--- once, and written more and more slowly, until it has been left alone for a while.

local duration = require "operator.duration"
local failure = require "operator.failure"
local marks = require "operator.marks"

local flap = {}

--- So many times within so many seconds is too often.
flap.TIMES, flap.WITHIN = 5, 600
--- Seconds between writes from then on: doubled each time.
flap.SLOW = { base = 60, max = 3600 }
--- Children that are looked at at once; past it, those that were quiet longest are let go.
flap.TRACKED = 10000

---@class operator.Flapping
---@field count integer times it was put right, one after the other
---@field last number monotonic seconds
---@field until_ number before this it is not written again

---@class operator.Flap
---@field private host table
---@field private children table<string, operator.Flapping> by key
---@field private tracked integer
local Flap = {}
Flap.__index = Flap

---@param host table
---@return operator.Flap
function flap.new(host)
  return setmetatable({ host = host, children = {}, tracked = 0 }, Flap)
end

-- It has been left alone for as long as it took to be called flapping.
local function is_over(one, now)
  return now >= math.max(one.last, one.until_) + flap.WITHIN
end

-- Lets go of those that are over; of all, where that is not enough.
local function prune(self, now)
  for _, everything in ipairs({ false, true }) do
    for key, one in pairs(self.children) do
      if everything or is_over(one, now) then
        self.children[key] = nil
        self.tracked = self.tracked - 1
      end
    end
    if self.tracked < flap.TRACKED then
      return
    end
  end
end

local function of(self, key, now)
  local one = self.children[key]
  if one and not is_over(one, now) then
    return one
  elseif not one then
    if self.tracked >= flap.TRACKED then
      prune(self, now)
    end
    self.tracked = self.tracked + 1
  end
  one = { count = 0, last = now, until_ = now }
  self.children[key] = one
  return one
end

local function name_it(self, policy, key, count)
  self.host.count("flapping_total", 1, { policy = policy })
  self.host.log(
    "warn",
    (
      "Job %s was put right %d times within %s: somebody else writes it too. "
      .. "From now on it is put right once in %s, and ever more slowly"
    ):format(
      marks.show(key),
      count,
      duration.format(flap.WITHIN),
      duration.format(flap.SLOW.base)
    ),
    { policy = policy, child = key }
  )
end

--- A child is about to be put right though its owner wants what it wanted before. Raises where it has to wait.
---@param policy string
---@param key string of the child
function Flap:repair(policy, key)
  local now = self.host.monotonic()
  local one = of(self, key, now)
  if now < one.until_ then
    local delay = one.until_ - now
    failure.hold(
      ("job %s is written by somebody else too; it is put right in %s"):format(
        marks.show(key),
        duration.format(math.ceil(delay))
      ),
      delay
    )
  end
  one.count, one.last = one.count + 1, now
  if one.count >= flap.TIMES then
    local slower = 2 ^ math.min(one.count - flap.TIMES, 16)
    one.until_ = now + math.min(flap.SLOW.max, flap.SLOW.base * slower)
    if one.count == flap.TIMES then
      name_it(self, policy, key, one.count)
    end
  end
end

return flap
