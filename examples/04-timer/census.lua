--- Counts the cluster's jobs every five minutes, and names the dead ones each morning.

local jobs = require "nomad.jobs"
local operator = require "operator"

-- Calls fn for each job of the list; raises when the list cannot be had.
local function each(fn)
  local reader = assert(jobs.list { namespace = "*" })
  while true do
    local stub, err = reader:next()
    if err then
      operator.retry(tostring(err))
    elseif not stub then
      return
    end
    fn(stub)
  end
end

return operator.policy {
  name = "census",
  watch = { topic = "Job" },
  every = {
    ["5m"] = function(ctx)
      local count = 0
      each(function()
        count = count + 1
      end)
      ctx.log("info", ("%d jobs"):format(count))
    end,
  },
  cron = {
    ["0 8 * * *"] = function(ctx)
      each(function(stub)
        if stub.Status == "dead" and not stub.Stop then
          ctx.warn(("job %s is dead"):format(stub.ID))
        end
      end)
    end,
  },
}
