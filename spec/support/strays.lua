-- strays: what a client agent leaves when it ends, for its tasks outlive it: processes, found by the agent's directory
-- or as its descendants and ended by their IDs, and mounted file systems.
local processes = require "support.process"
local uv = require "luv"

local strays = {}
strays.__index = strays

local function read(path)
  local file = io.open(path, "rb")
  if not file then
    return nil
  end
  local text = file:read "a"
  file:close()
  return text
end

-- { pid, parent, began } of a process; nil when it is not there any more. `began` tells it from a later one of its ID.
local function look(pid)
  local text = read(("/proc/%d/stat"):format(pid))
  local rest = text and text:match "^.*%) %S (.*)$"
  if not rest then
    return nil
  end
  local fields = {}
  for field in rest:gmatch "%S+" do
    fields[#fields + 1] = field
  end
  return { pid = pid, parent = tonumber(fields[1]), began = fields[19] }
end

local function all()
  local list = {}
  local scan = uv.fs_scandir "/proc"
  for name in
    function()
      return (uv.fs_scandir_next(scan))
    end
  do
    local process = tonumber(name) and look(tonumber(name))
    if process then
      list[#list + 1] = process
    end
  end
  return list
end

-- Notes the descendants of process `root`, and those of every process whose arguments name `directory`.
function strays:note(root, directory)
  local children, below = {}, {}
  for _, process in ipairs(all()) do
    local siblings = children[process.parent] or {}
    children[process.parent] = siblings
    siblings[#siblings + 1] = process
    local arguments = read(("/proc/%d/cmdline"):format(process.pid)) or ""
    if
      process.pid ~= root
      and arguments:find(directory, 1, true)
      and not arguments:find "%-config"
    then
      below[#below + 1] = process
    end
  end
  table.move(children[root] or {}, 1, #(children[root] or {}), #below + 1, below)
  local at = 1
  while below[at] do
    local process = below[at]
    self.noted[process.pid] = process.began
    local more = children[process.pid] or {}
    table.move(more, 1, #more, #below + 1, below)
    at = at + 1
  end
end

-- Ends those that still run.
function strays:stop()
  for pid, began in pairs(self.noted) do
    local process = look(pid)
    if process and process.began == began then
      uv.kill(pid, "sigkill")
    end
  end
  self.noted = {}
end

-- Takes away what is mounted below `directory`: as root an agent gives each task a file system in memory.
function strays.unmount(directory)
  for line in (read "/proc/self/mountinfo" or ""):gmatch "[^\n]+" do
    local path = line:match "^%S+ %S+ %S+ %S+ (%S+)"
    if path:sub(1, #directory + 1) == directory .. "/" then
      processes.run { "umount", "-l", path }
    end
  end
end

function strays.new()
  return setmetatable({ noted = {} }, strays)
end

return strays
