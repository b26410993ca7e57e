--- backoff: how long to wait before the next try: exponential, with full jitter.

local backoff = {}

---@class operator.backoff.Limits
---@field base number seconds, the ceiling of the first wait
---@field max number seconds, the ceiling of every wait

--- The wait before try `attempt + 1`, spread evenly over the upper nine tenths of the ceiling, so that many keys
--- that failed together do not come back together, and none comes back at once.
---@param attempt integer failures so far, from 1
---@param limits operator.backoff.Limits
---@param random fun(): number 0 <= r < 1
---@return number seconds
function backoff.delay(attempt, limits, random)
  local ceiling = math.min(limits.max, limits.base * 2 ^ math.min(attempt - 1, 32))
  return ceiling * (0.1 + 0.9 * random())
end

return backoff
