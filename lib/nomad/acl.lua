--- ACL: what a token may find out about itself. The calls return a value, or nil and an error.

local nomad = require "nomad"

local acl = {}

--- Of so many policies at most the rules are read.
local POLICIES = 64

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
