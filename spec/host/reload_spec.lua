-- The host's half of generations, with a stand-in for the Lua half: start, swap, drain, the end, signals.
local process = require "support.process"
local served = require "support.served"
local wait = require "support.wait"

-- Seconds that the operator has for anything; the sanitizers make it slow, and so do others on the machine.
local patience = 60
-- The same for what uses up seconds of CPU, of which it may get a tenth.
local cpu_patience = 120

local s, operator, script

local function write(text)
  local file = assert(io.open(script, "w"))
  file:write(text)
  file:close()
end

local function start(text, ...)
  write(text or "")
  operator = process.operator {
    "run",
    "-lib",
    "spec/fixtures/lib",
    "-log-format",
    "text",
    "-address",
    s.server.address,
    ...,
  }
end

-- Starts with the script's text and waits until the first generation works on a live stream.
local function run(text, ...)
  local flags = table.pack(...)
  flags[#flags + 1] = script
  start(text, table.unpack(flags))
  operator:wait_for("gen 1: work", patience)
  operator:wait_for("gen 1: connected 1 live", patience)
end

local function says(text)
  return operator:wait_for((text:gsub("%p", "%%%0")), patience)
end

local function reload(text)
  if text then
    write(text)
  end
  operator:signal "sighup"
end

local function ends(expected, seconds)
  local code = operator:wait(seconds or patience)
  assert.equal(expected, code, operator:said())
end

local function count(text)
  local number = 0
  for _ in operator.stderr:gmatch((text:gsub("%p", "%%%0"))) do
    number = number + 1
  end
  return number
end

local function resident(pid)
  for line in io.lines(("/proc/%d/status"):format(pid)) do
    local kilobytes = line:match "^VmRSS:%s+(%d+)"
    if kilobytes then
      return tonumber(kilobytes)
    end
  end
end

local function open_files(pid)
  local pipe = assert(io.popen(("ls /proc/%d/fd | wc -l"):format(pid)))
  local number = tonumber(pipe:read("a"))
  pipe:close()
  return number
end

before_each(function()
  s = served.start()
  script = os.tmpname()
end)

after_each(function()
  local one = operator
  operator = nil
  if one and one:running() then
    one:signal "sigterm"
    local ok, code = pcall(one.wait, one, patience)
    if not ok then
      one:stop()
    end
    assert.equal(0, code, one:said())
  end
  s:close()
  os.remove(script)
end)

describe("the first generation", function()
  it("loads, starts, works, and stops at SIGTERM with exit code 0", function()
    run()
    operator:signal "sigterm"
    says "gen 1: stop shutdown"
    ends(0)
    local order = {}
    for text in operator.stderr:gmatch "gen 1: (%l+)" do
      if text ~= "connected" then
        order[#order + 1] = text
      end
    end
    assert.equal("load start work stop", table.concat(order, " "))
  end)

  it("whose script does not load ends the program with file:line and exit code 1", function()
    start("local x = \nreturn {}", script)
    ends(1)
    assert.matches(script:gsub("%p", "%%%0") .. ":2: ", operator.stderr)
    assert.equal(0, s.server.connections.total)
  end)

  it("whose script raises a table with a tostring says that", function()
    start([[error(setmetatable({}, { __tostring = function() return "a sentence" end }))]], script)
    ends(1)
    assert.matches("error: a sentence", operator.stderr)
  end)

  it("that computes for ever while loading is stopped", function()
    start("while true do pcall(function() while true do end end) end", script)
    ends(1, cpu_patience)
    assert.matches(":1: used more than 5 s of CPU without waiting", operator.stderr)
  end)

  it("that is refused at its start ends the program with exit code 1", function()
    start([[return { start = function() error("backup.nomad.hcl:3: no", 0) end }]], script)
    ends(1)
    assert.matches("error: backup.nomad.hcl:3: no", operator.stderr)
    assert.not_matches("gen 1: work", operator.stderr)
  end)

  it("that never gets ready ends at SIGINT", function()
    start([[return { start = function(self) self.up:wait() self.up:wait() end }]], script)
    says "gen 1: connected 1 live"
    operator:signal "sigint"
    ends(0)
  end)

  it("gets the events that it wants, and no others", function()
    run [[return {
      interests = {
        topics = { "Evaluation", "Job" }, pass = { Job = { "JobRegistered" } }, namespace = "*",
      },
    }]]
    s:put_settled "one"
    says "gen 1: event Job JobRegistered one default integer {"
    s:put_settled "two"
    says "gen 1: event Job JobRegistered two default integer {"
    assert.not_matches("event Evaluation", operator.stderr)
    assert.equal(2, count "gen 1: event ")
  end)

  it("is told which of its watches hold, where that can be told raw", function()
    run [[
      local function meta(name)
        local value = { kind = "equal", value = "x" }
        return { kind = "fields", fields = {
          Meta = { kind = "fields", fields = { [name] = value } },
        } }
      end
      return { interests = { topics = { "Job" }, namespace = "*", pass = { Job = {
        where = {
          meta "a", meta "b", { kind = "except", meta "c", { kind = "mentions", text = "zz" } },
        },
      } } } }
    ]]
    s:put_job("one", { a = "x", c = "zz" })
    says 'gen 1: event Job JobRegistered one default integer {"Job" holds 1'
    s:put_job("two", { b = "y", c = "x" })
    says 'gen 1: event Job JobRegistered two default integer {"Job" holds 4'
  end)

  it("is told so of events that pass always", function()
    run [[
      local here = { kind = "fields", fields = { ID = { kind = "equal", value = "one" } } }
      return { interests = { topics = { "Job" }, namespace = "*", pass = { Job = {
        where = { here }, always = { "JobRegistered" }, once = true,
      } } } }
    ]]
    s:put_job "one"
    says 'gen 1: event Job JobRegistered one default integer {"Job" holds 1'
    s:put_job "two"
    says 'gen 1: event Job JobRegistered two default integer {"Job" holds 0'
  end)

  it("that fails at an event is heard of, and goes on", function()
    run [[return { event = function(_, _, key)
      if key == "bad" then error("cannot") end
      if key == "loop" then while true do end end
    end }]]
    s:put_job "bad"
    says(script .. ":2: cannot")
    s:put_job "loop"
    says(script .. ":3: used more than 1 s of CPU without waiting")
    s:put_job "good"
    says "event Job JobRegistered good"
  end)
end)

describe("a reload", function()
  it("swaps generations and keeps the stream", function()
    run()
    reload()
    says "gen 2: load"
    says "gen 2: connected 1 live"
    says "gen 2: start connected"
    says "gen 2: work"
    says "gen 1: stop reload"
    s:put_job "after"
    says "gen 2: event Job JobRegistered after"
    assert.not_matches("gen 1: event Job %S+ after", operator.stderr)
    assert.equal(1, s.server.connections.total)
  end)

  it("that does not load leaves the old generation", function()
    run()
    reload "error('broken', 0)\n"
    says "error: Reload failed: broken; generation 1 goes on"
    reload "local = 1"
    says("error: Reload failed: " .. script .. ":1: ")
    s:put_job "after"
    says "gen 1: event Job JobRegistered after"
    reload ""
    says "gen 4: work"
  end)

  it("that is refused at its start leaves the old generation", function()
    run()
    reload [[return { start = function() error({ code = "x" }) end }]]
    says "error: Reload failed: "
    says "generation 1 goes on"
    reload [[return { start = function(self) error("no", 0) end }]]
    says "error: Reload failed: no; generation 1 goes on"
    s:put_job "after"
    says "gen 1: event Job JobRegistered after"
  end)

  it("offers events to the candidate too while it starts", function()
    run()
    reload [[return { start = function(self)
      while self.events == 0 do (require "host").sleep(0.01) end
    end }]]
    says "gen 2: start connected"
    s:put_job "during"
    says "gen 1: event Job JobRegistered during"
    says "gen 2: event Job JobRegistered during"
    says "gen 2: work"
  end)

  it("that is asked for many times meanwhile is done once more", function()
    run()
    reload [[local host = ...
    return { start = function() while not host.kept("go") do host.sleep(0.01) end end,
             event = function() host.keep("go", true) end }]]
    says "gen 2: start connected"
    for _ = 1, 30 do
      reload()
      wait.until_true(patience, "the signal has not come", function()
        return count "SIGHUP: loading" > 1
      end)
    end
    write ""
    reload()
    s:put_job "go"
    says "gen 2: work"
    says "gen 3: work"
    operator:signal "sigterm"
    ends(0)
    assert.not_matches("gen 4:", operator.stderr)
  end)

  it("gives what is under way time, and closes it when it is idle", function()
    run([[local host, say = ...
    return { work = function(self)
      self.busy = true
      host.spawn("slow", function()
        host.sleep(0.5)
        say("slow is through")
        self.busy = false
      end)
    end }]])
    reload ""
    says "gen 2: work"
    says "gen 1: stop reload"
    says "gen 1: slow is through"
    operator:signal "sigterm"
    ends(0)
    assert.not_matches("did not end within", operator.stderr)
  end)

  it("cancels what is not through by the deadline, and closes its variables", function()
    run(
      [[local host, say = ...
    return { work = function(self)
      self.busy = true
      host.spawn("backup default/x", function()
        local lock <close> = host.lock("key")
        local x <close> = setmetatable({}, { __close = function() say("closed") end })
        host.sleep(100)
      end)
    end }]],
      "-drain-timeout",
      "1s"
    )
    reload [[local host, say = ...
    return { work = function() host.spawn("w", function()
      local lock <close> = host.lock("key")
      say("locked")
    end) end }]]
    says "gen 1: stop reload"
    says "Generation 1: 1 task did not end within 1 s and is cancelled: backup default/x"
    says "gen 1: closed"
    says "gen 2: locked"
  end)

  it("subscribes anew where the interests differ", function()
    run()
    reload [[return {
      interests = { topics = { "Job" }, pass = { Job = true }, namespace = "default" },
    }]]
    says "gen 2: work"
    says "gen 2: connected 2 live"
    assert.equal(2, s.server.connections.total)
    s:put_job "after"
    says "gen 2: event Job JobRegistered after"
  end)

  it("keeps values and counts, and lets a lock go with its generation", function()
    run [[local host = ...
    return { work = function()
      host.keep("due", 1.5)
      host.count("tries_total", 1)
      host.spawn("holder", function() local l = host.lock("key") host.sleep(100) end)
    end }]]
    reload [[local host, say = ...
    return { work = function() host.spawn("w", function()
      host.count("tries_total", 2)
      local lock <close> = host.lock("key")
      say("locked, kept %s", host.kept("due"))
    end) end }]]
    says "gen 2: locked, kept 1.5"
    operator:signal "sigusr1"
    says "tries_total 3"
  end)

  it("done 300 times leaves memory and files as they were", function()
    run()
    local function go(from, to)
      for number = from, to do
        reload()
        says(("gen %d: work"):format(number))
        says(("gen %d: stop reload"):format(number - 1))
      end
    end
    go(2, 30)
    local before, files = resident(operator.pid), open_files(operator.pid)
    go(31, 300)
    assert.equal(files, open_files(operator.pid))
    -- The sanitizers keep freed memory for a while.
    if not (os.getenv "NOMAD_OPERATOR_BIN" or ""):find "asan" then
      local after = resident(operator.pid)
      assert.is_true(after <= before * 1.05, ("%d kB, then %d kB"):format(before, after))
    end
    assert.equal(1, s.server.connections.total)
  end)
end)

describe("signals", function()
  it("SIGUSR1 shows the status", function()
    run()
    operator:signal "sigusr1"
    says "==> Status"
    says "nomad-operator 0."
    says "stream: live"
    says "generation 1: 0 tasks"
    says "0 events"
    says "requests: "
  end)

  it("a second SIGTERM does not wait", function()
    run [[return { work = function(self) self.busy = true end }]]
    operator:signal "sigterm"
    says "gen 1: stop shutdown"
    operator:signal "sigterm"
    ends(143)
  end)

  it("SIGINT waits for the deadline at most", function()
    run([[return { work = function(self) self.busy = true end }]], "-drain-timeout", "1s")
    operator:signal "sigint"
    ends(0)
  end)
end)

describe("the token's file", function()
  local file

  local function put(token)
    local out = assert(io.open(file, "w"))
    out:write(token, "\n")
    out:close()
  end

  before_each(function()
    file = os.tmpname()
    put "wrong-token-1"
    s.server:fault("token", { token = "right-token-2" })
    start("", "-token-file", file, script)
    says "gen 1: start first"
    says "denies it (Permission denied)"
    put "right-token-2"
  end)

  after_each(function()
    os.remove(file)
    assert.not_matches("%-token%-%d", operator.stderr .. operator.stdout)
  end)

  it("is read again at SIGHUP", function()
    operator:signal "sighup"
    says("Connected to the event stream of " .. s.server.address)
  end)

  it("is read again by itself", function()
    says("The token in " .. file .. " has changed")
    says "gen 1: connected 1 live"
  end)
end)
