-- process: starts a program, keeps what it says, waits for a line, sends it signals; nothing outlives the spec.
local uv = require "luv"
local shadow = require "support.shadow"
local wait = require "support.wait"

local process = {}
process.__index = process

-- What a child sees of our environment: nothing that could change Nomad's or the operator's behaviour.
local kept = { "PATH", "HOME", "TMPDIR", "LANG", "ASAN_OPTIONS", "UBSAN_OPTIONS" }

local function environment(extra)
  local list = {}
  for _, name in ipairs(kept) do
    local value = (not extra or extra[name] == nil) and os.getenv(name)
    if value then list[#list + 1] = name .. "=" .. value end
  end
  for name, value in pairs(extra or {}) do list[#list + 1] = name .. "=" .. tostring(value) end
  return list
end

local function collect(self, pipe, name, show)
  pipe:read_start(function(err, data)
    if err or not data then
      pipe:close()
      self.open = self.open - 1
    else
      self[name] = self[name] .. data
      if show then show:write(data) end
    end
  end)
end

-- The program that the specs are about.
function process.program()
  return os.getenv("NOMAD_OPERATOR_BIN") or "build/nomad-operator"
end

-- start{ "program", "argument", …, env = { NAME = value }, cwd = dir, show = true }
-- With show, what it says is also seen as it comes.
function process.start(options)
  local out, err = uv.new_pipe(false), uv.new_pipe(false)
  local self = setmetatable({ stdout = "", stderr = "", open = 2, seen = 1 }, process)
  -- The kernel ends the child when we die, however that comes.
  local args = { "--pdeathsig", "INT", "--" }
  for _, value in ipairs(options) do args[#args + 1] = tostring(value) end
  self.name = options[1]
  self.handle, self.pid = uv.spawn("/usr/bin/setpriv", {
    args = args,
    env = environment(options.env),
    cwd = options.cwd,
    stdio = { nil, out, err },
  }, function(code, signal)
    self.code, self.signalled = code, signal
    self.handle:close()
  end)
  if not self.handle then error(("%s: %s"):format(self.name, self.pid), 2) end
  collect(self, out, "stdout", options.show and io.stdout)
  collect(self, err, "stderr", options.show and io.stderr)
  if self.name == process.program() and not options.shadowed then
    self.shadow = shadow.start(process.start, options)
  end
  return self
end

-- Starts the program. Several run at once: without a word about it, none serves its pages.
function process.operator(options)
  if options[1] == "run" and not table.concat(options, " "):find "-http-addr" then
    table.insert(options, 2, "-http-addr=off")
  end
  table.insert(options, 1, process.program())
  return process.start(options)
end

function process:running()
  return self.code == nil
end

local function tail(text)
  return #text > 6000 and "… " .. text:sub(-6000) or text
end

-- Both streams' ends, for messages of failed waits.
function process:said()
  return ("%s said:\n%s%s"):format(self.name, tail(self.stdout), tail(self.stderr))
end

-- Waits until stderr, from where the last wait_for stopped, matches the Lua pattern; returns the captures. Lines
-- before the match are consumed too. Raises at once when the program ends without it.
function process:wait_for(pattern, seconds)
  local from, to, captures
  local function match()
    local found = table.pack(self.stderr:find(pattern, self.seen))
    from, to = found[1], found[2]
    if from then captures = table.pack(table.unpack(found, 3, found.n)) end
    return from or (not self:running() and self.open == 0 and "ended")
  end
  wait.until_true(seconds, function()
    return ("%q has not come; %s"):format(pattern, self:said())
  end, match)
  if not from then
    local text = "%q will not come: it ended with code %d; %s"
    error(text:format(pattern, self.code, self:said()), 2)
  end
  self.seen = to + 1
  return table.unpack(captures, 1, captures.n)
end

-- From here on wait_for looks only at what comes from now on.
function process:forget()
  self.seen = #self.stderr + 1
end

function process:signal(name)
  if self:running() then assert(self.handle:kill(name)) end
  if self.shadow then self.shadow.process:signal(name) end
end

-- What a sanitizer found must fail the spec, also where nobody looks at the exit code.
local function check_sane(self)
  for _, pattern in ipairs { "Sanitizer: ", "runtime error: " } do
    if self.stderr:find(pattern, 1, true) then error(self:said(), 3) end
  end
end

-- Waits for the end; returns the exit code and, if one killed it, the signal's number.
function process:wait(seconds)
  wait.until_true(seconds, function()
    return ("it still runs; %s"):format(self:said())
  end, function()
    return not self:running() and self.open == 0
  end)
  if self.shadow then self.shadow.stop() end
  check_sane(self)
  return self.code, self.signalled
end

-- Ends it for a teardown: politely, then not.
function process:stop(seconds)
  self:signal("sigterm")
  pcall(self.wait, self, seconds or 10)
  self:signal("sigkill")
  return self:wait(5)
end

-- Runs a program to its end: code, stdout, stderr.
function process.run(options)
  local self = process.start(options)
  local ok, err = pcall(self.wait, self, options.seconds or 30)
  if not ok then
    self:signal("sigkill")
    pcall(self.wait, self, 5)
    error(err, 2)
  end
  return self.code, self.stdout, self.stderr
end

return process
