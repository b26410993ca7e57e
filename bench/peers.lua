--- peers: who is measured, how each is started, and what it needs.

local peers = {}

---@class bench.Peer
---@field name string
---@field needs? string a program without which there is no such peer
---@field made? string the file that `make bench` builds for it
---@field how? string what else builds that file
---@field only? string the workload it takes part in; nil: all of them
---@field command fun(options: { write_delay?: number, port: integer }): string[]

--- Flags that ours is given, apart from where its admin pages are: none would be best.
peers.flags = {}
for flag in (os.getenv("BENCH_FLAGS") or ""):gmatch("%S+") do
  peers.flags[#peers.flags + 1] = flag
end

local SLIM = "build/slim/nomad-operator"

local function operator(program, ...)
  local scripts = { ... }
  return function(options)
    -- The usual port may be another operator's; a page that nobody asks for costs the same on any.
    local command = { program, "run", "-http-addr=127.0.0.1:" .. options.port }
    table.move(peers.flags, 1, #peers.flags, #command + 1, command)
    return table.move(scripts, 1, #scripts, #command + 1, command)
  end
end

--- Ours, with other policies than the usual ones if need be.
---@param ... string directories; none: scripts
---@return bench.Peer
function peers.ours(...)
  local program = os.getenv("NOMAD_OPERATOR_BIN") or "build/nomad-operator"
  local scripts = select("#", ...) > 0 and { ... } or { "scripts" }
  return { name = "ours", command = operator(program, table.unpack(scripts)) }
end

local function fixed(...)
  local command = { ... }
  return function()
    return command
  end
end

---@type bench.Peer[]
peers.list = {
  { name = "api", needs = "go", made = "build/bench/api", command = fixed "build/bench/api" },
  { name = "tuned", needs = "go", made = "build/bench/tuned", command = fixed "build/bench/tuned" },
  {
    name = "python",
    needs = "python3",
    command = fixed("python3", "bench/peers/python/operator.py"),
  },
  {
    name = "naive",
    made = "build/bench/naive",
    command = fixed("build/bench/naive", "bench/peers/naive/policy.lua"),
  },
  {
    name = "floor",
    made = "build/bench/floor",
    -- A delayed answer keeps a connection busy: then it has more of them.
    command = function(options)
      return { "build/bench/floor", options.write_delay and "8" or "4" }
    end,
  },
  {
    name = "slim",
    made = SLIM,
    how = "make slim",
    only = "idle",
    command = operator(SLIM, "scripts"),
  },
  peers.ours(),
}

local function exists(path)
  local file = io.open(path)
  return file ~= nil and file:close()
end

local function has_program(name)
  return os.execute(("command -v %s >/dev/null 2>&1"):format(name)) == true
end

--- The peers that can be measured here, and a sentence for each that cannot.
---@param names? table<string, boolean> only these
---@return bench.Peer[]
---@return string[]
function peers.find(names)
  local found, left_out = {}, {}
  for _, peer in ipairs(peers.list) do
    local wanted = not names or names[peer.name]
    if wanted and peer.needs and not has_program(peer.needs) then
      left_out[#left_out + 1] = ("%s is left out: there is no %s here"):format(
        peer.name,
        peer.needs
      )
    elseif wanted and peer.made and not exists(peer.made) then
      local why = peer.how and "is built by " .. peer.how or "could not be built"
      left_out[#left_out + 1] = ("%s is left out: it %s (%s)"):format(peer.name, why, peer.made)
    elseif wanted then
      found[#found + 1] = peer
    end
  end
  return found, left_out
end

--- Those of them that a workload is for.
---@param found bench.Peer[]
---@param workload string
---@return bench.Peer[]
function peers.taking_part(found, workload)
  local list = {}
  for _, peer in ipairs(found) do
    if not peer.only or peer.only == workload then
      list[#list + 1] = peer
    end
  end
  return list
end

return peers
