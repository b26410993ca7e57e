-- run: one run of chaos: a list of steps from a seed, carried out in a world, then calm, then the verdict. The same
-- seed gives the same run, and so does each part of its steps.
local audit = require "chaos.audit"
local budget = require "chaos.budget"
local Dice = require "chaos.dice"
local expected = require "chaos.expected"
local people = require "chaos.people"
local policies = require "chaos.policies"
local testing = require "operator.testing"
local weather = require "chaos.weather"

local run = {}

-- Virtual seconds: two resyncs and a retry of the stream; then an hour in which nothing may be written.
local CALM, HOUR = 1500, 3600
local LOOK = 10

-- Virtual seconds that the stream is away at the very end, and what people do meanwhile.
local GAP = 30
local GAP_DEEDS = { "register", "flip", "edit_child", "end_child", "end_source", "register" }

local OPERATOR = { { 5, "reload" }, { 2, "kill" }, { 1, "edit_policy" } }
-- Where the budget is the usual one, policies are withdrawn more often.
local TRIED_BUDGET = { { 5, "reload" }, { 1, "kill" }, { 3, "withdraw" } }

-- Most steps follow closely on each other; some leave time for backoffs and resyncs.
local function pause(dice)
  return dice:weighted {
    { 4, dice:between(0, 0.02) },
    { 4, dice:between(0.02, 1) },
    { 4, dice:between(1, 15) },
    { 1, dice:between(15, 100) },
    { 0.15, dice:between(100, 900) },
  }
end

-- So many jobs are registered before anything goes wrong.
local FIRST_JOBS = 12

-- The steps of a seed, with so many faults.
function run.steps(seed, faults)
  local dice, steps, made = Dice.new(seed), {}, 0
  for i = 1, FIRST_JOBS do
    steps[i] = { kind = "people", name = "register", seed = dice:seed(), pause = 0.5 }
  end
  -- Each start heals what came before it: half of the runs have few of them.
  local starts = seed % 4 < 2 and 1 or 0.1
  local weights = {
    weather = weather.WEIGHTS,
    people = people.WEIGHTS,
    operator = run.settings(seed).max_delete < 0 and TRIED_BUDGET or OPERATOR,
  }
  while made < faults do
    local kind = dice:weighted { { 10, "weather" }, { 10, "people" }, { starts, "operator" } }
    local name = dice:weighted(weights[kind])
    steps[#steps + 1] = { kind = kind, name = name, seed = dice:seed(), pause = pause(dice) }
    made = made + (kind == "weather" and 1 or 0)
  end
  return steps
end

local Run = {}
Run.__index = Run

-- The settings of a run, from its seed: which Nomad, and whose budget.
function run.settings(seed)
  return {
    seed = seed,
    version = seed % 3 == 0 and "1.4.3" or "1.11.3",
    -- A third of the runs has the usual budget; what it refuses is confirmed in the end, by a restart.
    max_delete = seed % 3 == 1 and -1 or 100000,
    new_servers = seed % 2 == 0,
    -- A third has no resync once all is calm: what a resync would heal in time must then be right without one.
    no_resync = seed % 2 == 1 and seed % 3 ~= 1,
  }
end

local function new(settings)
  local self = setmetatable({ settings = settings, said = {}, versions = {} }, Run)
  self.version = policies.first()
  self.world = testing.world {
    scripts = policies.SCRIPTS,
    files = policies.files(self.version),
    version = settings.version,
    seed = settings.seed,
    nomad = { launch = true },
    options = { max_delete = settings.max_delete },
  }
  self.nomad = self.world.nomad
  self.nomad:namespace "ops"
  self.audit = audit.attach(self.nomad)
  self.budget = budget.watch(self.nomad, self.audit)
  self.weather = weather.new(self.world)
  self.weather.new_servers = settings.new_servers
  function self.weather.restored()
    self.budget:withdraw(false) -- owners are as before, though something happened to them
  end
  return self
end

-- -- the operator's process

-- Which version of the policies a generation was built from.
function Run:note_version()
  local record = self.world.candidate
  if record and not self.versions[record] then
    self.versions[record] = self.version
  end
end

-- As a supervisor does: starts the program when it does not run.
function Run:supervise()
  local world = self.world
  if not world.current and not world.candidate then
    world:kill()
    pcall(world.start, world, 0) -- a script that does not load: exit code 1, and tried again
    self:note_version()
  elseif world.again and not world.candidate then
    world:hup()
    self:note_version()
  end
end

local operator_steps = {}

local function load_version(self, version)
  self.version = version
  self.budget:withdraw(self.version.withdrawn)
  self.world:hup(policies.files(self.version))
  self:note_version()
  return "reload: " .. self:show_version()
end

function operator_steps.reload(self, dice)
  return load_version(self, policies.next(dice))
end

-- Everything is wanted no more, by mistake; somebody mends that with a reload.
function operator_steps.withdraw(self)
  local version = policies.first()
  version.withdrawn = true
  return load_version(self, version)
end

function operator_steps.edit_policy(self, dice)
  self.version = policies.next(dice)
  self.world.files:put(policies.files(self.version))
  return "policies on disk: " .. self:show_version()
end

function operator_steps.kill(self)
  self.world:kill()
  self.budget:restart()
  return "kill -9"
end

function Run:show_version()
  local version, words = self.version, {}
  for _, name in ipairs { "withdrawn", "raises", "broken" } do
    if version[name] then
      words[#words + 1] = ("%s (%s)"):format(name, version[name])
    end
  end
  words[#words + 1] = version.schedule .. " level " .. version.level
  return table.concat(words, ", ")
end

-- -- steps

function Run:step(step)
  local dice = Dice.new(step.seed)
  local said
  if step.kind == "weather" then
    said = weather.kinds[step.name](self.weather, dice)
  elseif step.kind == "people" then
    said = people.deeds[step.name](self.nomad, dice)
  else
    said = operator_steps[step.name](self, dice)
  end
  self.said[#self.said + 1] = ("%9.2f  %s"):format(self.world.clock.monotonic(), said)
  self.world:advance(step.pause)
  self:supervise()
end

-- -- the verdict

function Run:running_version()
  return self.versions[self.world.current]
end

-- All troubles end; the policies are good ones and loaded.
function Run:calm()
  local world = self.world
  self.weather:calm()
  self:supervise()
  local running = self:running_version()
  local settled = running == self.version and not world.candidate
  if self.settings.no_resync or not (running and settled and policies.good(running)) then
    if self.settings.no_resync or not policies.good(self.version) then
      self.version = policies.first()
      self.version.resync = not self.settings.no_resync and "10m"
    end
    world:hup(policies.files(self.version))
    self:note_version()
  end
  self.said[#self.said + 1] = ("%9.2f  calm, with %s"):format(
    world.clock.monotonic(),
    self:show_version()
  )
end

function Run:differences()
  local list = expected.differences(self.nomad, self.version)
  if self:running_version() ~= self.version then
    table.insert(list, "the operator does not run the policies that are on disk")
  end
  return list
end

-- Waits until all is right; returns what is not, and how long it took.
function Run:wait_right(seconds)
  local began = self.world.clock.now()
  local list
  repeat
    self.world:advance(LOOK)
    self:supervise()
    list = self:differences()
  until #list == 0 or self.world.clock.now() - began >= seconds
  return list, self.world.clock.now() - began
end

local function refusals(world)
  local count = 0
  for name, value in pairs(world.counters) do
    if name:find "^sweep_refused_total" then
      count = count + value
    end
  end
  return count
end

-- A person says that the removals that were refused are meant.
function Run:confirm()
  local world = self.world
  world:kill()
  world.host_options.max_delete = 100000
  self:supervise()
  self.confirmed = true
end

-- Once all is calm a child is written once, to be right; once more where an answer was still under way.
local WRITES = 2

function Run:count_writes(list)
  for key, count in pairs(self.audit.changes) do
    if count > WRITES then
      list[#list + 1] = ("%s was written %d times after the last change"):format(key, count)
    end
  end
end

-- The stream is away while people go on. Without a resync only the list of the next connect can tell of that.
function Run:gap()
  local dice = Dice.new(self.settings.seed)
  self.audit:reset()
  self.weather:lose_stream("a last gap", GAP)
  for _, name in ipairs(GAP_DEEDS) do
    local said = people.deeds[name](self.nomad, dice)
    self.said[#self.said + 1] = ("%9.2f  in the gap: %s"):format(self.world.clock.monotonic(), said)
    self.world:advance(1)
  end
  local list = self:wait_right(CALM)
  self:count_writes(list)
  return list
end

function Run:verdict()
  self.audit:reset()
  local list, took = self:wait_right(CALM)
  if #list > 0 and self.settings.max_delete < 0 and refusals(self.world) > 0 then
    self:confirm()
    list, took = self:wait_right(CALM)
  end
  self.world:advance(CALM) -- a resync or two more, for what looked right only by chance
  self:count_writes(list)
  if self.settings.no_resync and #list == 0 then
    list = self:gap()
  end
  self.audit:reset()
  self.world:advance(HOUR)
  for _, text in ipairs(#list == 0 and self:differences() or {}) do
    list[#list + 1] = "an hour later: " .. text
  end
  if self.audit.tried > 0 then
    list[#list + 1] = ("%d writes in an hour in which nothing happened"):format(self.audit.tried)
  end
  if self.settings.max_delete < 0 then
    table.move(self.budget.violations, 1, #self.budget.violations, #list + 1, list)
  end
  table.move(self.audit.violations, 1, #self.audit.violations, #list + 1, list)
  return list, took
end

-- Errors of our own that the operator only logged: a traceback says that something was not foreseen.
local function surprises(world, out)
  for _, record in ipairs(world.log) do
    local text = record.message
    if
      record.fields.trace and not text:find("chaos", 1, true) or text:find("traceback", 1, true)
    then
      if not text:find("operator.lua", 1, true) and not text:find "refused" then
        out[#out + 1] = "logged: " .. text .. "\n" .. (record.fields.trace or "")
      end
    end
  end
  for _, text in ipairs(world.transcript) do
    local place = text:find "stack traceback" and not text:find(": chaos", 1, true)
    if place then
      out[#out + 1] = "said: " .. text
    end
  end
end

-- Carries out steps. Returns { wrong = list of sentences, said, took, run }.
function run.carry_out(steps, settings)
  local self = new(settings)
  local ok, err = xpcall(function()
    self:supervise()
    for _, step in ipairs(steps) do
      self:step(step)
    end
    self:calm()
    self.wrong, self.took = self:verdict()
    surprises(self.world, self.wrong)
  end, debug.traceback)
  if not ok then
    self.wrong = { "it broke: " .. tostring(err) }
  end
  return self
end

return run
