--- Namespaces: list and read.

local nomad = require "nomad"

local namespaces = {}

--- All that the token may see.
---@async
---@return table[]?
---@return host.nomad.Error?
function namespaces.list()
  return nomad.all("/v1/namespaces")
end

---@async
---@param name string
---@return table?
---@return host.nomad.Error? err code "not_found"
function namespaces.get(name)
  return nomad.request("GET", "/v1/namespace/" .. nomad.escape(name))
end

return namespaces
