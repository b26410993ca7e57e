--- context: the `ctx` that a policy's functions are given.

local marks = require "operator.marks"
local transcript = require "operator.transcript"

local context = {}

--- @param host table
---@param policy operator.Policy
---@param block operator.Block what is logged goes here
---@param key? string nil for timers
---@param cause operator.Cause
---@return operator.Context
function context.new(host, policy, block, key, cause)
  local namespace, id
  if key then
    namespace, id = marks.split(key)
  end
  local ctx = {
    now = host.now(),
    policy = policy.name,
    key = key,
    namespace = namespace,
    id = id,
    cause = transcript.cause(cause),
    dry_run = host.options.dry_run,
  }
  function ctx.log(level, message)
    block:say(level, tostring(message))
  end
  function ctx.warn(message)
    block:say("warn", tostring(message))
  end
  function ctx.requeue_at(time)
    if type(time) ~= "number" then
      error("ctx.requeue_at takes a time in seconds since the epoch, like ctx.now + 60", 2)
    end
    ctx.requeue = math.min(ctx.requeue or math.huge, time)
  end
  return ctx
end

return context
