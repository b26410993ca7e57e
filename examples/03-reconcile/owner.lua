--- Reports jobs that nobody answers for: no `owner` in the meta. Looks at each again every day until there is one.

local operator = require "operator"

return operator.policy {
  name = "owner",
  watch = { topic = "Job", where = { Type = { "service", "system" }, Stop = false } },
  reconcile = function(job, ctx)
    if (job.Meta or {}).owner then
      return
    end
    ctx.warn(('job %s has no owner in its meta; add: meta { owner = "team" }'):format(job.ID))
    return operator.after("24h")
  end,
}
