-- agents: a real cluster of servers and one client agent, each a process of its own with its data, as in production:
-- each can be killed, ended, held (SIGSTOP) and started again. Unlike the development agent they keep their state.
local http = require "support.http"
local json = require "host.json"
local ports = require "support.ports"
local process = require "support.process"
local Strays = require "support.strays"
local wait = require "support.wait"

local agents = {}
agents.__index = agents

local agent = {}
agent.__index = agent

local COMMON = [[
name      = "%s"
data_dir  = "%s"
bind_addr = "127.0.0.1"
leave_on_terminate = true
disable_update_check = true
advertise {
  http = "127.0.0.1"
  rpc  = "127.0.0.1"
  serf = "127.0.0.1"
}
ports {
  http = %d
  rpc  = %d
  serf = %d
}
]]

local SERVER = [[
server {
  enabled          = true
  bootstrap_expect = %d
  server_join {
    retry_join     = ["%s"]
    retry_interval = "1s"
  }
}
]]

-- Small, so that few of the tasks run: they are not what this is about.
local CLIENT = [[
client {
  enabled            = true
  network_interface  = "lo"
  servers            = ["%s"]
  cpu_total_compute  = 1000
  memory_total_mb    = 2000
  options = {
    "fingerprint.denylist" = "env_aws,env_gce,env_azure,env_digitalocean,consul,vault,cni,bridge"
  }
}
plugin "raw_exec" {
  config {
    enabled = true
  }
}
]]

local function write_file(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

-- -- one agent

function agent:launch()
  self.held = false
  self.process = process.start {
    self.program,
    "agent",
    "-config",
    self.dir .. "/" .. self.name .. ".hcl",
    "-config",
    self.dir .. "/more.hcl",
    "-log-level",
    "WARN",
  }
end

local function keep_log(self)
  local file = assert(io.open(("%s/%s.log"):format(self.dir, self.name), "a"))
  file:write(self.process.stdout, self.process.stderr, "-- ended\n")
  file:close()
end

-- Ends it by a signal, as a person or a crash does; what it said goes to its log.
function agent:finish(signal)
  if not self.process then
    return
  end
  if self.strays then
    self.strays:note(self.process.pid, self.dir)
  end
  self.process:signal "sigcont"
  self.process:signal(signal)
  if not pcall(self.process.wait, self.process, 20) then
    self.process:signal "sigkill"
    self.process:wait(5)
  end
  keep_log(self)
  self.process, self.held = nil, false
end

-- Its process gets no time any more: connections stay open, and nothing is answered.
function agent:hold()
  self.process:signal "sigstop"
  self.held = true
end

function agent:go_on()
  self.process:signal "sigcont"
  self.held = false
end

-- Whether it could answer.
function agent:awake()
  return self.process ~= nil and self.process:running() and not self.held
end

-- One request: status, text. Without a status nothing was answered, and the text says why.
function agent:request(method, path, options)
  options = options or {}
  local answer, err = http.request {
    port = self.port,
    method = method,
    path = path,
    body = options.body,
    headers = options.token and { ["X-Nomad-Token"] = options.token },
    timeout = options.timeout or 5,
  }
  if not answer then
    return nil, err
  end
  return answer.status, answer.body
end

-- The address of the leader's RPC port as this one knows it; nil where it knows none.
function agent:leader()
  if not self:awake() then
    return nil
  end
  local status, text = self:request("GET", "/v1/status/leader", { timeout = 2 })
  return status == 200 and text:match '"([%d.:]+)"' or nil
end

-- -- all of them

local function new_agent(self, name, role)
  local port, rpc, serf = ports.free(3)
  local one = { name = name, role = role, port = port, rpc = rpc, serf = serf }
  one.address = "http://127.0.0.1:" .. port
  one.dir, one.program = self.dir, self.program
  self.list[#self.list + 1] = setmetatable(one, agent)
  return one
end

local function addresses(list, field)
  local out = {}
  for i, one in ipairs(list) do
    out[i] = "127.0.0.1:" .. one[field]
  end
  return table.concat(out, '", "')
end

local function configure(self, more)
  write_file(self.dir .. "/more.hcl", more)
  for _, one in ipairs(self.list) do
    local text = COMMON:format(one.name, self.dir .. "/" .. one.name, one.port, one.rpc, one.serf)
    if one.role == "server" then
      text = text .. SERVER:format(#self.servers, addresses(self.servers, "serf"))
    else
      text = text .. CLIENT:format(addresses(self.servers, "rpc"))
    end
    write_file(("%s/%s.hcl"):format(self.dir, one.name), text)
  end
end

-- new{ program =, dir =, servers = 3, config = "more HCL" }: their files and ports; launch starts them.
function agents.new(options)
  local self = setmetatable({ program = options.program, dir = options.dir, list = {} }, agents)
  self.servers, self.strays = {}, Strays.new()
  for i = 1, options.servers or 3 do
    self.servers[i] = new_agent(self, "server" .. i, "server")
  end
  self.client = new_agent(self, "client", "client")
  self.client.strays = self.strays
  configure(self, options.config or "")
  return self
end

-- The servers, and when they have a leader the client: one that finds none waits long before it asks again.
function agents:launch()
  for _, one in ipairs(self.servers) do
    one:launch()
  end
  wait.poll(30, function()
    return "there is no leader; " .. self:said()
  end, function()
    if not self:running() then
      error(self:said(), 0)
    end
    return self:leader()
  end)
  self.client:launch()
end

-- The leader that more than half of the servers agree on, or nil.
function agents:leader()
  local votes = {}
  for _, one in ipairs(self.servers) do
    local address = one:leader()
    if address then
      votes[address] = (votes[address] or 0) + 1
    end
  end
  for _, one in ipairs(self.servers) do
    local count = votes["127.0.0.1:" .. one.rpc]
    if count and count * 2 > #self.servers and one:awake() then
      return one
    end
  end
  return nil
end

-- True when all servers know the leader, and the client agent takes work.
function agents:healthy(token)
  for _, one in ipairs(self.list) do
    if not one:awake() then
      return false
    end
  end
  local leader = self:leader()
  for _, one in ipairs(self.servers) do
    if not leader or one:leader() ~= "127.0.0.1:" .. leader.rpc then
      return false
    end
  end
  local status, text = self.client:request("GET", "/v1/nodes", { timeout = 2, token = token })
  local nodes = status == 200 and json.decode(text)
  return nodes and nodes[1] ~= nil and nodes[1].Status == "ready"
end

function agents:wait_healthy(seconds)
  wait.poll(seconds, function()
    return "the cluster is not whole; " .. self:said()
  end, function()
    if not self:running() then
      error(self:said(), 0)
    end
    return self:healthy()
  end)
end

function agents:running()
  for _, one in ipairs(self.list) do
    if one.process and not one.process:running() then
      return false
    end
  end
  return true
end

function agents:said()
  local out = {}
  for _, one in ipairs(self.list) do
    out[#out + 1] = one.name .. ": " .. (one.process and one.process:said() or "does not run")
  end
  return table.concat(out, "\n")
end

-- Ends all, and the tasks that the client agent would leave behind. The clients first: then nothing is moved.
function agents:halt()
  for i = #self.list, 1, -1 do
    self.list[i]:finish "sigkill"
  end
  self.strays:stop()
  Strays.unmount(self.dir)
end

-- Forgets all state: the next launch is a new cluster.
function agents:wipe()
  for _, one in ipairs(self.list) do
    process.run { "rm", "-rf", self.dir .. "/" .. one.name }
  end
end

return agents
