-- What the model claims of lists and reads of objects that are no jobs: requests, and what a real Nomad must agree
-- with: the status, the text of a refusal, and each field that the model's answer has.
local json = require "host.json"

local claims = {}

local NONE = "5a1c0000-0000-4000-8000-0000000000ff"

-- method, path, body
claims.requests = {
  { "GET", "/v1/nodes" },
  { "GET", "/v1/node/" .. NONE },
  { "GET", "/v1/node/pools" },
  { "GET", "/v1/allocations?namespace=*" },
  { "GET", "/v1/allocation/" .. NONE },
  { "GET", "/v1/deployments?namespace=*" },
  { "GET", "/v1/deployment/" .. NONE },
  { "GET", "/v1/evaluations?namespace=*" },
  { "GET", "/v1/evaluation/" .. NONE },
  { "GET", "/v1/services?namespace=*" },
  { "GET", "/v1/service/none" },
  { "GET", "/v1/vars?namespace=*" },
  { "GET", "/v1/var/none" },
  { "PUT", "/v1/var/app/claim", { Path = "app/claim", Items = { a = "1" } } },
  { "GET", "/v1/var/app/claim" },
  { "GET", "/v1/vars?namespace=*" },
  { "DELETE", "/v1/var/app/claim" },
  { "DELETE", "/v1/var/app/claim" },
  { "GET", "/v1/var/app/claim" },
}

local function differs(path, model, real)
  local one, other = json.is_array(model), json.is_array(real)
  if type(model) ~= type(real) or one ~= other then
    return ("%s is a %s, the real one's a %s"):format(path, type(model), type(real))
  elseif type(model) ~= "table" then
    return nil
  elseif one then
    return model[1] and real[1] and differs(path .. "[1]", model[1], real[1])
  end
  for name, value in pairs(model) do
    local said = real[name] == nil and ("%s.%s is not in the real one's"):format(path, name)
      or differs(path .. "." .. name, value, real[name])
    if said then
      return said
    end
  end
end

--- How the model's answer differs from the real one's; nil: it does not.
---@param model { status: integer, body: string }
---@param real { status: integer, body: string }
---@return string?
function claims.difference(model, real)
  if model.status ~= real.status then
    return ("status %d, the real one's is %d (%s)"):format(model.status, real.status, real.body)
  elseif model.status >= 400 then
    local same = model.body:gsub("%s+$", "") == real.body:gsub("%s+$", "")
    return not same and ("%q, the real one says %q"):format(model.body, real.body) or nil
  end
  local one, other = json.decode(model.body), json.decode(real.body)
  if one == nil or other == nil then
    return model.body ~= real.body and "the one is JSON, the other is not" or nil
  end
  return differs("answer", one, other)
end

return claims
