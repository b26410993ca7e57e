-- The text of one policy for each of several topics: a line for each object that is worked, and a child for a node that
-- takes no work, for a service and for a variable. The model's spec and the live one run the same.
return [[
local operator = require "operator"

local function child(id)
  return {
    ID = id, Type = "batch", Namespace = "default", Datacenters = { "dc1" }, ParameterizedJob = {},
    TaskGroups = { { Name = "g", Tasks = {
      { Name = "t", Driver = "raw_exec", Config = { command = "/bin/true" } },
    } } },
  }
end

local function watch(topic, name, text, fields)
  local policy = {
    name = name, watch = { topic = topic },
    reconcile = function(object, ctx)
      ctx.log("info", ("saw %s: %s"):format(ctx.key, text(object)))
    end,
  }
  for field, value in pairs(fields or {}) do
    policy[field] = value
  end
  return operator.policy(policy)
end

local function status(object)
  return object.Status
end

return {
  watch("Allocation", "allocations", function(object)
    return object.JobID .. " " .. object.ClientStatus
  end, { watch = { topic = "Allocation", where = { JobID = "web" } } }),
  watch("Deployment", "deployments", function(object)
    return object.JobID .. " " .. object.Status
  end),
  watch("Evaluation", "evaluations", function(object)
    return object.JobID .. " " .. object.Status
  end, { on = { JobRegistered = function(event, ctx)
    ctx.log("info", "event " .. event.topic .. " of " .. event.object.JobID)
  end } }),
  watch("Node", "nodes", function(object)
    return object.Status .. " " .. object.SchedulingEligibility
  end),
  watch("NodePool", "pools", function(object)
    return object.Description
  end),
  watch("Namespace", "spaces", function(object)
    return object.Description
  end),
  operator.policy {
    name = "resting",
    watch = { topic = "Node", where = { SchedulingEligibility = "ineligible" } },
    desired = function(node)
      return { child("resting-" .. node.ID:sub(1, 8)) }
    end,
  },
  operator.policy {
    name = "served",
    watch = { topic = "Service", where = { ServiceName = "web" } },
    desired = function()
      return { child "served-web" }
    end,
  },
  operator.policy {
    name = "keyed",
    watch = { topic = "Variable", where = { Items = { job = operator.present } } },
    resync = "5m",
    desired = function(variable)
      return { child("keyed-" .. variable.Items.job) }
    end,
  },
}
]]
