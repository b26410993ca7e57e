--- Volumes and CSI plugins: list and read (/v1/volumes, /v1/volume/csi/:id, /v1/volume/host/:id, /v1/plugins,
--- /v1/plugin/csi/:id). The token needs csi-list-volume and csi-read-volume, host-volume-read (dynamic host volumes, of
--- Nomad 1.10 and later), and plugin:read.

local nomad = require "nomad"

local volumes = {}

---@class nomad.volumes.ListOptions
---@field namespace? string "*", the default: all that the token may read; plugins are in none
---@field prefix? string
---@field index? integer
---@field wait? string

local function list(path, kind, options, namespaced)
  options = options or {}
  return nomad.list(path, {
    query = {
      type = kind, namespace = namespaced and (options.namespace or "*") or nil,
      prefix = options.prefix, index = options.index, wait = options.wait,
    },
  })
end

--- Stubs of CSI volumes, one by one.
---@async
---@param options? nomad.volumes.ListOptions
---@return nomad.Reader?
---@return host.nomad.Error?
function volumes.csi_list(options)
  return list("/v1/volumes", "csi", options, true)
end

--- Stubs of dynamic host volumes, one by one.
---@async
---@param options? nomad.volumes.ListOptions
---@return nomad.Reader?
---@return host.nomad.Error?
function volumes.host_list(options)
  return list("/v1/volumes", "host", options, true)
end

--- Stubs of CSI plugins, one by one.
---@async
---@param options? nomad.volumes.ListOptions
---@return nomad.Reader?
---@return host.nomad.Error?
function volumes.plugin_list(options)
  return list("/v1/plugins", "csi", options, false)
end

local function get(path, id, namespace, options)
  options = options or {}
  return nomad.request("GET", path .. nomad.escape(id), {
    query = { namespace = namespace, index = options.index, wait = options.wait },
  })
end

---@async
---@param namespace string
---@param id string
---@param options? { index?: integer, wait?: string } an answer at least as new as this index
---@return table?
---@return host.nomad.Error? err code "not_found"
function volumes.csi_get(namespace, id, options)
  return get("/v1/volume/csi/", id, namespace, options)
end

---@async
---@param namespace string
---@param id string
---@param options? { index?: integer, wait?: string } an answer at least as new as this index
---@return table?
---@return host.nomad.Error? err code "not_found"
function volumes.host_get(namespace, id, options)
  return get("/v1/volume/host/", id, namespace, options)
end

---@async
---@param id string
---@param options? { index?: integer, wait?: string } an answer at least as new as this index
---@return table?
---@return host.nomad.Error? err code "not_found"
function volumes.plugin_get(id, options)
  return get("/v1/plugin/csi/", id, nil, options)
end

return volumes
