-- Chaos for the program itself: beside a served model that misbehaves, killed, reloaded. Fewer faults than in a world:
-- here time is real, and no two runs are alike; the seed decides only what is done.
local audit = require "chaos.audit"
local Dice = require "chaos.dice"
local expected = require "chaos.expected"
local people = require "chaos.people"
local policies = require "chaos.policies"
local process = require "support.process"
local served = require "support.served"
local wait = require "support.wait"

-- Seconds: of chaos (and so many steps of it at least), until all is right, and in which nothing more may be written.
local CHAOS, PATIENCE, QUIET = 15, 90, 7
local STEPS = 50
local RESYNC = "3s"
local LINE_MAX = 1024 * 1024

local SEED = tonumber(os.getenv "SEED") or 1

-- Weight, name, what it may have as options.
local FAULTS = {
  { 3, { "eof" } },
  { 3, { "rst" } },
  { 2, { "garbage" } },
  { 1, { "oversized", bytes = 2 * LINE_MAX } },
  { 3, { "half_open", path = "/v1/event/stream", times = 1 } },
  { 2, { "stall" } },
  { 2, { "gap" } },
  { 2, { "duplicate" } },
  { 2, { "reorder" } },
  { 1, { "slow", ms = 1, bytes = 200 } },
  { 2, { "delay", ms = 150 } },
  { 2, { "down" } },
  { 1, { "http00", times = 1 } },
  { 2, { "403" } },
  { 2, { "429" } },
  { 3, { "500" } },
  { 2, { "html" } },
  { 4, { "500", path = "/v1/jobs", method = "POST", times = 3 } },
  { 4, { "eof", path = "/v1/jobs", method = "POST", times = 2 } }, -- done, but half an answer
  { 3, { "eof", path = "/v1/jobs", method = "GET", times = 1 } },
  { 2, { "rst", path = "/v1/job/", times = 3 } },
  { 2, { "garbage", path = "/v1/job/", times = 3 } },
}

local OPERATOR = { { 2, "reload" }, { 1, "kill" } }

describe("the program, after chaos on a socket", function()
  local s, watch, operator, directory, dice, said, version

  local function write_policies()
    for path, text in pairs(policies.files(version)) do
      local file = assert(io.open(directory .. "/" .. path:match "[^/]+$", "w"))
      file:write(text)
      file:close()
    end
  end

  local function start()
    operator = process.operator {
      "run",
      "-log-format",
      "text",
      "-address",
      s.server.address,
      "-max-delete",
      "100000",
      "-stream-line-max",
      LINE_MAX,
      directory,
    }
  end

  before_each(function()
    dice, said = Dice.new(SEED), { "SEED=" .. SEED }
    s = served.start { heartbeat = 1 }
    s.nomad:namespace "ops"
    watch = audit.attach(s.nomad)
    version = policies.first()
    version.resync = RESYNC
    directory = os.tmpname()
    os.remove(directory)
    assert(os.execute(("mkdir %s && cp scripts/backup.nomad.hcl %s"):format(directory, directory)))
    write_policies()
    start()
  end)

  after_each(function()
    operator:signal "sigterm"
    local ok = pcall(operator.wait, operator, 20)
    if not ok then
      operator:stop()
    end
    s:close()
    os.execute("rm -r " .. directory)
  end)

  local steps = {}

  function steps.weather()
    local fault = dice:weighted(FAULTS)
    local options = { seconds = dice:between(0.1, 1.5) }
    for name, value in pairs(fault) do
      if name ~= 1 then
        options[name] = value
      end
    end
    s.server:fault(fault[1], options)
    return ("%s %s"):format(fault[1], fault.path or "")
  end

  function steps.people()
    return people.deeds[dice:weighted(people.WEIGHTS)](s.nomad, dice)
  end

  local function next_version()
    version = policies.next(dice)
    version.resync = RESYNC
    write_policies()
  end

  function steps.operator()
    if dice:weighted(OPERATOR) == "reload" then
      next_version()
      operator:signal "sighup"
      return "SIGHUP: " .. (version.broken or version.schedule)
    end
    operator:signal "sigkill"
    operator:wait(10)
    return "kill -9"
  end

  local function supervise()
    if not operator:running() then
      start() -- also where it ended by itself: policies that do not load are exit code 1
    end
  end

  local function step()
    local kind = dice:weighted { { 10, "weather" }, { 10, "people" }, { 1, "operator" } }
    said[#said + 1] = steps[kind]()
    wait.pass(dice:between(0, 0.15))
    supervise()
  end

  -- The troubles end, connections that hang too; good policies are loaded.
  local function calm()
    s.server:clear()
    s.server:fault "down"
    wait.pass(0.1)
    s.server:clear()
    version = { schedule = "@weekly", level = "7", resync = RESYNC }
    write_policies()
    supervise()
    -- A signal that comes before the program is ready for it would end it.
    operator:forget()
    wait.pass(0.5)
    operator:signal "sighup"
    said[#said + 1] = "calm"
  end

  local function story()
    local list = expected.differences(s.nomad, version)
    return ("%s\nafter:\n%s\n%s"):format(
      table.concat(list, "\n"),
      table.concat(said, "\n"),
      operator:said()
    )
  end

  it("has everything as the policies say, and touched nothing else", function()
    for _ = 1, 12 do
      people.deeds.register(s.nomad, dice)
    end
    local over, count = os.time() + CHAOS, 0
    while os.time() < over or count < STEPS do -- a busy machine takes longer
      step()
      count = count + 1
    end
    calm()
    wait.poll(PATIENCE, story, function()
      supervise()
      return #expected.differences(s.nomad, version) == 0
    end)
    wait.pass(1) -- an answer may still be under way
    watch:reset()
    wait.pass(QUIET)
    assert.equal(0, watch.tried, story())
    assert.same({}, expected.differences(s.nomad, version), story())
    assert.same({}, watch.violations, story())
  end)
end)
