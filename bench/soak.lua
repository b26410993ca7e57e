--- soak: many events of the same jobs, to ours alone: does its memory stay what it was?

local measure = require "measure"
local peers = require "peers"
local plan = require "plan"

local soak = {}

---@class bench.Soak
---@field events integer
---@field second number MB, the mean of RSS in the second tenth of the events
---@field last number MB, in the last
---@field wrong? string

local function mean(list)
  local sum = 0
  for _, value in ipairs(list) do
    sum = sum + value
  end
  return #list > 0 and sum / #list or 0
end

---@param events integer
---@param directory string
---@return bench.Soak
function soak.measure(events, directory)
  local path = directory .. "/soak.plan"
  plan.soak(events):write(path)
  local samples = {}
  local process = require "process"
  local function watch(server, child)
    process.wait(600, function()
      local tenth = 1
      for _, line in ipairs(server.lines) do
        tenth = math.max(tenth, (tonumber(line:match "^tenth (%d+)") or 0) + 1)
      end
      samples[tenth] = samples[tenth] or {}
      table.insert(samples[tenth], child:memory "VmRSS")
      return tenth > 10 or child.code
    end)
  end
  local result = measure.run(peers.ours(), { plan = path, watch = watch, deadline = 120 })
  return {
    events = events,
    second = mean(samples[2] or {}),
    last = mean(samples[10] or {}),
    wrong = result.wrong,
    seconds = result.seconds,
  }
end

return soak
