--- Namespaces: list, follow and read. The calls return a value, or nil and an error.

local nomad = require "nomad"

local namespaces = {}

--- All that the token may see.
---@async
---@return table[]?
---@return host.nomad.Error?
function namespaces.list()
  return nomad.all("/v1/namespaces")
end

--- The same, one by one.
---@async
---@return nomad.Reader?
---@return host.nomad.Error?
function namespaces.each()
  return nomad.list("/v1/namespaces")
end

---@class nomad.namespaces.NamesOptions
---@field index? integer a blocking query: answer when there is something newer
---@field wait? integer seconds that it may wait for that

--- More seconds than the wait that a blocking query has to be answered.
local GRACE = 30

--- The names, sorted, of those namespaces in which the token has any capability at all.
---@async
---@param options? nomad.namespaces.NamesOptions
---@return string[]? names
---@return host.nomad.Error?
---@return integer? index X-Nomad-Index
function namespaces.names(options)
  options = options or {}
  local wait = options.wait
  local list, err, response = nomad.request("GET", "/v1/namespaces", {
    query = { index = options.index, wait = wait and wait .. "s" },
    timeout = wait and wait + GRACE, aside = true,
  })
  if not list then
    return nil, err
  end
  local names = {}
  for i, one in ipairs(type(list) == "table" and list or {}) do
    if type(one) ~= "table" or type(one.Name) ~= "string" then
      return nil,
        nomad.unexpected("GET", "/v1/namespaces", ("element %d is no namespace"):format(i))
    end
    names[i] = one.Name
  end
  table.sort(names)
  return names, nil, response.index
end

---@async
---@param name string
---@param options? { index?: integer, wait?: string } an answer at least as new as this index
---@return table?
---@return host.nomad.Error? err code "not_found", where the token may know that
function namespaces.get(name, options)
  options = options or {}
  return nomad.request("GET", "/v1/namespace/" .. nomad.escape(name), {
    query = { index = options.index, wait = options.wait },
  })
end

return namespaces
