--- ACL objects: list and read (/v1/acl/tokens, /v1/acl/token/:accessor, and so for policies, roles, auth-methods and
--- binding-rules), for management tokens; and what any token may find out about itself. Where ACLs are off, Nomad
--- answers 400.

local nomad = require "nomad"

local acl = {}

--- Of so many policies at most the rules are read.
local POLICIES = 64

---@alias nomad.acl.Kind "token"|"policy"|"role"|"auth-method"|"binding-rule"

--- The path of the list of a kind.
---@type table<nomad.acl.Kind, string>
acl.PATHS = {
  token = "/v1/acl/tokens",
  policy = "/v1/acl/policies",
  role = "/v1/acl/roles",
  ["auth-method"] = "/v1/acl/auth-methods",
  ["binding-rule"] = "/v1/acl/binding-rules",
}

--- Stubs, one by one.
---@async
---@param kind nomad.acl.Kind
---@param options? { prefix?: string, index?: integer, wait?: string }
---@return nomad.Reader?
---@return host.nomad.Error?
function acl.list(kind, options)
  options = options or {}
  return nomad.list(acl.PATHS[kind], {
    query = { prefix = options.prefix, index = options.index, wait = options.wait },
  })
end

--- A token's answer has its SecretID: it is taken out here, for no policy needs it and it must not reach a log.
---@async
---@param kind nomad.acl.Kind
---@param id string a token's accessor; the name of a policy or auth method; the ID of others
---@param options? { index?: integer, wait?: string } an answer at least as new as this index
---@return table?
---@return host.nomad.Error? err code "not_found"
function acl.get(kind, id, options)
  options = options or {}
  local object, err = nomad.request("GET", ("/v1/acl/%s/%s"):format(kind, nomad.escape(id)), {
    query = { index = options.index, wait = options.wait },
  })
  if object then
    object.SecretID = nil
  end
  return object, err
end

--- Are ACLs off, so that anybody may do anything? Source: GET /v1/acl/policies, for which a server looks at nothing
--- else first, whatever the agent that is asked has in its configuration. (Of the token itself newer Nomads tell where
--- ACLs are off, too.)
---@async
---@param options? { timeout?: number } seconds
---@return boolean off false also where that cannot be told
function acl.are_off(options)
  local _, err = nomad.request("GET", acl.PATHS.policy, {
    query = { prefix = "nomad-operator-asks-whether-acls-are-off" },
    aside = true,
    timeout = options and options.timeout,
  })
  return err ~= nil and (err.body or ""):find("ACL support disabled", 1, true) ~= nil
end

--- The rules of the policies that the token has, as they were written; a workload identity's too. Nomads that know no
--- such question (before 1.11) answer with an error.
---@async
---@return string[]? rules HCL
---@return host.nomad.Error?
function acl.own_rules()
  local list, err = nomad.request("GET", "/v1/acl/policy/self", { aside = true })
  if not list then
    return nil, err
  end
  local rules = {}
  for i, stub in ipairs(type(list) == "table" and list or {}) do
    if i > POLICIES or type(stub) ~= "table" or type(stub.Name) ~= "string" then
      return nil,
        nomad.unexpected("GET", "/v1/acl/policy/self", "the answer is no list of policies")
    end
    local path = "/v1/acl/policy/" .. nomad.escape(stub.Name)
    local policy, refused = nomad.request("GET", path, { aside = true })
    if not policy then
      return nil, refused
    end
    rules[#rules + 1] = type(policy.Rules) == "string" and policy.Rules or ""
  end
  return rules
end

return acl
