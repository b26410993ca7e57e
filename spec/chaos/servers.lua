-- servers: one run of chaos on three real servers and a client agent: people, policies, kill -9 of the operator,
-- outages; then calm, then the verdict. Time is real here and no two runs are alike; the seed decides what is done.
local uv = require "luv"
local agents = require "support.agents"
local cluster = require "chaos.cluster"
local Dice = require "chaos.dice"
local expected = require "chaos.expected"
local http = require "support.http"
local nomad = require "support.nomad"
local outages = require "chaos.outages"
local people = require "chaos.people"
local policies = require "chaos.policies"
local ports = require "support.ports"
local process = require "support.process"
local relay = require "chaos.relay"
local wait = require "support.wait"
local wire = require "chaos.wire"

local Run = {}
Run.__index = Run

-- Seconds: until the servers have found together, until all is right then, and in which nothing more may be written.
local WHOLE, PATIENCE, QUIET = 90, 120, 25

local FIRST_JOBS = 10

-- So many starts that end because of broken policies are enough for somebody to mend them.
local MENDED = 4

local OPERATOR = { { 3, "reload" }, { 2, "kill" } }

-- Once all is calm a child is written once, to be right; once more where an answer was still under way.
local WRITES = 2

local function now()
  uv.update_time()
  return uv.now() / 1000
end

function Run:tell(text, ...)
  local line = ("%7.1f  %s"):format(
    now() - self.began,
    select("#", ...) > 0 and text:format(...) or text
  )
  self.lines[#self.lines + 1] = line
  if self.say then
    self.say(line)
  end
end

function Run:wrong_is(text, ...)
  self.wrong[#self.wrong + 1] = text:format(...)
end

-- -- the operator's process

local function write_file(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

function Run:load(version)
  self.version = version
  for path, text in pairs(policies.files(version)) do
    write_file(self.scripts .. "/" .. path:match "[^/]+$", text)
  end
  self.wire:load(version)
end

-- The agent that the operator asks; through the client agent it is one that the client chose.
function Run:served_by()
  return self.through.role == "server" and self.through or self.dice:pick(self.agents.servers)
end

function Run:start()
  self.through = self.dice:pick(self.agents.list)
  self.relay.target = self.through.port
  self.started, self.started_with = now(), self.version
  self.operator = process.operator {
    "run",
    "-log-format",
    "logfmt",
    "-log-level",
    "debug",
    "-address",
    "http://127.0.0.1:" .. self.relay.port,
    "-http-addr",
    "127.0.0.1:" .. self.admin,
    "-max-delete",
    "100000",
    self.scripts,
  }
  self.wire:began()
  self.starts = self.starts + 1
end

local function keep_log(self)
  local file = assert(io.open(self.dir .. "/operator.log", "a"))
  file:write(self.operator.stdout, self.operator.stderr, "-- ended\n")
  file:close()
end

function Run:kill()
  self.operator:signal "sigkill"
  self.operator:wait(10)
  keep_log(self)
  self.killed = true
end

-- Broken policies were a reason not to start: some time later somebody mends them.
function Run:note_end()
  self.refused = self.started_with.broken and not self.killed and self.refused + 1 or 0
  if self.refused >= MENDED then
    self:tell "policies that do not load are mended"
    self:load { schedule = "@hourly", level = "2", resync = self.resync }
  end
end

-- As a supervisor does: starts it when it does not run. Only policies that do not load are a reason to end.
function Run:supervise()
  if self.operator:running() or now() - self.started < 1 then
    return
  end
  if not self.killed then
    pcall(self.operator.wait, self.operator, 2)
    keep_log(self)
    if self.operator.stderr:find("SIGTERM: finishing", 1, true) then
      self:wrong_is "somebody outside this run ended the operator with a SIGTERM"
    elseif not self.started_with.broken then
      local text = "the operator ended by itself, with code %s, signal %s; %s"
      local one = self.operator
      self:wrong_is(text, tostring(one.code), tostring(one.signalled), one:said())
    end
  end
  self:note_end()
  self.killed = false
  self:start()
end

-- True when the policies on disk are those that run: nothing was loaded since, or it has taken over.
function Run:is_loaded()
  local said = self.operator.stderr
  local last = said:match "^.*()SIGHUP: loading"
  if last then
    return said:find("has taken over", last, true) ~= nil
  end
  return self.started_with == self.version
end

local operator_steps = {}

function operator_steps.reload(self)
  local version = policies.next(self.dice)
  version.withdrawn = nil -- whether a removal was meant would be hard to say
  version.resync = self.resync
  self:load(version)
  -- A signal that comes before the program is ready for it would end it.
  if self.operator.stderr:find "Synced" then
    self.operator:signal "sighup"
  end
  local kind = version.broken and "broken: " .. version.broken
    or version.raises and "raises"
    or "good"
  return ("policies: %s, %s, level %s"):format(kind, version.schedule, version.level)
end

function operator_steps.kill(self)
  self:kill()
  self:supervise()
  return "kill -9 of the operator; it goes on through " .. self.through.name
end

-- -- the servers

-- Each of the cluster's agents that ended by itself (a port was taken, say) is started again.
function Run:tend()
  for _, one in ipairs(self.agents.list) do
    if one.process and not one.process:running() then
      self:tell("%s ended by itself; %s", one.name, one.process:said():sub(-300))
      one:finish "sigkill"
      one:launch()
    end
  end
end

function Run:begin_outage()
  local name = self.next_outage()
  local left = self.over - now()
  if self.long and left > 200 and not self.had_silence and self.dice:chance(0.3) then
    name, self.had_silence = "long_silence", true
  end
  local text, seconds, finish = outages.kinds[name](self, self.dice)
  self.outages = self.outages + 1
  self:tell("%s, for %.1f s", text, seconds)
  self.outage = { finish = finish, at = now() + seconds }
end

function Run:end_outage()
  local text = self.outage.finish()
  self.outage, self.leaderless = nil, now()
  if text then
    self:tell("%s", text)
  end
end

function Run:note_leader()
  local leader = self.agents:leader()
  if leader and leader ~= self.leader then
    if self.leader then
      self.changes = self.changes + 1
    end
    self.leader = leader
    self:tell("the leader is %s", leader.name)
  end
  return leader
end

-- One outage after the other: the next begins when there is a leader again, or long was none.
function Run:outage_step()
  if self.outage then
    if now() >= self.outage.at then
      self:end_outage()
    end
  elseif self.leaderless then
    if self:note_leader() or now() - self.leaderless > 30 then
      self.leaderless, self.rest = nil, now() + self.dice:between(1, 5)
    end
  elseif now() >= self.rest then
    self:begin_outage()
  end
end

function Run:step()
  local dice = self.dice
  self:outage_step()
  if dice:chance(self.restless) then
    self:tell("%s", operator_steps[dice:weighted(OPERATOR)](self))
  else
    local deed = people.deeds[dice:weighted(people.WEIGHTS)]
    self.deeds = self.deeds + 1
    -- While there is no leader nobody can do anything.
    if not pcall(deed, self.cluster, dice) then
      self.failed_deeds = self.failed_deeds + 1
    end
  end
  wait.pass(dice:between(0.05, 0.5))
  self:supervise()
  self:tend()
end

-- -- calm, and the verdict

function Run:calm()
  if self.outage then
    self:end_outage()
  end
  self:tell "calm"
  self.calm_at = now()
  self:tend()
  local ok, err = pcall(self.agents.wait_healthy, self.agents, WHOLE)
  if not ok then
    error("the servers did not find together: " .. err, 0)
  end
  self:note_leader()
  self:supervise()
  -- What is loaded is left if it can be: a reload would look at all jobs anew, and so heal what was missed.
  if not (policies.good(self.version) and self:is_loaded()) then
    self:load { schedule = "@weekly", level = "7", resync = self.resync }
    wait.poll(PATIENCE, function()
      return self.operator:said()
    end, function()
      self:supervise()
      return self.operator.stderr:find "Synced" ~= nil
    end)
    self.operator:signal "sighup"
    self:tell "policies: good ones, for the end"
  end
end

function Run:differences()
  self:supervise()
  self:tend() -- the last deeds may purge a job whose first plan is being applied: Nomad 1.11.3 crashes by that
  local ok, list = pcall(expected.differences, self.cluster, self.version)
  return ok and list or { tostring(list) }
end

function Run:is_ready()
  local answer = http.request { port = self.admin, path = "/ready", timeout = 3 }
  return answer and answer.status == 200, answer and answer.body or "no answer"
end

function Run:wait_right()
  self.wire:reset()
  local list
  pcall(wait.poll, PATIENCE, "it does not become right", function()
    list = self:differences()
    return #list == 0
  end)
  table.move(list, 1, #list, #self.wrong + 1, self.wrong)
  for key, count in pairs(self.wire.changes) do
    if count > WRITES then
      self:wrong_is("%s was written %d times after the last change", key, count)
    end
  end
end

-- The last changes: they must arrive though all that went wrong is over.
local function last_deeds(self)
  for _, name in ipairs { "register", "flip", "edit_child", "end_child", "end_source", "flip" } do
    people.deeds[name](self.cluster, self.dice)
  end
end

function Run:verdict()
  self:wait_right()
  self.took = now() - self.calm_at
  self:tell("%s; some last changes", #self.wrong == 0 and "right" or "WRONG")
  last_deeds(self)
  self:wait_right()
  self:tell("%s; now nothing may be written", #self.wrong == 0 and "right" or "WRONG")
  wait.pass(2) -- an answer may still be under way
  self.wire:reset()
  wait.pass(QUIET)
  if self.wire.tried > 0 then
    self:wrong_is("%d writes in %d s in which nothing happened", self.wire.tried, QUIET)
  end
  for _, text in ipairs(#self.wrong == 0 and self:differences() or {}) do
    self:wrong_is("later: %s", text)
  end
  local ready, text = self:is_ready()
  if not ready then
    self:wrong_is("/ready says no: %s", text)
  end
  local list = self.wire:verdict()
  table.move(list, 1, #list, #self.wrong + 1, self.wrong)
end

-- -- the whole

local function begin(self)
  self.agents:launch()
  self.agents:wait_healthy(60)
  self:note_leader()
  self.cluster:namespace "ops"
  for _ = 1, FIRST_JOBS do
    people.deeds.register(self.cluster, self.dice)
  end
  self:load(policies.first())
  self.version.resync = self.resync
  self:load(self.version)
  self:start()
  self.operator:wait_for("Synced", 30)
  self:tell("the operator works, through %s", self.through.name)
end

-- Has it done as much as was asked for? On a busy machine the same time holds less.
local function is_enough(self, least)
  return self.outages >= (least.outages or 0)
    and self.deeds >= (least.deeds or 0)
    and self.wire.total >= (least.writes or 0)
end

local function carry_out(self, options)
  begin(self)
  self.over, self.rest = now() + options.seconds, now() + 2
  local last = self.over + 2 * options.seconds
  while now() < self.over or (now() < last and not is_enough(self, options.least or {})) do
    self:step()
  end
  self:calm()
  self:verdict()
end

-- Ends all that runs. The directory stays where something was wrong: the logs of all are in it.
function Run:close()
  if self.operator then
    self.operator:signal "sigterm"
    if not pcall(self.operator.wait, self.operator, 15) then
      self:wrong_is("the operator does not end by SIGTERM; %s", self.operator:said())
      self.operator:stop()
    end
    keep_log(self)
  end
  self.relay:close()
  self.agents:halt()
  if #self.wrong == 0 then
    process.run { "rm", "-rf", self.dir }
  else
    write_file(self.dir .. "/run.log", table.concat(self.lines, "\n") .. "\n")
  end
end

-- What passes between the operator and Nomad is judged, and goes to a log.
local function listener(self)
  local log = assert(io.open(self.dir .. "/wire.log", "w"))
  log:setvbuf "line"
  local function note(text, ...)
    log:write(("%7.3f  "):format(now() - self.began), text:format(...), "\n")
  end
  return {
    request = function(request)
      note("> %s %s?%s %s", request.method, request.path, request.query, request.body)
      self.wire:request(request)
    end,
    answer = function(request, answer)
      local text = answer.status == 200 and request.method == "GET" and "" or answer.body
      local index = answer.index or 0
      note("< %d, index %d: %s %s %s", answer.status, index, request.method, request.path, text)
      self.wire:answer(request, answer)
    end,
    line = function(request, text)
      if text ~= "{}" then
        note("< %s", text)
      end
      self.wire:line(request, text)
    end,
  }
end

local function new(options)
  local self = setmetatable({ dice = Dice.new(options.seed), lines = {}, wrong = {} }, Run)
  self.say, self.began, self.long = options.say, now(), options.seconds >= 300
  self.dir =
    assert(uv.fs_mkdtemp((os.getenv "TMPDIR" or "/tmp") .. "/nomad-operator-servers-XXXXXX"))
  self.scripts = self.dir .. "/scripts"
  assert(uv.fs_mkdir(self.scripts, 448))
  assert(process.run { "cp", "scripts/backup.nomad.hcl", self.scripts } == 0)
  local program = assert(nomad.find(options.version))
  self.agents = agents.new { program = program, dir = self.dir }
  self.cluster, self.wire = cluster.new(self.agents), wire.new()
  self.cluster.looked = function(jobs)
    self.wire:look(jobs)
  end
  self.relay = relay.start {
    target = self.agents.servers[1].port,
    tell = listener(self),
  }
  self.admin = ports.free(1)
  -- Each start of the operator heals what came before it: half of the runs have few of them.
  self.restless = options.seed % 2 == 0 and 0.04 or 0.01
  self.next_outage = outages.deck(self.dice)
  self.refused = 0
  self.starts, self.outages, self.deeds, self.failed_deeds, self.changes = 0, 0, 0, 0, 0
  -- Before 1.7.5 nothing tells of some purges; and after a restored snapshot only a list does.
  self.resync = "10s"
  return self
end

local servers = {}

-- run{ seed =, seconds =, version = "1.11.3", say = function(line), least = { outages =, deeds =, writes = } }: carries
-- it out and ends all processes; it goes on, up to three times as long, until `least` is done. Returns
-- { wrong = list of sentences, lines, dir, took, outages, changes (of the leader), starts, deeds, … }.
function servers.run(options)
  local self = new(options)
  local ok, err = xpcall(carry_out, debug.traceback, self, options)
  if not ok then
    self:wrong_is("it broke: %s", tostring(err))
  end
  self:close()
  return self
end

return servers
