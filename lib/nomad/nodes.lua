--- Nodes: list and read.

local nomad = require "nomad"

local nodes = {}

--- One by one.
---@async
---@param options? { prefix?: string, index?: integer, wait?: string }
---@return nomad.Reader?
---@return host.nomad.Error?
function nodes.list(options)
  options = options or {}
  return nomad.list("/v1/nodes", {
    query = { prefix = options.prefix, index = options.index, wait = options.wait },
  })
end

---@async
---@param id string the whole ID
---@return table?
---@return host.nomad.Error? err code "not_found"
function nodes.get(id)
  return nomad.request("GET", "/v1/node/" .. nomad.escape(id))
end

return nodes
