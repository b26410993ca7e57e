-- What a person does about removals, with the whole program on the wire: SIGUSR2 approves them, prune makes them.
local process = require "support.process"
local served = require "support.served"
local wait = require "support.wait"

local patience = 20
local SCRIPT = "scripts/backup.lua"

local s, dir

before_each(function()
  s = served.start()
  dir = os.tmpname()
  os.remove(dir)
  assert(os.execute(("cp -R scripts %s"):format(dir)))
end)

after_each(function()
  os.execute("rm -rf " .. dir)
  s:close()
end)

local function source(id)
  return {
    ID = id, Name = id, Type = "batch", Datacenters = { "dc1" }, ParameterizedJob = {},
    Meta = { ["auto-backup"] = "true" },
    TaskGroups = { { Name = "g", Tasks = { { Name = "t", Driver = "raw_exec",
      Config = { command = "true" } } } } },
  }
end

local function backups()
  local count = 0
  for _, id in ipairs(s.nomad:ids("default")) do
    local job = id:find "^backup%-[^/]*$" and s.nomad:job("default", id)
    if job and not job.Stop then count = count + 1 end
  end
  return count
end

local function expect(count)
  wait.until_true(patience, function()
    return ("%d backups wanted, %d there"):format(count, backups())
  end, function() return backups() == count end)
end

local function run(...)
  return process.operator {
    "run", "-log-format", "text", "-address", s.server.address, ...
  }
end

local function stop(operator)
  operator:signal "sigterm"
  assert.equal(0, operator:wait(patience), operator:said())
end

-- A policy that suddenly wants nothing.
local function break_policy()
  local file = assert(io.open(SCRIPT))
  local text = file:read "a"
  file:close()
  local changed = text:gsub("local function desired%b()", "%0 if true then return {} end", 1)
  assert(changed ~= text)
  file = assert(io.open(dir .. "/backup.lua", "w"))
  file:write(changed)
  file:close()
end

describe("removals", function()
  it("that are held back are made after SIGUSR2", function()
    for i = 1, 10 do s.nomad:register(source("job-" .. i)) end
    local operator = run(dir)
    finally(function() operator:stop() end)
    expect(10)
    break_policy()
    operator:signal "sighup"
    operator:wait_for("is not removed", patience)
    expect(5)
    operator:signal "sigusr2"
    operator:wait_for("Approved: %d removals that were refused are made now", patience)
    expect(0)
    stop(operator)
  end)

  it("of what no policy looks after are made by prune, and only with a yes", function()
    s.nomad:register(source "web")
    local operator = run(dir)
    expect(1)
    stop(operator)
    s.nomad:purge("default", "web")
    local function prune(...)
      return process.run {
        os.getenv "NOMAD_OPERATOR_BIN" or "build/nomad-operator", "prune", "-log-format", "text",
        "-address", s.server.address, ...
      }
    end
    local writes = #s.nomad:writes()
    local code, out = prune()
    assert.equal(2, code)
    assert.matches("- backup-web  (its owner web is gone)\n", out, 1, true)
    assert.matches("There is no terminal to ask at", out, 1, true)
    code, out = prune("-yes", "-dry-run")
    assert.equal(2, code, out)
    assert.equal(writes, #s.nomad:writes())
    code, out = prune "-yes"
    assert.equal(0, code, out)
    assert.equal(0, backups())
    assert.equal(0, (prune()))
  end)

  it("are asked for at a terminal", function()
    s.nomad:register(source "web")
    local operator = run(dir)
    expect(1)
    stop(operator)
    s.nomad:purge("default", "web")
    local program = os.getenv "NOMAD_OPERATOR_BIN" or "build/nomad-operator"
    local function answer(word)
      -- script(1) gives the program a terminal and passes its exit code on.
      local line = ("printf '%s\\n' | script -qec '%s prune -address %s' /dev/null"):format(
        word, program, s.server.address)
      return process.run { "sh", "-c", line }
    end
    local code, out = answer "n"
    assert.matches("Stop them? [y/N] ", out, 1, true)
    assert.matches("Nothing was done.", out, 1, true)
    assert.equal(2, code)
    assert.equal(1, backups())
    code, out = answer "y"
    assert.matches("backup%-web: stopped", out)
    assert.equal(0, code)
    assert.equal(0, backups())
  end)
end)
