--- known: what it costs to know many jobs, of ours alone: memory, the first list, one event.

local measure = require "measure"
local peers = require "peers"
local plan = require "plan"
local process = require "process"

local uv = require "luv"

local known = {}

--- Seconds without work after which it is taken to rest.
local QUIET = 0.5

--- Events a second: few enough that two of one job are never one piece of work.
local RATE = 1000

---@class bench.Known
---@field jobs integer sources and their backups
---@field rss number MB after the list
---@field synced number seconds from the list's first byte to "Synced"
---@field quiet number seconds from the list's first byte until every job has been looked at
---@field event number microseconds of processor time for one event
---@field needless integer calls of the second start that were not needed
---@field wrong? string

local function settled(server, count)
  local seen = 0
  for _, line in ipairs(server.lines) do
    if line:find "^right" then
      seen = seen + 1
    end
  end
  return seen >= count
end

-- The calls that had been made when the lines began.
local function calls_at_signal(server)
  process.wait(5, function()
    return server:said "^calls"
  end)
  local calls = {}
  for name, value in (server:said "^calls (.*)" or ""):gmatch("(%a+)=(%d+)") do
    calls[name] = tonumber(value)
  end
  return calls
end

local function last_listed(server)
  local at
  for _, line in ipairs(server.lines) do
    at = line:match "^listed (%d+)" or at
  end
  return tonumber(at)
end

-- Each job of the list is looked at after "Synced": when that is done, it rests.
local function wait_until_quiet(child)
  local since, worked = uv.hrtime(), child:cpu()
  process.wait(120, function()
    if child:cpu() > worked + 0.02 then
      since, worked = uv.hrtime(), child:cpu()
    end
    return uv.hrtime() - since > QUIET * 1e9
  end)
end

-- Jobs that are there, and their backups that a first operator makes; then a second one finds all of it right.
local function measure_on(server, address, result)
  local run = {}
  local first = measure.launch(peers.ours(), run, address)
  if not process.wait(300, function()
    return settled(server, 1) or first.code
  end) then
    first:stop()
    result.wrong = "the backups were not all made in time"
    return
  end
  first:stop()
  local second = measure.launch(peers.ours(), run, address, true)
  local seen = process.wait(120, function()
    return second:said "Synced: (%d+) jobs" or second.code
  end)
  local synced_at = uv.hrtime()
  result.synced = (synced_at - last_listed(server)) / 1e9
  if not seen or second.code then
    second:stop()
    result.wrong = "it was not synced in time"
    return
  end
  wait_until_quiet(second)
  result.quiet = (uv.hrtime() - last_listed(server)) / 1e9 - QUIET
  result.rss = second:memory "VmRSS"
  local before = second:cpu()
  server:signal("sigusr1")
  local calls = calls_at_signal(server)
  result.needless = calls.writes + calls.removals - calls.needed
  local done = process.wait(120, function()
    return server:said "^done" or second.code
  end)
  result.cpu = second:cpu() - before
  if not done or second.code then
    result.wrong = "the events were not dealt with in time"
  end
  second:stop()
end

--- One measurement with `jobs` known, half of them sources and half their backups, and then `events` updates of them.
---@param jobs integer
---@param events integer
---@param directory string
---@return bench.Known
function known.measure(jobs, events, directory)
  local made = plan.known(jobs // 2, events)
  local path = ("%s/N-%d.plan"):format(directory, jobs)
  made:write(path)
  local server, address = measure.serve {
    plan = path,
    flags = { "-on-signal", "-initial", tostring(made.initial), "-rate", tostring(RATE) },
  }
  local result = { jobs = jobs }
  measure_on(server, address, result)
  local counted = measure.counted(server)
  result.wrong = result.wrong or counted.wrong
  if result.cpu then
    result.event = result.cpu / (events + 1) * 1e6
  end
  return result
end

return known
