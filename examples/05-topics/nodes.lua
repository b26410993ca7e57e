--- While a node takes no work (down, draining, or set ineligible), says so, and again every hour; says when it is back.

local operator = require "operator"

local function state(node)
  if node.Status ~= "ready" then
    return node.Status
  elseif node.Drain then
    return "draining"
  elseif node.SchedulingEligibility ~= "eligible" then
    return node.SchedulingEligibility
  end
end

return operator.policy {
  name = "nodes",
  watch = { topic = "Node" },
  reconcile = function(node, ctx)
    local trouble = state(node)
    if trouble then
      ctx.warn(("node %s takes no work: %s"):format(node.Name, trouble))
      return operator.after "1h"
    elseif ctx.cause ~= "start" and ctx.cause ~= "reload" then
      ctx.log("info", ("node %s takes work"):format(node.Name))
    end
  end,
}
