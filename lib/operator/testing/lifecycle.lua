--- lifecycle: generations of a world, as the host handles them: load, start, swap, drain, close.

local fake_host = require "operator.testing.fake_host"
local fake_nomad = require "operator.testing.fake_nomad"
local interest = require "operator.testing.interest"
local modules = require "operator.testing.modules"
local tasks = require "operator.testing.tasks"

local lifecycle = {}

--- How long an old generation may drain, and how often it is looked at. Seconds; the second is more than settle spans.
local DRAIN, LOOK = 30, 0.2

---@class operator.testing.Generation
---@field number integer
---@field gen operator.Generation
---@field scope operator.testing.Scope
---@field interests table
---@field state "loading"|"starting"|"working"|"draining"|"refused"|"closed"
---@field error any why it was refused
---@field drained boolean? it came to its end before the deadline
---@field require fun(name: string): any its own modules

--- The surroundings of one generation: its own `host`, `host.nomad`, tasks and modules.
---@param world operator.testing.World
---@param number integer
---@param changes? table other options
---@return operator.testing.Scope
function lifecycle.scope(world, number, changes)
  local options = { generation = number }
  for _, part in ipairs { world.host_options, changes or {} } do
    for name, value in pairs(part) do
      options[name] = value
    end
  end
  local scope = {
    world = world,
    number = number,
    options = options,
    locks = {},
    timers = {},
    closed = false,
    interest = interest.new(),
  }
  scope.tasks = tasks.new(world.clock, {
    call = function(what, fn, ...)
      return world:call(scope, what, fn, ...)
    end,
    failed = function(task, err, trace)
      local text = ("task %s: %s"):format(task.name, tostring(err))
      world:record("error", text, { trace = trace }, number)
    end,
    error = function(fields)
      return scope.nomad.error(fields)
    end,
  })
  scope.host = fake_host.new(scope)
  scope.nomad = fake_nomad.new(scope)
  scope.require = modules.loader { host = scope.host, ["host.nomad"] = scope.nomad }
  return scope
end

--- Ends what belongs to a generation. Killed: without a word.
---@param scope operator.testing.Scope
---@param killed? boolean
function lifecycle.close(scope, killed)
  if scope.closed then
    return
  end
  if killed then
    scope.tasks:abandon()
  else
    scope.tasks:close()
  end
  scope.closed = true
  for timer in pairs(scope.timers) do
    timer:stop()
  end
  for lock in pairs(scope.locks) do
    lock:release()
  end
end

local function constructor(world, scope)
  local given = world.given.generation
  if type(given) == "function" then
    return given(scope.require)
  end
  return given or scope.require "operator.generation"
end

--- Builds and loads a generation. Raises what loading raises.
---@param world operator.testing.World
---@param number integer
---@return operator.testing.Generation
function lifecycle.load(world, number)
  local scope = lifecycle.scope(world, number)
  local ok, record = pcall(function()
    local gen = constructor(world, scope).new()
    return {
      number = number,
      gen = gen,
      scope = scope,
      interests = gen:load(),
      state = "loading",
      require = scope.require,
    }
  end)
  if not ok then
    lifecycle.close(scope)
    error(record, 0)
  end
  return record
end

local function drained(world, record)
  local ok, idle = world:tell(record, "idle")
  return not ok or idle
end

--- Stops a generation, waits until nothing of it is in flight, and closes it.
---@param world operator.testing.World
---@param record operator.testing.Generation
---@param reason "reload"|"shutdown"
function lifecycle.drain(world, record, reason)
  record.state = "draining"
  world:tell(record, "stop", reason)
  local deadline = world.clock.now() + DRAIN
  local function look()
    if record.scope.closed then
      return
    end
    record.drained = drained(world, record)
    if record.drained or world.clock.now() >= deadline then
      lifecycle.close(record.scope)
      record.state = "closed"
    else
      world.clock.after(LOOK, look)
    end
  end
  look()
end

local function same_list(a, b)
  return table.concat(a, ",") == table.concat(b, ",")
end

local function list_of(value)
  return type(value) == "table" and value or { value }
end

local function same_interests(a, b)
  return same_list(list_of(a.namespace), list_of(b.namespace)) and same_list(a.topics, b.topics)
end

local function swap(world, record)
  local old = world.current
  world.current, world.candidate = record, nil
  record.state = "working"
  world:tell(record, "work")
  if old then
    lifecycle.drain(world, old, "reload")
    if not same_interests(old.interests, record.interests) then
      world.feed:open(record.interests)
    end
  end
end

--- Runs the start task of a loaded generation; when it returns, the generation takes over.
---@param world operator.testing.World
---@param record operator.testing.Generation
function lifecycle.start(world, record)
  local first = world.current == nil
  world.candidate = record
  record.state = "starting"
  if first then
    world.feed:open(record.interests)
  elseif world.feed.connected then
    world:tell(record, "connected", world.feed.epoch, world.feed.live)
  end
  record.scope.tasks:spawn("start", function()
    record.gen:start(first)
  end, function(ok, err, trace)
    if world.candidate ~= record then
      return
    elseif ok then
      swap(world, record)
      return
    end
    record.state, record.error = "refused", err
    world.candidate = nil
    local text = "The generation is refused: " .. tostring(err)
    world:record("error", text, { trace = trace }, record.number)
    world.clock.after(0, function()
      lifecycle.close(record.scope)
    end)
  end)
end

return lifecycle
