--- Reports allocations that failed or were lost: of which job, on which node, and what the task said last.

local operator = require "operator"

-- The last thing that happened to a task which failed.
local function reason(alloc)
  for name, state in pairs(alloc.TaskStates or {}) do
    local last = (state.Events or {})[#(state.Events or {})]
    if state.Failed and last then
      return ("task %s: %s"):format(name, last.DisplayMessage or last.Type)
    end
  end
  return alloc.ClientDescription or "no reason given"
end

return operator.policy {
  name = "failures",
  watch = { topic = "Allocation", where = { ClientStatus = { "failed", "lost" } } },
  reconcile = function(alloc, ctx)
    local where = alloc.NodeName or alloc.NodeID
    ctx.warn(
      ("job %s %s on node %s: %s"):format(alloc.JobID, alloc.ClientStatus, where, reason(alloc))
    )
  end,
}
