--- Evaluations: list and read (/v1/evaluations, /v1/evaluation/:id).

local nomad = require "nomad"

local evaluations = {}

--- One by one; of all namespaces that the token may read unless options.namespace says less.
---@async
---@param options? { namespace?: string, prefix?: string, index?: integer, wait?: string }
---@return nomad.Reader?
---@return host.nomad.Error?
function evaluations.list(options)
  options = options or {}
  return nomad.list("/v1/evaluations", {
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
function evaluations.get(namespace, id, options)
  options = options or {}
  return nomad.request("GET", "/v1/evaluation/" .. nomad.escape(id), {
    query = { namespace = namespace, index = options.index, wait = options.wait },
  })
end

return evaluations
