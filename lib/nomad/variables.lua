--- Variables: list and read (/v1/vars, /v1/var/:path). The token needs variables { path "…" { capabilities = ["list",
--- "read"] } } in the namespace.

local nomad = require "nomad"

local variables = {}

--- What is known of each without its items (Namespace, Path, indexes, times), one by one; of all namespaces that the
--- token may list unless options.namespace says less.
---@async
---@param options? { namespace?: string, prefix?: string, index?: integer, wait?: string }
---@return nomad.Reader?
---@return host.nomad.Error?
function variables.list(options)
  options = options or {}
  return nomad.list("/v1/vars", {
    query = {
      namespace = options.namespace or "*", prefix = options.prefix, index = options.index,
      wait = options.wait,
    },
  })
end

-- A path's slashes stay: Nomad routes by them.
local function path_of(path)
  return "/v1/var/" .. path:gsub("[^/]+", nomad.escape)
end

---@async
---@param namespace string
---@param path string
---@param options? { index?: integer, wait?: string } an answer at least as new as this index
---@return table? variable with Items, a table of strings
---@return host.nomad.Error? err code "not_found"
function variables.get(namespace, path, options)
  options = options or {}
  return nomad.request("GET", path_of(path), {
    query = { namespace = namespace, index = options.index, wait = options.wait },
  })
end

return variables
