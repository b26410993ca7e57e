--- heap: the memory of ours' Lua state before the lines of W1 and after them, as its /metrics tells it.

local http_port = require "port"
local measure = require "measure"
local peers = require "peers"
local plan = require "plan"
local process = require "process"

local uv = require "luv"

local heap = {}

--- Seconds after which it rests.
local REST = 1

---@class bench.Heap
---@field before? number MB
---@field after? number MB
---@field wrong? string

-- The page of metrics; "": there was no answer within 5 s.
local function metrics(port)
  local tcp, text, over = uv.new_tcp(), {}, false
  tcp:connect("127.0.0.1", port, function(err)
    over = err ~= nil
    if err then
      return
    end
    tcp:write(("GET /metrics HTTP/1.0\r\nHost: 127.0.0.1:%d\r\n\r\n"):format(port))
    tcp:read_start(function(_, data)
      text[#text + 1] = data
      over = not data
    end)
  end)
  process.wait(5, function()
    return over
  end)
  tcp:close()
  return table.concat(text)
end

-- MB (1024²) of all generations together; there is one.
local function lua_memory(port)
  local sum
  for value in metrics(port):gmatch "lua_memory_bytes{[^}]*} ([%d.e+]+)" do
    sum = (sum or 0) + tonumber(value) / 1024 ^ 2
  end
  return sum
end

--- W1 with so many lines; garbage that the collector has not taken yet is in both.
---@param lines integer
---@param directory string
---@return bench.Heap
function heap.measure(lines, directory)
  local path = directory .. "/heap.plan"
  plan.filtering(lines):write(path)
  local run = { plan = path, flags = { "-on-signal" }, port = http_port.free() }
  local server, address = measure.serve(run)
  local child = measure.launch(peers.ours(), run, address)
  local result = {}
  if measure.start_time(server, child) then
    process.pass(REST)
    result.before = lua_memory(run.port)
    server:signal "sigusr1"
    process.wait(120, function()
      return server:said "^done" or child.code
    end)
    process.pass(REST)
    result.after = lua_memory(run.port)
  end
  if not server:said "^done" or not result.before or not result.after then
    result.wrong = "its Lua memory could not be read, or the lines were not dealt with in time"
  end
  child:stop()
  server:stop()
  return result
end

return heap
