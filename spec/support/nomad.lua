-- nomad: a Nomad for a spec or the demo: a real development agent of its own, on ports of its own, in a directory of
-- its own, or a server behind a client agent, which is then the one that is asked; or the model of Nomad, served on a
-- socket.
local uv = require "luv"
local agents = require "support.agents"
local json = require "host.json"
local http = require "support.http"
local ports = require "support.ports"
local process = require "support.process"
local wait = require "support.wait"

local nomad = {}
nomad.__index = nomad

local config = [[
ports {
  http = %d
  rpc  = %d
  serf = %d
}
client {
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

-- The program of a version ("1.11.3"; nil: any that is there), or nil and a sentence.
function nomad.find(version)
  local pipe = assert(io.popen(("tools/nomad/find '%s' 2>&1"):format(version or "")))
  local line = pipe:read("l")
  if not pipe:close() then return nil, line end
  return line
end

local function write_file(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

-- With ACLs nothing is answered before the first token is made; it is the management token.
local function bootstrap(self)
  local answer = http.request {
    port = self.port, method = "POST", path = "/v1/acl/bootstrap", timeout = 5,
  }
  local token = answer and answer.status == 200 and json.decode(answer.body)
  self.token = token and token.SecretID or nil
  return self.token ~= nil
end

local function headers(self)
  return self.token and { ["X-Nomad-Token"] = self.token }
end

local function ready(self)
  local leader = http.request { port = self.port, path = "/v1/status/leader", timeout = 2 }
  if not leader or leader.status ~= 200 or #leader.body < 5 then return false end
  if self.acl and not self.token and not bootstrap(self) then return false end
  local nodes = http.request {
    port = self.port, path = "/v1/nodes", timeout = 2, headers = headers(self),
  }
  local list = nodes and nodes.status == 200 and json.decode(nodes.body) or {}
  return list[1] and list[1].Status == "ready" and list[1].SchedulingEligibility == "eligible"
end

local function launch_model(self)
  self.process = process.start { "lua5.4", "tools/fake_nomad.lua", "-port", self.port }
  wait.poll(10, function()
    return "the model of Nomad does not answer; " .. self.process:said()
  end, function()
    if not self.process:running() then error(self.process:said(), 0) end
    local leader = http.request { port = self.port, path = "/v1/status/leader", timeout = 2 }
    return leader and leader.status == 200
  end)
end

local function launch(self)
  if self.model then return launch_model(self) end
  if self.agents then
    self.agents:wipe()
    self.agents:launch()
    self.process = self.agents
  else
    self.process = process.start {
      self.program, "agent", "-dev", "-bind", "127.0.0.1", "-config", self.dir .. "/dev.hcl",
      "-log-level", "WARN",
    }
  end
  wait.poll(30, function()
    return "Nomad is not ready; " .. self.process:said()
  end, function()
    if not self.process:running() then error(self.process:said(), 0) end
    return ready(self)
  end)
end

-- start{ version = "1.11.3", config = "more HCL", acl = true, client = true }: returns when a node can take work. With
-- acl its requests carry the management token. With client, or $NOMAD_THROUGH=client, it is a client agent that hands
-- requests on to a server.
function nomad.start(options)
  local self = setmetatable({ version = options.version, acl = options.acl }, nomad)
  self.program = assert(nomad.find(options.version))
  self.dir = assert(uv.fs_mkdtemp((os.getenv("TMPDIR") or "/tmp") .. "/nomad-operator-XXXXXX"))
  local more = (options.acl and "acl {\n  enabled = true\n}\n" or "") .. (options.config or "")
  if options.client or os.getenv "NOMAD_THROUGH" == "client" then
    self.agents = agents.new { program = self.program, dir = self.dir, servers = 1, config = more }
    self.port = self.agents.client.port
  else
    local rpc, serf
    self.port, rpc, serf = ports.free(3)
    write_file(self.dir .. "/dev.hcl", config:format(self.port, rpc, serf) .. more)
  end
  self.address = "http://127.0.0.1:" .. self.port
  launch(self)
  return self
end

-- The model of Nomad, in a process of its own.
function nomad.serve_model()
  local self = setmetatable({ model = true, port = ports.free(1) }, nomad)
  self.address = "http://127.0.0.1:" .. self.port
  launch(self)
  return self
end

-- Ends the agent; resume starts it again: a new, empty cluster at the same address.
function nomad:halt()
  if self.agents then return self.agents:halt() end
  self.process:signal("sigint")
  if not pcall(self.process.wait, self.process, 20) then
    self.process:signal("sigkill")
    self.process:wait(5)
  end
end

function nomad:resume()
  self.token = nil
  launch(self)
end

-- For a teardown: ends the agent and removes its directory.
function nomad:close()
  self:halt()
  if self.dir then process.run { "rm", "-rf", self.dir } end
end

-- Sends a request, a table as body goes as JSON; returns status, the decoded answer (or its text).
function nomad:request(method, path, body)
  local response = assert(http.request {
    port = self.port,
    method = method,
    path = path,
    body = body and json.encode(body),
    headers = headers(self),
    timeout = 20,
  })
  local value = json.decode(response.body)
  return response.status, value == nil and response.body or value
end

local function must(self, method, path, body)
  local status, value = self:request(method, path, body)
  if status < 200 or status > 299 then
    error(("%s %s: %d %s"):format(method, path, status, tostring(value)), 3)
  end
  return value
end

function nomad:get(path)
  return must(self, "GET", path)
end

local function job_path(namespace, id)
  return ("/v1/job/%s?namespace=%s"):format(http.escape(id), http.escape(namespace))
end

function nomad:register(job)
  local path = "/v1/jobs?namespace=" .. http.escape(job.Namespace or "default")
  return must(self, "POST", path, { Job = job })
end

-- Stops the job; with purge it is forgotten too.
function nomad:stop(namespace, id, purge)
  return must(self, "DELETE", job_path(namespace, id) .. (purge and "&purge=true" or ""))
end

-- The job, or nil where there is none.
function nomad:job(namespace, id)
  local status, value = self:request("GET", job_path(namespace, id))
  if status == 200 then return value end
  if status == 404 then return nil end
  error(("GET job %s/%s: %d %s"):format(namespace, id, status, tostring(value)), 2)
end

-- The IDs of all jobs in a namespace, sorted; those with a parent (runs, dispatches) too.
function nomad:job_ids(namespace)
  local ids = {}
  for _, stub in ipairs(self:get("/v1/jobs?namespace=" .. http.escape(namespace))) do
    ids[#ids + 1] = stub.ID
  end
  table.sort(ids)
  return ids
end

-- A policy, made or replaced: namespace → capabilities.
function nomad:policy(name, namespaces)
  local rules = {}
  for namespace, capabilities in pairs(namespaces) do
    rules[#rules + 1] = ('namespace "%s" {\n  capabilities = ["%s"]\n}\n')
      :format(namespace, table.concat(capabilities, '", "'))
  end
  must(self, "POST", "/v1/acl/policy/" .. name, { Name = name, Rules = table.concat(rules) })
end

-- A token with that policy: its secret.
function nomad:client_token(policy)
  local body = { Name = policy, Type = "client", Policies = json.array { policy } }
  return must(self, "POST", "/v1/acl/token", body).SecretID
end

function nomad:namespace(name)
  return must(self, "POST", "/v1/namespace/" .. name, { Name = name })
end

return nomad
