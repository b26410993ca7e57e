--- ratelimit: a token bucket: so many a second, and a burst of so many at once.

local ratelimit = {}

---@class operator.Ratelimit
---@field private rate number tokens a second; 0: no limit
---@field private burst number
---@field private now fun(): number
---@field private tokens number below zero: promised to those who wait
---@field private at number when tokens was right
local Ratelimit = {}
Ratelimit.__index = Ratelimit

---@param options { rate: number, burst: number, now: fun(): number }
---@return operator.Ratelimit
function ratelimit.new(options)
  return setmetatable({
    rate = options.rate,
    burst = options.burst,
    now = options.now,
    tokens = options.burst,
    at = options.now(),
  }, Ratelimit)
end

--- Takes one token. Returns how long to wait before it may be used: those who come later wait longer.
---@return number seconds 0: at once
function Ratelimit:take()
  if self.rate == 0 then
    return 0
  end
  local now = self.now()
  self.tokens = math.min(self.burst, self.tokens + (now - self.at) * self.rate) - 1
  self.at = now
  return self.tokens < 0 and -self.tokens / self.rate or 0
end

return ratelimit
