--- process: a child process of the bench: its lines, what the kernel knows of it, its end.

local uv = require "luv"

local process = {}

---@class bench.Process
---@field pid integer
---@field spawned integer nanoseconds of the monotonic clock, just before it was started
---@field lines string[] what it has said on stdout and stderr, if it was asked to be read
---@field code? integer once it has ended
local Process = {}
Process.__index = Process

--- The address of the synthetic Nomad is all that a peer is told; its settings must not come from who runs the bench.
local function environment(address)
  local list = { "NOMAD_ADDR=" .. (address or "") }
  for _, name in ipairs { "PATH", "HOME", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS" } do
    local value = os.getenv(name)
    if value then
      list[#list + 1] = name .. "=" .. value
    end
  end
  return list
end

local function read_lines(self, pipe)
  local rest = ""
  pipe:read_start(function(_, data)
    if not data then
      pipe:close()
      return
    end
    rest = rest .. data
    for line in rest:gmatch("([^\n]*)\n") do
      self.lines[#self.lines + 1] = line
    end
    rest = rest:match("[^\n]*$")
  end)
end

--- Starts it; what it says is read with `options.read`, else it goes to /dev/null.
---@param command string[]
---@param options { address?: string, read?: boolean }
---@return bench.Process
function process.start(command, options)
  local self = setmetatable({ lines = {}, command = command }, Process)
  local null = assert(uv.fs_open("/dev/null", "r+", 0))
  local out = options.read and uv.new_pipe(false)
  local err = options.read and uv.new_pipe(false)
  local handle, pid
  self.spawned = uv.hrtime()
  handle, pid = uv.spawn(command[1], {
    args = table.move(command, 2, #command, 1, {}),
    env = environment(options.address),
    stdio = { null, out or null, err or null },
  }, function(code, signal)
    self.code = code ~= 0 and code or signal
    handle:close()
  end)
  uv.fs_close(null)
  if not handle then
    error(("cannot start %s: %s"):format(command[1], tostring(pid)), 0)
  end
  self.handle, self.pid = handle, pid
  if options.read then
    read_lines(self, out)
    read_lines(self, err)
  end
  return self
end

--- Runs the loop until `condition` holds. False: it did not within `seconds`.
---@param seconds number
---@param condition fun(): any
---@return any
function process.wait(seconds, condition)
  local deadline = uv.hrtime() + seconds * 1e9
  local tick = uv.new_timer()
  tick:start(5, 5, function() end)
  local value = condition()
  while not value and uv.hrtime() < deadline do
    uv.run("once")
    value = condition()
  end
  tick:close()
  uv.run("nowait")
  return value
end

--- Lets time pass.
---@param seconds number
function process.pass(seconds)
  process.wait(seconds, function()
    return false
  end)
end

--- What the first line that fits the pattern says; nil: there is none yet.
---@param pattern string
---@return string?
function Process:said(pattern)
  for _, line in ipairs(self.lines) do
    local found = line:match(pattern)
    if found then
      return found
    end
  end
end

--- A field of its /proc/…/status in MB (1024²): VmRSS, VmHWM.
---@param field string
---@return number?
function Process:memory(field)
  local file = io.open(("/proc/%d/status"):format(self.pid))
  local text = file and file:read("a")
  if file then
    file:close()
  end
  local kib = text and text:match(field .. ":%s*(%d+)")
  return kib and tonumber(kib) / 1024 or nil
end

--- Seconds that the processor has worked for it, all its threads together.
---@return number
function Process:cpu()
  local file = io.open(("/proc/%d/stat"):format(self.pid))
  local text = file and file:read("a") or ""
  if file then
    file:close()
  end
  local fields = {}
  for field in text:gsub("^.*%) ", ""):gmatch("%S+") do
    fields[#fields + 1] = field
  end
  -- utime and stime are the 14th and the 15th; the first two are gone. In ticks, of which there are 100 on every Linux.
  return ((tonumber(fields[12]) or 0) + (tonumber(fields[13]) or 0)) / 100
end

---@param signal string
function Process:signal(signal)
  if not self.code then
    self.handle:kill(signal)
  end
end

--- Ends it, kindly first.
function Process:stop()
  self:signal("sigterm")
  if not process.wait(5, function()
    return self.code
  end) then
    self:signal("sigkill")
    process.wait(5, function()
      return self.code
    end)
  end
end

return process
