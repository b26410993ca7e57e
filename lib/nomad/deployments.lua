--- Deployments: list and read (/v1/deployments, /v1/deployment/:id).

local nomad = require "nomad"

local deployments = {}

--- One by one; of all namespaces that the token may read unless options.namespace says less.
---@async
---@param options? { namespace?: string, prefix?: string, index?: integer, wait?: string }
---@return nomad.Reader?
---@return host.nomad.Error?
function deployments.list(options)
  options = options or {}
  return nomad.list("/v1/deployments", {
    query = {
      namespace = options.namespace or "*", prefix = options.prefix, index = options.index,
      wait = options.wait,
    },
  })
end

---@async
---@param namespace string
---@param id string the whole ID
---@param options? { index?: integer, wait?: string } an answer at least as new as this index
---@return table?
---@return host.nomad.Error? err code "not_found"
function deployments.get(namespace, id, options)
  options = options or {}
  return nomad.request("GET", "/v1/deployment/" .. nomad.escape(id), {
    query = { namespace = namespace, index = options.index, wait = options.wait },
  })
end

return deployments
