--- context: the `ctx` that a policy's functions are given.

local marks = require "operator.marks"
local transcript = require "operator.transcript"

local context = {}

--- Where a context has its block: no field that a script would use.
local BLOCK = {}

-- What is made when it is asked for, by name: most policies ask for none of it.
local made = {}

function made.log(ctx)
  local block = ctx[BLOCK]
  return function(level, message)
    block:say(level, tostring(message))
  end
end

function made.warn(ctx)
  local block = ctx[BLOCK]
  return function(message)
    block:say("warn", tostring(message))
  end
end

function made.requeue_at(ctx)
  return function(time)
    if type(time) ~= "number" then
      error("ctx.requeue_at takes a time in seconds since the epoch, like ctx.now + 60", 2)
    end
    ctx.requeue = math.min(ctx.requeue or math.huge, time)
  end
end

function made.namespace(ctx)
  return ctx.key and (marks.split(ctx.key))
end

function made.id(ctx)
  return ctx.key and select(2, marks.split(ctx.key))
end

local Context = {}

function Context.__index(ctx, name)
  local make = made[name]
  local value = make and make(ctx)
  ctx[name] = value
  return value
end

--- @param host table
---@param policy operator.Policy
---@param block operator.Block what is logged goes here
---@param key? string nil for timers
---@param cause operator.Cause
---@return operator.Context
function context.new(host, policy, block, key, cause)
  return setmetatable({
    now = host.now(),
    policy = policy.name,
    key = key,
    cause = transcript.cause(cause),
    dry_run = host.options.dry_run,
    requeue = false, -- or when the key is to be worked again
    [BLOCK] = block,
  }, Context)
end

return context
