--- world: a whole operator in one process: the model of Nomad, a virtual clock, and the Lua half of the operator driven
--- as the C host drives it. A policy author's spec runs thirty days in less than a second.

local clock = require "operator.testing.clock"
local commits = require "operator.testing.commits"
local current = require "operator.testing.current"
local feed = require "operator.testing.feed"
local files = require "operator.testing.files"
local lifecycle = require "operator.testing.lifecycle"
local looks = require "operator.testing.looks"
local model = require "operator.testing.model"
local network = require "operator.testing.network"
local random = require "operator.testing.random"

local world = {}

---@class operator.testing.WorldOptions
---@field scripts? string[] paths, as on the command line
---@field files? table<string, string> path → text; without `scripts` each *.lua of them is a script
---@field options? table what `host.options` says, where it differs from the program's defaults
---@field version? string of Nomad: "1.11.3" (default) or "1.4.3"
---@field nomad? table more options of the model
---@field parsed? table<string, table|string> job files that the model can parse: text → job
---@field token? string
---@field live? boolean false: no event stream, lists have to do
---@field latency? number seconds of a request, 0.002
---@field now? number seconds since the epoch
---@field seed? integer
---@field beside? operator.testing.World share its Nomad and its time: a second operator
---@field answer? boolean what the person at the terminal says; nil: there is none
---@field generation? table|fun(require: function): table instead of operator.generation

---@class operator.testing.Record
---@field level "error"|"warn"|"info"|"debug"
---@field message string
---@field fields table<string, string>
---@field generation integer
---@field at number

---@class operator.testing.World
---@field nomad operator.testing.Model
---@field clock operator.testing.Clock
---@field network operator.testing.Network
---@field feed operator.testing.Feed
---@field files operator.testing.Files
---@field log operator.testing.Record[]
---@field output string[] what host.print was given
---@field transcript string[] what host.block was given
---@field counters table<string, number>
---@field kept table<string, any>
---@field current operator.testing.Generation?
---@field candidate operator.testing.Generation?
---@field has_stream boolean
local World = {}
World.__index = World

--- Seconds of virtual time that start, reload, run and stop take at most.
local PATIENCE = 600
--- What settle takes for one turn of the world, and when it gives up. Seconds.
local GAP, MOST = 0.1, 60

local DEFAULTS = {
  command = "run",
  instance = "default",
  namespaces = {},
  dry_run = false,
  yes = false,
  release = false,
  max_delete = -1,
  write_rate = 0,
  cross_namespace = {},
  log_format = "text",
  log_level = "info",
  address = "http://127.0.0.1:4646",
}

local function host_options(given, args)
  local options = { args = args }
  for _, part in ipairs { DEFAULTS, given or {} } do
    for name, value in pairs(part) do
      options[name] = value
    end
  end
  return options
end

local function model_options(given, time)
  local options = {
    clock = time,
    version = given.version,
    parsed = given.parsed,
    seed = given.seed,
  }
  for name, value in pairs(given.nomad or {}) do
    options[name] = value
  end
  return options
end

---@param given? operator.testing.WorldOptions
---@return operator.testing.World
function world.new(given)
  given = given or {}
  local beside = given.beside
  local self = setmetatable({
    given = given,
    clock = beside and beside.clock or clock.new(given.now),
    files = files.new(given.files or {}),
    random = random.new(given.seed),
    has_stream = given.live ~= false,
    log = {},
    output = {},
    transcript = {},
    counters = {},
    kept = {},
    locks = {},
    built = 0,
  }, World)
  self.host_options = host_options(given.options, given.scripts or self.files:scripts())
  self.nomad = beside and beside.nomad or model.new(model_options(given, self.clock))
  self.network = network.new(self.nomad, self.clock, given)
  self.feed = feed.new(self)
  self.outside = lifecycle.scope(self, 0)
  current.set(self)
  return self
end

-- -- time

local UNITS = { ms = 0.001, s = 1, m = 60, h = 3600, d = 86400 }

local NO_DURATION = 'a duration is a number of seconds or like "90s", "1h30m", "30d"; not %q'

local function seconds_of(text)
  if type(text) == "number" then
    return text
  end
  local total, rest = 0, tostring(text)
  repeat
    local number, unit, after = rest:match "^([%d.]+)(%a+)(.*)$"
    if not UNITS[unit] then
      error(NO_DURATION:format(text), 3)
    end
    total, rest = total + tonumber(number) * UNITS[unit], after
  until rest == ""
  return total
end

--- Lets time pass.
---@param duration number|string seconds, or "5s", "1h30m", "30d"
function World:advance(duration)
  self.clock.advance(seconds_of(duration))
end

--- Runs until nothing is ready; time moves on by no more than small latencies.
function World:settle()
  self.clock.settle(GAP, MOST)
end

-- Runs the world until `ready`; false when that takes too long.
function World:run_until(ready, patience)
  local limit = self.clock.now() + (patience or PATIENCE)
  while not ready() do
    if not self.clock.step(limit) then
      return false
    end
  end
  return true
end

-- -- what the host does for the generations

---@param level "error"|"warn"|"info"|"debug"
---@param message string
---@param fields table<string, string>
---@param generation integer
function World:record(level, message, fields, generation)
  table.insert(self.log, {
    level = level,
    message = message,
    fields = fields,
    generation = generation,
    at = self.clock.now(),
  })
end

--- A protected call of a script's function outside any task. An error goes to the log.
---@param scope operator.testing.Scope
---@param what string
---@param fn function
---@return boolean ok
---@return any result
function World:call(scope, what, fn, ...)
  if scope.closed then
    return false
  end
  local running = scope.tasks.running
  scope.tasks.running = nil
  local trace
  local ok, result = xpcall(fn, function(err)
    trace = debug.traceback(tostring(err), 2)
    return err
  end, ...)
  scope.tasks.running = running
  if not ok then
    local text = ("%s: %s"):format(what, tostring(result))
    self:record("error", text, { trace = trace }, scope.number)
  end
  return ok, result
end

--- Calls a method of a generation.
---@param record operator.testing.Generation
---@param method string
---@return boolean ok
---@return any result
function World:tell(record, method, ...)
  return self:call(record.scope, "generation:" .. method, record.gen[method], record.gen, ...)
end

--- The generations that get events: the one that works, and the one that is to follow it.
---@return operator.testing.Generation[]
function World:receivers()
  local list = {}
  if self.current and self.current.state == "working" then
    list[1] = self.current
  end
  list[#list + 1] = self.candidate
  return list
end

-- -- what a spec does

local function build(self)
  self.built = self.built + 1
  local record = lifecycle.load(self, self.built)
  lifecycle.start(self, record)
  return record
end

local function raise(err)
  if type(err) == "table" and getmetatable(err) == nil then
    err = tostring(err.message or err.code)
  end
  error(err, 0)
end

--- Loads the scripts and starts the operator. Raises what loading or starting raises; false: it still waits (Nomad
--- does not answer), and goes on when time does.
---@param patience? number|string how long to wait for it
---@return boolean
function World:start(patience)
  current.set(self)
  local record = build(self)
  local done = self:run_until(function()
    return record.state ~= "starting"
  end, patience and seconds_of(patience))
  if record.state == "refused" then
    raise(record.error)
  end
  if done then
    self:settle()
  end
  return done
end

--- As a SIGHUP does: builds a new generation, which takes over if it loads and starts. Does not wait. A second one
--- while it is being built leads to one more afterwards.
---@param changed? table<string, string|false> files that change before; false removes one
function World:hup(changed)
  self.files:put(changed or {})
  if self.candidate then
    self.again = true
    return
  end
  self.again = false
  local ok, record = pcall(build, self)
  if not ok then
    self.last = { state = "refused", error = record }
    local text = "Reload refused, the old generation goes on: " .. tostring(record)
    self:record("error", text, {}, self.built)
    return
  end
  self.last = record
end

--- A SIGHUP, and waits for what becomes of it.
---@param changed? table<string, string|false>
---@return boolean? ok nil: refused
---@return any error
function World:reload(changed)
  self:hup(changed)
  local done = self:run_until(function()
    if not self.candidate and self.again then
      self:hup()
    end
    return not self.candidate
  end)
  if self.last.state == "refused" then
    return nil, self.last.error
  end
  self:settle()
  return done
end

--- The network breaks: requests are refused, the stream is lost.
---@param reason? string
function World:disconnect(reason)
  self.network.up = false
  self.feed:lost(reason or "the connection broke")
end

--- Only the stream breaks; requests go on.
---@param reason? string
function World:lose_stream(reason)
  self.feed:lost(reason or "the connection broke")
end

--- The network is there again, and the stream.
function World:reconnect()
  self.network.up = true
  if self.feed.interests and not self.feed.connected then
    self.feed:open(self.feed.interests)
  end
end

--- The host had to drop events.
---@param reason? string
function World:gap(reason)
  for _, record in ipairs(self:receivers()) do
    self:tell(record, "gap", reason or "too many at once")
  end
end

--- Trouble with requests; see operator.testing.Fault. Returns how to end it.
---@param fault operator.testing.Fault
---@return fun()
function World:fault(fault)
  return self.network:fault(fault)
end

--- From now on events come before what they tell of can be read, as Nomad's do (theirs only for a moment).
---@param seconds number
---@return fun() stop
function World:delay_commits(seconds)
  local stop = commits.delay(self.nomad, self.clock, seconds)
  self.network.commit = seconds
  return function()
    self.network.commit = 0
    stop()
  end
end

--- As SIGTERM does. True when everything that was in flight came to its end.
---@return boolean
function World:stop()
  local record = self.current
  if self.candidate then
    lifecycle.close(self.candidate.scope)
    self.candidate = nil
  end
  if not record then
    return true
  end
  lifecycle.drain(self, record, "shutdown")
  self:run_until(function()
    return record.scope.closed
  end)
  self.feed:forget()
  self.current = nil
  return record.drained
end

--- As kill -9 does; start begins again from nothing.
function World:kill()
  for _, record in ipairs { self.current or false, self.candidate or false } do
    if record then
      lifecycle.close(record.scope, true)
    end
  end
  self.feed:forget()
  self.current, self.candidate, self.again = nil, nil, false
  self.kept, self.locks, self.built = {}, {}, 0
end

--- Runs a function as a task of no generation, until it ends. Returns what it returns, raises what it raises.
---@param fn function
---@param ... any
---@return any ...
function World:run(fn, ...)
  current.set(self)
  return self:run_in(self.outside, fn, ...)
end

function World:run_in(scope, fn, ...)
  local over, ok, results = false, false, nil
  scope.tasks:spawn("spec", function(...)
    return table.pack(fn(...))
  end, function(went_well, value, trace)
    over, ok, results = true, went_well, value
    if not went_well and type(value) == "string" then
      results = value .. "\n" .. trace
    end
  end, ...)
  if not self:run_until(function()
    return over
  end) then
    error(("the task still waits after %d seconds"):format(PATIENCE), 2)
  elseif not ok then
    error(results, 0)
  end
  return table.unpack(results, 1, results.n)
end

--- Runs a command of the program that is written in Lua: plan, check, exec.
---@param name string
---@param ... any
---@return integer exit code
---@return string output
function World:command(name, ...)
  local scope = lifecycle.scope(self, 1, { command = name })
  local before = #self.output
  local command = scope.require "operator.command"
  local code = self:run_in(scope, command[name], ...)
  lifecycle.close(scope)
  return code, table.concat(self.output, "", before + 1)
end

--- A module as the working generation has it.
---@param name string
---@return any
function World:require(name)
  return (self.current and self.current.require or self.outside.require)(name)
end

-- -- what a spec looks at

for name, method in pairs(looks) do
  World[name] = method
end

--- The lines of SIGUSR1.
---@return string[]
function World:status()
  local _, lines = self:tell(self.current, "status")
  return lines
end

return world
