--- ahead: while an owner that is said to be gone is read, its children are read too. What is read ahead may be older
--- than the owner's answer: it is used only for a child that is as we have left it, and a write of it is refused where
--- somebody else wrote meanwhile.

local jobs = require "nomad.jobs"
local marks = require "operator.marks"

local ahead = {}

--- So many children of an owner; the others are read when it is their turn.
ahead.MOST = 4

---@class operator.Ahead
---@field private host table
---@field private known operator.Known
---@field private flights table<string, operator.AheadFlight> by key of the child
local Ahead = {}
Ahead.__index = Ahead

---@class operator.AheadFlight
---@field task? host.Task that reads
---@field signal table fired when it is over
---@field over? boolean
---@field job? table nil: it could not be read, or there is none

---@param host table
---@param known operator.Known
---@return operator.Ahead
function ahead.new(host, known)
  return setmetatable({ host = host, known = known, flights = {} }, Ahead)
end

local function read(flight, key)
  flight.job = jobs.get(marks.split(key))
end

local function start(self, key)
  local flight = { signal = self.host.signal() }
  self.flights[key] = flight
  -- It may fail: then the child is read when it is its turn, and that failure is told.
  flight.task = self.host.spawn("ahead " .. key, read, function()
    flight.over = true
    flight.signal:fire()
  end, flight, key)
end

-- The work on an owner whose children are read ahead.
local Reading = {
  __close = function(self)
    for _, key in ipairs(self.keys) do
      local flight = self.ahead.flights[key]
      if flight then
        self.ahead.flights[key] = nil
        flight.task:cancel()
      end
    end
  end,
}

--- Begins to read the children of an owner, on which nobody else works.
---@param policy string
---@param owner string key
---@return table closable what was not taken until then is given up
function Ahead:begin(policy, owner)
  local keys = self.known:of(policy, owner)
  local reading = setmetatable({ ahead = self, keys = keys }, Reading)
  for i = 1, math.min(#keys, ahead.MOST) do
    start(self, keys[i])
  end
  return reading
end

--- The child as it was read ahead, once. nil: it has to be read.
---@async
---@param key string of the child
---@return table? job as we have left it
function Ahead:take(key)
  local flight = self.flights[key]
  if not flight then
    return nil
  elseif not flight.over then
    flight.signal:wait()
  end
  self.flights[key] = nil
  local job = flight.job
  if job and self.known:right_at(key, job.JobModifyIndex) then
    return job
  end
  return nil
end

return ahead
