--- Nodes: list and read (/v1/nodes, /v1/node/:id). The token needs node:read.

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
---@param options? { index?: integer, wait?: string } an answer at least as new as this index
---@return table?
---@return host.nomad.Error? err code "not_found"
function nodes.get(id, options)
  options = options or {}
  return nomad.request("GET", "/v1/node/" .. nomad.escape(id), {
    query = { index = options.index, wait = options.wait },
  })
end

return nodes
