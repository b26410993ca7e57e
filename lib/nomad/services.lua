--- Service registrations of Nomad's own provider: list and read (/v1/services, /v1/service/:name). The token needs
--- read-job. Nomad lists only names; a registration is one of those that a name has.

local nomad = require "nomad"

local services = {}

--- All registrations of a service; empty where there are none.
---@async
---@param namespace string
---@param name string of the service
---@param options? { index?: integer, wait?: string } an answer at least as new as this index
---@return table[]? registrations
---@return host.nomad.Error?
function services.registrations(namespace, name, options)
  options = options or {}
  local path = "/v1/service/" .. nomad.escape(name)
  local list, err = nomad.request("GET", path, {
    query = { namespace = namespace, index = options.index, wait = options.wait },
  })
  if not list and err.code == "not_found" then
    return {}
  elseif list and type(list) ~= "table" then
    return nil, nomad.unexpected("GET", path, "the answer is not a list of registrations")
  end
  return list, err
end

---@class nomad.services.Reader
---@field index integer X-Nomad-Index of the list of names
---@field private names nomad.Reader
---@field private waiting table[] what is read and not given out yet
---@field private todo { [1]: string, [2]: string }[] namespaces and names whose registrations are not read yet
local Reader = {}
Reader.__index = Reader
Reader.__name = "nomad.services.Reader"

-- The services of the next namespace in the list.
local function next_namespace(self)
  local one, err = self.names:next()
  for _, service in ipairs(one and one.Services or {}) do
    table.insert(self.todo, { one.Namespace, service.ServiceName })
  end
  return one ~= nil, err
end

--- The next registration; nil at the end; nil and an error when an answer broke off.
---@async
---@return table?
---@return host.nomad.Error?
function Reader:next()
  while #self.waiting == 0 do
    local name = table.remove(self.todo)
    if name then
      local list, err = services.registrations(name[1], name[2])
      if not list then
        return nil, err
      end
      table.move(list, 1, #list, 1, self.waiting)
    else
      local more, err = next_namespace(self)
      if not more then
        return nil, err
      end
    end
  end
  return table.remove(self.waiting)
end

--- Gives up what has not been read.
function Reader:close()
  self.names:close()
end
Reader.__close = Reader.close

--- All registrations, one by one, with one request for each name; of all namespaces that the token may read unless
--- options.namespace says less.
---@async
---@param options? { namespace?: string }
---@return nomad.services.Reader?
---@return host.nomad.Error?
function services.list(options)
  local names, err = nomad.list("/v1/services", {
    query = { namespace = options and options.namespace or "*" },
  })
  if not names then
    return nil, err
  end
  return setmetatable({ names = names, index = names.index, waiting = {}, todo = {} }, Reader)
end

---@async
---@param namespace string
---@param name string of the service
---@param id string of the registration
---@param options? { index?: integer, wait?: string } an answer at least as new as this index
---@return table?
---@return host.nomad.Error? err code "not_found"
function services.get(namespace, name, id, options)
  local list, err = services.registrations(namespace, name, options)
  if not list then
    return nil, err
  end
  for _, one in ipairs(list) do
    if one.ID == id then
      return one
    end
  end
  local request = "GET /v1/service/" .. nomad.escape(name)
  local message = ("%s: service %s has no registration %s"):format(request, name, id)
  return nil, nomad.error {
    code = "not_found", message = message, request = request, retryable = false,
  }
end

return services
