--- measure: one run: the synthetic Nomad with a plan, a peer that works on it, and what came of it.

local http_port = require "port"
local process = require "process"

local measure = {}

local SERVER = "build/bench/synthetic-nomad"
local PARSED = "build/bench/parsed.json"

---@class bench.Run
---@field plan string path
---@field flags? string[] of the synthetic Nomad
---@field write_delay? number milliseconds
---@field port? integer of ours' admin pages
---@field deadline? number seconds; 120 unless given
---@field watch? fun(server: bench.Process, peer: bench.Process) called while the peer works

---@class bench.Result
---@field wrong? string why this is no result: what is missing, who ended
---@field seconds number from the first line to when all was right
---@field start number seconds from exec to the request of the stream
---@field peak number MB
---@field cpu number seconds
---@field calls table<string, integer> writes, removals, reads, lists, parses, needed
---@field p50 number milliseconds
---@field p99 number

--- Starts the synthetic Nomad; its address.
---@param run bench.Run
---@return bench.Process
---@return string
function measure.serve(run)
  local command = { SERVER, "-parsed", PARSED }
  if run.write_delay then
    table.move({ "-write-delay", tostring(run.write_delay) }, 1, 2, #command + 1, command)
  end
  table.move(run.flags or {}, 1, #(run.flags or {}), #command + 1, command)
  command[#command + 1] = run.plan
  local server = process.start(command, { read = true })
  local port = process.wait(30, function()
    return server:said "^listening (%d+)" or server.code and "no"
  end)
  if not tonumber(port) then
    error("the synthetic Nomad does not start: " .. table.concat(server.lines, "; "), 0)
  end
  return server, "http://127.0.0.1:" .. port
end

--- Ends it and reads what it counted.
---@param server bench.Process
---@return bench.Result
function measure.counted(server)
  local from = #server.lines
  server:stop()
  local result = { calls = {}, p50 = 0, p99 = 0 }
  local wrong = {}
  for i = from + 1, #server.lines do
    local line = server.lines[i]
    if line:find "^calls" then
      for name, value in line:gmatch("(%a+)=(%d+)") do
        result.calls[name] = tonumber(value)
      end
    elseif line:find "^latency" then
      for name, value in line:gmatch("(p%d+)=(%d+)") do
        result[name] = tonumber(value) / 1e6
      end
    elseif line:find "^wrong %a" then
      wrong[#wrong + 1] = line:match "^wrong (.*)"
    end
  end
  if #wrong > 0 then
    result.wrong = table.concat(wrong, ", ")
  end
  return result
end

--- Starts a peer.
---@param peer bench.Peer
---@param run bench.Run
---@param address string
---@param read? boolean keep what it says
---@return bench.Process
function measure.launch(peer, run, address, read)
  local command =
    peer.command { write_delay = run.write_delay, port = run.port or http_port.free() }
  return process.start(command, { address = address, read = read })
end

--- From exec to the request of the stream; nil: there was none within 10 s.
---@param server bench.Process
---@param peer bench.Process
---@return number?
function measure.start_time(server, peer)
  local at = process.wait(10, function()
    return server:said "^subscribed (%d+)" or peer.code and "no"
  end)
  return tonumber(at) and (tonumber(at) - peer.spawned) / 1e9 or nil
end

--- Calls that a perfect operator would not have made: reads of jobs, parses after the first, writes that nobody needs.
---@param calls table<string, integer>
---@return integer
function measure.needless(calls)
  local needed = calls.needed + math.min(calls.parses, 1)
  return math.max(0, calls.writes + calls.removals + calls.reads + calls.parses - needed)
end

--- One run from the start of both to their end.
---@param peer bench.Peer
---@param run bench.Run
---@return bench.Result
function measure.run(peer, run)
  local server, address = measure.serve(run)
  local child = measure.launch(peer, run, address)
  local start = measure.start_time(server, child)
  if run.watch then
    run.watch(server, child)
  end
  process.wait(run.deadline or 120, function()
    return server:said "^done" or child.code
  end)
  local peak, cpu, ended = child:memory "VmHWM", child:cpu(), child.code
  -- Calls that come late are counted too.
  process.pass(0.1)
  child:stop()
  local began, done = server:said "^done (%d+)", server:said "^done %d+ (%d+)"
  local result = measure.counted(server)
  result.start, result.peak, result.cpu = start, peak, cpu
  if ended then
    result.wrong = ("it ended, with %d"):format(ended)
  elseif not done then
    result.wrong = "not done in time: " .. (result.wrong or "nothing is wrong, but late")
  else
    result.wrong = nil
    result.seconds = (tonumber(done) - tonumber(began)) / 1e9
  end
  return result
end

return measure
