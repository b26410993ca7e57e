-- shadow: while a spec is watched for what -dry-run sends ($DRY_RUN_WIRE names a file), each program that it starts has
-- a second one beside it: the same with -dry-run, on the same Nomad. What the shadows send is written to the file, one
-- request a line; what becomes of the spec itself is not asked then, for shadows ask the Nomad too.
local wire = require "support.wire"

local shadow = {}

local COMMANDS = { run = true, exec = true, prune = true, plan = true }

-- Where the program would find its Nomad, and how that is said: index of the word, prefix; nil where there is none.
local function address_of(words, env)
  for i, word in ipairs(words) do
    local flag, value = tostring(word):match "^(%-%-?address)=(.+)$"
    if value then return value, i, flag .. "=" end
    if word == "-address" or word == "--address" then return tostring(words[i + 1]), i + 1, "" end
  end
  return env and env.NOMAD_ADDR
end

-- The words and the environment of the shadow; nil where there is none to be had.
local function disguise(options)
  local words, env = {}, {}
  for i, word in ipairs(options) do words[i] = word end
  for name, value in pairs(options.env or {}) do env[name] = value end
  local address, index, prefix = address_of(words, env)
  local port = tostring(address):match "^http://127%.0%.0%.1:(%d+)/?$"
  if not COMMANDS[words[2]] or not port then return nil end
  return words, env, tonumber(port), index, prefix
end

local function serve_nothing(words)
  for i, word in ipairs(words) do
    if tostring(word):find "^%-http%-addr=" then
      words[i] = "-http-addr=off"
    elseif word == "-http-addr" then
      words[i + 1] = "off"
    end
  end
end

-- Starts the shadow of a program that is started with these options; nil where none is wanted.
function shadow.start(start, options)
  local path = os.getenv "DRY_RUN_WIRE"
  if not path then return nil end
  local words, env, port, index, prefix = disguise(options)
  if not words then return nil end
  local file = assert(io.open(path, "a"))
  file:setvbuf "line"
  file:write("START ", words[2], "\n")
  local on_wire = wire.start(port, function(method, target)
    file:write(method, " ", target, "\n")
  end)
  if index then words[index] = prefix .. on_wire.address else env.NOMAD_ADDR = on_wire.address end
  serve_nothing(words)
  table.insert(words, 3, "-dry-run")
  words.env, words.cwd, words.shadowed = env, options.cwd, true
  local self = { process = start(words), wire = on_wire, file = file }

  function self.stop()
    if not self.file then return end
    -- A command ends by itself.
    if words[2] ~= "run" then pcall(self.process.wait, self.process, 10) end
    self.process:signal "sigterm"
    pcall(self.process.wait, self.process, 10)
    self.process:signal "sigkill"
    pcall(self.process.wait, self.process, 5)
    self.wire:close()
    self.file:close()
    self.file = nil
  end

  return self
end

return shadow
