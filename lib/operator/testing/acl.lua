--- acl: tokens and what they may do in which namespace. Off until the first token is made.

local acl = {}

local READ = { "list-jobs", "parse-job", "read-job", "read-logs", "read-fs" }
local WRITE = { "submit-job", "dispatch-job", "scale-job" }

local SHORT = {
  read = { READ },
  write = { READ, WRITE },
}

---@class operator.testing.Token
---@field secret string
---@field management? boolean
---@field namespaces? table<string, string[]|"read"|"write"> namespace or "*" → capabilities
---@field wide? table<string, "read"|"write"> "node", "node_pool": policies that are of no namespace

---@class operator.testing.Acl
---@field on boolean
---@field unknown string what a token that does not exist is answered with
---@field tokens table<string, operator.testing.Token>
local Acl = {}
Acl.__index = Acl

---@param modern? boolean 1.11 says only that it is denied
---@return operator.testing.Acl
function acl.new(modern)
  local unknown = modern and "Permission denied" or "ACL token not found"
  return setmetatable({ on = false, unknown = unknown, tokens = {} }, Acl)
end

local function expanded(list)
  local set = {}
  for _, part in ipairs(type(list) == "string" and SHORT[list] or { list }) do
    for _, capability in ipairs(part) do
      set[capability] = true
    end
  end
  return set
end

---@param token operator.testing.Token
function Acl:add(token)
  local rules = {}
  for namespace, list in pairs(token.namespaces or {}) do
    rules[namespace] = expanded(list)
  end
  self.on = true
  self.tokens[token.secret] = { management = token.management, rules = rules, wide = token.wide }
end

---@param secret string
function Acl:remove(secret)
  self.tokens[secret] = nil
end

---@class operator.testing.Rights
---@field private management boolean
---@field private rules table<string, table<string, boolean>>
---@field private wide table<string, string>
local Rights = {}
Rights.__index = Rights

--- One of the capabilities in the namespace.
---@param namespace string
---@param ... string capability
---@return boolean
function Rights:may(namespace, ...)
  if self.management then
    return true
  end
  local rule = self.rules[namespace] or self.rules["*"] or {}
  for _, capability in ipairs { ... } do
    if rule[capability] then
      return true
    end
  end
  return false
end

--- Anything at all in the namespace.
---@param namespace string
---@return boolean
function Rights:sees(namespace)
  return self.management or next(self.rules[namespace] or self.rules["*"] or {}) ~= nil
end

--- The rules as the HCL of a policy.
---@return string
function Rights:text()
  local blocks = {}
  for namespace, capabilities in pairs(self.rules) do
    local names = {}
    for name in pairs(capabilities) do
      names[#names + 1] = ("%q"):format(name)
    end
    table.sort(names)
    blocks[#blocks + 1] = ("namespace %q {\n  capabilities = [%s]\n}\n"):format(
      namespace,
      table.concat(names, ", ")
    )
  end
  table.sort(blocks)
  return table.concat(blocks)
end

--- A policy that is of no namespace.
---@param name string "node"
---@return boolean
function Rights:reads(name)
  return self.management == true or self.wide[name] ~= nil
end

---@return boolean
function Rights:manages()
  return self.management == true
end

---@param secret? string X-Nomad-Token
---@return operator.testing.Rights? rights
---@return operator.testing.Refusal?
function Acl:rights(secret)
  if not self.on then
    return setmetatable({ management = true, rules = {}, wide = {} }, Rights)
  end
  local token = { rules = {} }
  if secret and secret ~= "" then
    token = self.tokens[secret]
    if not token then
      return nil, { status = 403, text = self.unknown }
    end
  end
  return setmetatable({
    management = token.management,
    rules = token.rules,
    wide = token.wide or {},
  }, Rights)
end

return acl
