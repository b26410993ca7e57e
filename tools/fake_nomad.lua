-- fake_nomad: the model of Nomad, served on a socket until SIGTERM or SIGINT.
--
--     lua5.4 tools/fake_nomad.lua [-port N] [-version 1.11.3|1.4.3] [-jobs N] [-marked N] [-heartbeat SECONDS] [-stdin]
--
-- -jobs registers so many service jobs, -marked gives so many of them auto-backup (default: every tenth);
-- -stdin: also ends when standard input does. It prints one line, "listening on http://127.0.0.1:PORT".
-- Faults: POST /v1/_fault {"name": "eof"}; see lib/operator/testing/server.lua.

local root = (arg[0]:match "^(.*)/[^/]*$" or ".") .. "/.."
package.path = root .. "/lib/?.lua;" .. root .. "/lib/?/init.lua;" .. package.path
package.cpath = root .. "/build/lib/?.so;" .. package.cpath

local function refuse(text)
  io.stderr:write("fake_nomad: ", text, "\n")
  os.exit(1)
end

local numbers = { port = 0, jobs = 0, marked = -1, heartbeat = 30 }

local function read_arguments(list)
  local options = { version = "1.11.3", stdin = false }
  local i = 1
  while list[i] do
    local name = list[i]:match "^%-%-?(%a+)$"
    if name == "stdin" then
      options.stdin = true
    elseif name == "version" then
      i = i + 1
      options.version = list[i]
    elseif numbers[name] then
      i = i + 1
      options[name] = tonumber(list[i]) or refuse(("-%s needs a number"):format(name))
    else
      refuse(list[i] .. ": there are -port -version -jobs -marked -heartbeat -stdin")
    end
    i = i + 1
  end
  return setmetatable(options, { __index = numbers })
end

local function job(i, marked)
  return {
    ID = ("job-%03d"):format(i),
    Name = ("job-%03d"):format(i),
    Type = "service",
    Datacenters = { "dc1" },
    Meta = marked and { ["auto-backup"] = "true" } or nil,
    TaskGroups = {
      {
        Name = "main",
        Count = 1,
        Tasks = {
          { Name = "main", Driver = "raw_exec", Config = { command = "sleep", args = { "3600" } } },
        },
      },
    },
  }
end

-- Calls leave when standard input ends; a file has ended already.
local function watch_input(uv, leave)
  local kind = uv.guess_handle(0)
  if kind ~= "pipe" and kind ~= "tty" then return leave() end
  local input = kind == "tty" and uv.new_tty(0, true) or uv.new_pipe(false)
  if kind == "pipe" then input:open(0) end
  input:read_start(function(err, data)
    if err or not data then leave() end
  end)
end

local function main()
  local options = read_arguments(arg)
  local model = require "operator.testing.model"
  local server = require "operator.testing.server"
  local uv = require "luv"

  local nomad = model.new {
    clock = server.clock(),
    version = options.version,
    heartbeat = options.heartbeat,
    launch = true,
  }
  local marked = options.marked >= 0 and options.marked or options.jobs // 10
  for i = 1, options.jobs do nomad:register(job(i, i <= marked)) end
  local ok, served = pcall(server.new, { model = nomad, port = options.port })
  if not ok then refuse(("port %d: %s"):format(options.port, served)) end
  local function leave()
    os.exit(0)
  end
  for _, name in ipairs { "sigterm", "sigint" } do
    local signal = uv.new_signal()
    signal:start(name, leave)
  end
  io.stdout:write("listening on ", served.address, "\n")
  io.stdout:flush()
  if options.stdin then watch_input(uv, leave) end
  uv.run()
end

main()
