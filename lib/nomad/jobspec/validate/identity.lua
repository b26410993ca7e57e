--- The rules for what gives a task access: identities, Vault, Consul, secrets.

local common = require "nomad.jobspec.validate.common"

local identity = {}

local each = common.each

local function check_change(r, wi)
  local mode, signal = wi.ChangeMode or "", wi.ChangeSignal or ""
  if mode == "signal" then
    r:want(signal ~= "", wi, "ChangeSignal", "is needed with ChangeMode signal")
  elseif mode == "" or mode == "noop" or mode == "restart" then
    r:want(signal == "", wi, "ChangeSignal", "is allowed only with ChangeMode signal")
  else
    r:err(wi, "ChangeMode", "%q is not allowed, only noop, signal, restart", mode)
  end
end

local function check(r, wi)
  local name = wi.Name or ""
  local default = name == "" or name == "default"
  r:want(
    default or #name <= 128 and not name:find("[^%w_-]"),
    wi,
    "Name",
    "%q is no name; allowed are up to 128 letters, digits, - and _",
    name
  )
  for i, audience in ipairs(not default and wi.Audience or {}) do
    r:want(audience ~= "", wi.Audience, i, "must not be empty")
  end
  check_change(r, wi)
  local ttl = wi.TTL or 0
  r:want(ttl <= 0 or not default, wi, "TTL", "is not allowed in the default identity")
  r:want(ttl >= 0, wi, "TTL", "must not be negative")
  r:want((wi.Filepath or "") == "" or wi.File, wi, "Filepath", "needs File")
end

--- The default identity comes from Identity or, last named, from Identities; a second one in the list is a mistake.
---@param r jobspec.Report
---@param task table
function identity.tasks(r, task)
  local last
  for i, wi in each(task.Identities) do
    if (wi.Name or "") == "" or wi.Name == "default" then
      last = i
    end
  end
  for i, wi in each(task.Identities) do
    local default = (wi.Name or "") == "" or wi.Name == "default"
    r:want(not default or i == last, wi, "Name", "there are two default identities")
    check(r, wi)
  end
  if task.Identity and not last then
    check(r, task.Identity)
  end
end

local function vault_enterprise(r, v, job)
  local cluster = v.Cluster or ""
  r:want(
    cluster == "" or cluster == "default",
    v,
    "Cluster",
    "needs Nomad Enterprise, only default is allowed"
  )
  local namespace = (v.Namespace or "") ~= "" and v.Namespace or job.VaultNamespace or ""
  r:want(namespace == "", v, "Namespace", "needs Nomad Enterprise")
end

---@param r jobspec.Report
---@param task table
---@param job table
---@param enterprise boolean
function identity.vault(r, task, job, enterprise)
  local v = task.Vault
  if not v then
    return
  end
  local mode = v.ChangeMode or ""
  r:want(
    mode == "" or mode == "noop" or mode == "signal" or mode == "restart",
    v,
    "ChangeMode",
    "%q is not allowed, only noop, signal, restart",
    mode
  )
  r:want(
    mode ~= "signal" or v.ChangeSignal ~= "",
    v,
    "ChangeSignal",
    "is needed with ChangeMode signal"
  )
  if not enterprise then
    vault_enterprise(r, v, job)
  end
end

---@param r jobspec.Report
---@param holder table a group or task
---@param group table?
---@param enterprise boolean
function identity.consul(r, holder, group, enterprise)
  local c = holder.Consul
  if not c then
    return
  end
  local cluster = c.Cluster or ""
  r:want(
    enterprise or cluster == "" or cluster == "default",
    c,
    "Cluster",
    "needs Nomad Enterprise, only default is allowed"
  )
  local outer, own = group and group.Consul and group.Consul.Partition or "", c.Partition or ""
  r:want(outer == "" or own == "" or outer == own, c, "Partition", "must be the group's, %q", outer)
end

---@param r jobspec.Report
---@param task table
function identity.secrets(r, task)
  local seen = {}
  for _, s in each(task.Secrets) do
    local name, provider = s.Name or "", s.Provider or ""
    r:want(not seen[name], s, "Name", "%q is there twice in the task", name)
    seen[name] = true
    r:want(
      name ~= "" and #name <= 128 and not name:find("[^%w_]"),
      s,
      "Name",
      "%q is no name; allowed are up to 128 letters, digits and _",
      name
    )
    r:want(provider ~= "", s, "Provider", "is needed")
    r:want((s.Path or "") ~= "", s, "Path", "is needed")
    r:want(provider ~= "vault" or task.Vault, s, "Provider", "vault needs a Vault block")
    if provider == "nomad" or provider == "vault" then
      r:want(not common.some(s.Env), s, "Env", "is not allowed with provider %s", provider)
    else
      r:want(
        not common.some(s.Config),
        s,
        "Config",
        "is allowed only with providers nomad " .. "and vault"
      )
    end
  end
end

return identity
