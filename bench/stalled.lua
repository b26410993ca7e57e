--- stalled: a policy of ours burns its whole slice of the processor, over and over: what is read of the stream?

local measure = require "measure"
local peers = require "peers"
local plan = require "plan"
local process = require "process"

local uv = require "luv"

local stalled = {}

local POLICIES = "bench/policies/burn"

---@class bench.Stalled
---@field rate? number MB (1e6 bytes) a second, from the first tenth of the lines to the last
---@field wrong? string

-- The monotonic time at which so many tenths of the lines had left the server.
local function wait_for_tenth(server, child, tenth)
  local line = ("^(tenth %d)$"):format(tenth)
  process.wait(60, function()
    return server:said(line) or child.code
  end)
  return server:said(line) and uv.hrtime()
end

--- W1's lines, of which every hundredth is a job that the policy burns 0.9 s for.
---@param lines integer
---@param directory string
---@return bench.Stalled
function stalled.measure(lines, directory)
  local made = plan.filtering(lines)
  local path = directory .. "/stalled.plan"
  made:write(path)
  local run = { plan = path, flags = { "-settle", "500" } }
  local server, address = measure.serve(run)
  local child = measure.launch(peers.ours(POLICIES), run, address)
  local first = wait_for_tenth(server, child, 1)
  local last = first and wait_for_tenth(server, child, 10)
  local result = {}
  if child.code then
    result.wrong = ("it ended, with %d"):format(child.code)
  elseif not last then
    result.wrong = "the lines were not all read within a minute"
  else
    result.rate = made.bytes * 0.9 / 1e6 / ((last - first) / 1e9)
  end
  child:stop()
  server:stop()
  return result
end

return stalled
