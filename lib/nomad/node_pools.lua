--- Node pools, of Nomad 1.6 and later: list and read (/v1/node/pools, /v1/node/pool/:name). The token sees those in
--- which it has node_pool:read.

local nomad = require "nomad"

local node_pools = {}

--- A Nomad before 1.6 takes the list for a node whose ID is "pools".
local function recognised(err)
  if not tostring(err.body or err.message):find("UUID must be 36 characters", 1, true) then
    return err
  end
  local fields = {}
  for name, value in pairs(err) do
    fields[name] = value
  end
  fields.code, fields.retryable = "not_found", false
  return nomad.error(fields)
end

--- One by one. On a Nomad before 1.6 err.code is "not_found".
---@async
---@param options? { prefix?: string, index?: integer, wait?: string }
---@return nomad.Reader?
---@return host.nomad.Error?
function node_pools.list(options)
  options = options or {}
  local reader, err = nomad.list("/v1/node/pools", {
    query = { prefix = options.prefix, index = options.index, wait = options.wait },
  })
  return reader, err and recognised(err)
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
