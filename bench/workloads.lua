--- workloads: what is measured: for each its plan, how the synthetic Nomad serves it, and who takes part.

local plan = require "plan"

local workloads = {}

---@class bench.Workload
---@field name string
---@field make fun(scale: number): bench.Plan
---@field what string
---@field rate? number lines a second
---@field write_delay? number milliseconds
---@field deadline? number seconds
---@field without? table<string, boolean> peers that the table of the goals leaves out here

local function at_least(count, scale, least)
  return math.max(least, math.floor(count * scale))
end

---@type bench.Workload[]
workloads.streams = {
  {
    name = "W1",
    what = "every line another job's, 1 % with a backup: filtering",
    make = function(scale)
      return plan.filtering(at_least(100001, scale, 2001))
    end,
  },
  {
    name = "W2",
    what = "every line a job with a backup: writing",
    make = function(scale)
      return plan.writing(at_least(20001, scale, 501))
    end,
  },
  {
    name = "W2@2ms",
    what = "the same, each write answered after 2 ms",
    write_delay = 2,
    -- A quarter of the lines: the time is all waiting, and the rate is the same.
    make = function(scale)
      return plan.writing(at_least(5001, scale, 251))
    end,
  },
  {
    name = "W3",
    what = "a recorded session with all topics, renamed for each cycle",
    make = function(scale)
      return plan.session(at_least(50000, scale, 1400))
    end,
  },
  {
    name = "W4",
    what = "200 lines a second, 60 % register, 40 % deregister: latency",
    rate = 200,
    make = function(scale)
      return plan.latency(at_least(6001, scale, 401))
    end,
  },
  {
    name = "W5",
    what = "lines of 0.89 MB, every second with a backup",
    make = function(scale)
      return plan.big(at_least(201, scale, 11))
    end,
  },
}

--- The files of the plans are made once for a run of the bench.
---@param workload bench.Workload
---@param options { scale: number, settle: integer } settle: milliseconds from the subscription to the first line
---@param directory string
---@return bench.Run
---@return bench.Plan
function workloads.prepare(workload, options, directory)
  local made = workload.make(options.scale)
  local path = ("%s/%s.plan"):format(directory, workload.name)
  made:write(path)
  local flags = { "-settle", tostring(options.settle) }
  if workload.rate then
    table.move({ "-rate", tostring(workload.rate) }, 1, 2, 3, flags)
  end
  return {
    plan = path,
    flags = flags,
    write_delay = workload.write_delay,
    deadline = workload.deadline,
  },
    made
end

return workloads
