--- idle: a peer that has nothing to do: how fast it is there, and what it takes.

local measure = require "measure"
local process = require "process"

local idle = {}

---@class bench.Idle
---@field rss number MB
---@field start number seconds from exec to the request of the stream
---@field cpu number seconds of processor time meanwhile
---@field wrong? string

--- One start; then heartbeats for `seconds`.
---@param peer bench.Peer
---@param plan string path of a plan without lines
---@param seconds number
---@return bench.Idle
function idle.measure(peer, plan, seconds)
  local run = { plan = plan, flags = { "-heartbeat", "1000" } }
  local server, address = measure.serve(run)
  local child = measure.launch(peer, run, address)
  local result = { start = measure.start_time(server, child) }
  process.pass(seconds)
  result.rss, result.cpu = child:memory "VmRSS", child:cpu()
  if not result.start or child.code then
    result.wrong = "it did not ask for the stream"
  end
  child:stop()
  server:stop()
  return result
end

return idle
