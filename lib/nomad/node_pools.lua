--- Node pools, of Nomad 1.6 and later: list and read (/v1/node/pools, /v1/node/pool/:name). The token sees those in
--- which it has node_pool:read.

local nomad = require "nomad"

local node_pools = {}

--- One by one.
---@async
---@param options? { prefix?: string, index?: integer, wait?: string }
---@return nomad.Reader?
---@return host.nomad.Error?
function node_pools.list(options)
  options = options or {}
  return nomad.list("/v1/node/pools", {
    query = { prefix = options.prefix, index = options.index, wait = options.wait },
  })
end

---@async
---@param name string
---@param options? { index?: integer, wait?: string } an answer at least as new as this index
---@return table?
---@return host.nomad.Error? err code "not_found"
function node_pools.get(name, options)
  options = options or {}
  return nomad.request("GET", "/v1/node/pool/" .. nomad.escape(name), {
    query = { index = options.index, wait = options.wait },
  })
end

return node_pools
