--- Says hello to every job, and goodbye.

local operator = require "operator"

return operator.policy {
  name = "hello",
  watch = { topic = "Job" },
  on = {
    JobRegistered = function(event, ctx)
      ctx.log("info", ("Hello %s, version %d"):format(event.object.ID, event.object.Version))
    end,
    JobDeregistered = function(event, ctx)
      ctx.log("info", "Goodbye " .. event.object.ID)
    end,
  },
}
