--- fake_host: the module `host` for one generation of a world: time is the virtual clock's, tasks are coroutines on it.

local escape = require "operator.testing.escape"

local interest = require "operator.testing.interest"

local fake_host = {}

--- A generation, or what stands outside of any.
---@class operator.testing.Scope
---@field world operator.testing.World
---@field number integer
---@field options host.Options
---@field tasks operator.testing.Tasks
---@field locks table<table, boolean> held or waited for
---@field timers table<table, boolean>
---@field closed boolean
---@field interest operator.testing.Interest

local function check_seconds(what, seconds)
  if type(seconds) ~= "number" or seconds ~= seconds then
    error(("%s: not a number of seconds"):format(what), 3)
  end
end

-- -- time

local function add_time(host, scope)
  local clock = scope.world.clock

  host.now = clock.now
  host.monotonic = clock.monotonic

  function host.random()
    return scope.world.random:number()
  end

  function host.sleep(seconds)
    check_seconds("host.sleep", seconds)
    local nothing = scope.tasks:wait("host.sleep", function(wake)
      local timer = clock.after(seconds, wake)
      return function()
        timer:stop()
      end
    end)
    return nothing
  end
end

local Timer = {}
Timer.__index = Timer
Timer.__metatable = "host.Timer"

function Timer:set(seconds)
  check_seconds("timer:set", seconds)
  self:stop()
  local scope = self.scope
  scope.timers[self] = true
  self.timer = scope.world.clock.after(seconds, function()
    scope.timers[self] = nil
    scope.world:call(scope, "a timer's function", self.fn)
  end)
end

function Timer:stop()
  if self.timer then
    self.timer:stop()
  end
  self.scope.timers[self] = nil
end

-- -- signals

local Signal = {}
Signal.__index = Signal
Signal.__metatable = "host.Signal"

function Signal:fire()
  local waiting = self.waiting
  self.waiting = {}
  for _, wake in ipairs(waiting) do
    if not wake.gone then
      wake.fn(true)
    end
  end
end

function Signal:wait(timeout)
  if timeout ~= nil then
    check_seconds("signal:wait", timeout)
  end
  local fired = self.scope.tasks:wait("signal:wait", function(wake)
    local entry = { fn = wake }
    table.insert(self.waiting, entry)
    local timer = timeout
      and self.scope.world.clock.after(timeout, function()
        entry.gone = true
        wake(false)
      end)
    entry.fn = function(value)
      if timer then
        timer:stop()
      end
      wake(value)
    end
    return function()
      entry.gone = true
      if timer then
        timer:stop()
      end
    end
  end)
  return fired
end

-- -- locks

local Lock = {}
Lock.__index = Lock
Lock.__metatable = "host.Lock"

--- Gives the lock to who has waited longest.
local function hand_on(world, key)
  local queue = world.locks[key]
  while queue[1] do
    local waiter = table.remove(queue, 1)
    if not waiter.gone then
      queue.holder = waiter.lock
      waiter.wake(waiter.lock)
      return
    end
  end
  world.locks[key] = nil
end

function Lock:release()
  local queue = self.scope.world.locks[self.key]
  self.scope.locks[self] = nil
  if queue and queue.holder == self then
    hand_on(self.scope.world, self.key)
  end
end

Lock.__close = Lock.release

local KEY_MAX = 4096

local function add_lock(host, scope)
  local world = scope.world
  function host.lock(key)
    if type(key) ~= "string" or #key > KEY_MAX then
      error("host.lock: a key is a string of at most 4096 bytes", 2)
    end
    local lock = setmetatable({ key = key, scope = scope }, Lock)
    local got = scope.tasks:wait("host.lock", function(wake)
      scope.locks[lock] = true
      local queue = world.locks[key]
      if not queue then
        world.locks[key] = { holder = lock }
        wake(lock)
        return function()
          lock:release()
        end
      end
      local waiter = { lock = lock, wake = wake }
      table.insert(queue, waiter)
      return function()
        waiter.gone = true
        lock:release()
      end
    end)
    return got
  end
end

-- -- logs and store

local LEVELS = { error = true, warn = true, info = true, debug = true }

local function add_logs(host, scope)
  local world = scope.world

  function host.log(level, message, fields, more)
    if not LEVELS[level] then
      error(
        ('host.log: the level is "error", "warn", "info" or "debug", not %q'):format(
          tostring(level)
        ),
        2
      )
    elseif type(message) ~= "string" then
      error("host.log: the message is a string", 2)
    end
    local shown = {}
    for _, some in ipairs { fields or {}, more or {} } do
      for name, value in pairs(some) do
        if type(name) ~= "string" then
          error("host.log: the name of a field is a string", 2)
        end
        shown[name] = tostring(value)
      end
    end
    world:record(level, message, shown, scope.number)
  end

  function host.block(text)
    table.insert(world.transcript, text)
  end

  function host.print(text)
    table.insert(world.output, text)
  end

  -- The option `answer` of the world is what the person says; nil: there is no terminal.
  function host.ask(question)
    table.insert(world.output, question .. " [y/N] ")
    return world.given.answer
  end

  host.escape = escape.text
end

local KEEPABLE = { string = true, number = true, boolean = true, ["nil"] = true }

local function add_store(host, scope)
  local world = scope.world

  function host.keep(key, value)
    if not KEEPABLE[type(value)] then
      error("host.keep: string, number, boolean or nil expected, got " .. type(value), 2)
    end
    world.kept[key] = value
  end

  function host.kept(key)
    return world.kept[key]
  end

  function host.count(name, value, labels)
    local names = {}
    for label in pairs(labels or {}) do
      names[#names + 1] = label
    end
    table.sort(names)
    for i, label in ipairs(names) do
      names[i] = ('%s="%s"'):format(label, labels[label])
    end
    local key = name .. (#names > 0 and "{" .. table.concat(names, ",") .. "}" or "")
    world.counters[key] = (world.counters[key] or 0) + value
  end

  function host.counter(name, labels)
    return function(value)
      host.count(name, value or 1, labels)
    end
  end

  function host.read_file(path)
    return world.files:read(path)
  end

  function host.list_dir(path)
    return world.files:list(path)
  end
end

--- The module for one generation.
---@param scope operator.testing.Scope
---@return table host
function fake_host.new(scope)
  local host = { version = "0.1.0", options = scope.options }
  add_time(host, scope)
  add_lock(host, scope)
  add_logs(host, scope)
  add_store(host, scope)

  function host.spawn(name, fn, done, ...)
    return scope.tasks:spawn(name, fn, done, ...)
  end

  function host.timer(fn)
    return setmetatable({ fn = fn, scope = scope }, Timer)
  end

  function host.resubscribe(reason, namespaces)
    if type(reason) ~= "string" then
      error("host.resubscribe: the reason is a string", 2)
    end
    return scope.world.feed:resubscribe(reason, namespaces)
  end

  function host.watch(topic, key)
    scope.interest:watch(topic, key)
  end

  function host.unwatch(topic, key)
    scope.interest:unwatch(topic, key)
  end

  host.keys = interest.keys

  function host.take_newest()
    return scope.interest:take_newest()
  end

  function host.signal()
    return setmetatable({ waiting = {}, scope = scope }, Signal)
  end

  return host
end

return fake_host
