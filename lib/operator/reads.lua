--- reads: an object that several policies ask for in the same moment is read once. Each of them decides by itself.

local topics = require "operator.topics"

local reads = {}

--- Seconds after the first has asked. Who asks later may know of something that the answer does not.
reads.MOMENT = 0.002

---@class operator.Reads
---@field private host table
---@field private flights table<string, operator.Flight> by key
local Reads = {}
Reads.__index = Reads

---@class operator.Flight
---@field began number monotonic seconds
---@field index? integer the answer is newer than this
---@field signal table fired when it is over
---@field over? boolean
---@field object? table
---@field err? host.nomad.Error

---@param host table
---@return operator.Reads
function reads.new(host)
  return setmetatable({ host = host, flights = {} }, Reads)
end

-- A flight that is over, however it ended.
local landing = {
  __close = function(self)
    if self.reads.flights[self.key] == self.flight then
      self.reads.flights[self.key] = nil
    end
    self.flight.signal:fire()
  end,
}

local function read(self, key, options, began)
  local flight = { began = began, index = options and options.index, signal = self.host.signal() }
  local guard <close> = setmetatable({ reads = self, key = key, flight = flight }, landing) -- luacheck: ignore 211
  self.flights[key] = flight
  flight.object, flight.err = topics.read(key, options)
  flight.over = true
  return flight.object, flight.err
end

--- Reads the object of a key; see topics.read. The object may be another policy's too.
---@async
---@param key string
---@param options? { index?: integer, wait?: string }
---@return table? object
---@return host.nomad.Error? err
function Reads:get(key, options)
  local now, flight = self.host.monotonic(), self.flights[key]
  if
    not flight
    or now - flight.began > reads.MOMENT
    or flight.index ~= (options and options.index)
  then
    return read(self, key, options, now)
  end
  flight.signal:wait()
  if not flight.over then
    return topics.read(key, options) -- who read it was stopped
  end
  return flight.object, flight.err
end

return reads
