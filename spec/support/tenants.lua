-- tenants: what the live specs about tokens share: a real cluster with ACLs and the namespaces a, b and c, tokens that
-- may do something in some of them, an operator that has such a token, and jobs there with their backups.
local live = require "support.live"
local process = require "support.process"

local Tenants = {}
Tenants.__index = Tenants

local tenants = {}

--- `operator` is the one that was started last, and `cluster` is of support.nomad.
function tenants.new()
  local self = setmetatable({ number = 0, script = "scripts" }, Tenants)
  self.cluster = live.cluster { acl = true }
  for _, name in ipairs { "a", "b", "c" } do self.cluster:namespace(name) end
  return self
end

--- A token of its own for each test: changing its policy disturbs no other. Its secret, and the policy's name.
function Tenants:token(namespaces)
  self.number = self.number + 1
  local policy = "policy-" .. self.number
  self.cluster:policy(policy, namespaces)
  return self.cluster:client_token(policy), policy
end

--- Starts an operator for `self.script` without waiting for anything; more arguments are its flags.
function Tenants:launch(secret, ...)
  local flags = { "run", "-log-format", "text" }
  for _, flag in ipairs { ... } do flags[#flags + 1] = flag end
  flags[#flags + 1] = self.script
  flags.env = { NOMAD_ADDR = self.cluster.address, NOMAD_TOKEN = secret }
  self.operator = process.operator(flags)
  return self.operator
end

--- Registers a job that wants a backup.
function Tenants:put(id, namespace)
  local job = live.parameterized(id)
  job.Namespace = namespace
  self.cluster:register(job)
end

--- Waits for the job's backup, and returns it.
function Tenants:expect(id, namespace, seconds)
  return live.expect(self.cluster, self.operator, "backup-" .. id, "@daily", {
    namespace = namespace, seconds = seconds,
  })
end

--- Ends the operator, and what a test changed of it.
function Tenants:reset()
  local one = self.operator
  self.operator, self.script = nil, "scripts"
  if one then one:stop() end
end

function Tenants:close() self.cluster:close() end

return tenants
