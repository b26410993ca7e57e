--- Requests to Nomad's HTTP API: paths, queries and JSON. `local nomad = require "nomad"`.

local json = require "host.json"
local host_nomad = require "host.nomad"

local nomad = {}

-- Set while code runs that only decides: why it may not call Nomad.
local forbidden

-- What is forbidden until it is closed.
local Guard = {
  __close = function(self)
    forbidden = self.before
  end,
}

-- Where nothing was forbidden before.
local OUTERMOST = setmetatable({}, Guard)

--- From now until the value is closed, every request raises `reason`: for functions that only decide, so that they can
--- be asked for a plan too. Waits nothing, so no other task runs meanwhile.
---@param reason string
---@return table closable `local guard <close> = nomad.forbid "…"`
function nomad.forbid(reason)
  local guard = forbidden and setmetatable({ before = forbidden }, Guard) or OUTERMOST
  forbidden = reason
  return guard
end

local function check_allowed(method, path)
  if forbidden then
    error(("%s %s: %s"):format(method, path, forbidden), 3)
  end
end

-- What every request passes.
local gate

---@class nomad.Gate
---@field enter fun(self, method: string, path: string) a request is about to be sent; may wait
---@field leave fun(self, method: string, err?: host.nomad.Error) what became of it

--- From now on every request of this Lua state passes the gate.
---@param value nomad.Gate?
function nomad.guard(value)
  gate = value
end

-- A request through the gate. What becomes of one that is aside says nothing about how the work goes, unless Nomad
-- asks for a rest.
local function send(call, request, aside)
  local passed = gate
  if passed then
    passed:enter(request.method, request.path)
  end
  local answer, err = call(request)
  if passed and (not aside or (err and (err.retry_after or err.code == "rate_limited"))) then
    passed:leave(request.method, err)
  end
  return answer, err
end

--- So much of an answer that is not JSON is shown.
local SHOWN = 80

---@class nomad.RequestOptions
---@field query? table<string, string|number|boolean>
---@field body? any sent as JSON
---@field text? string sent as it is, in place of a body
---@field timeout? number seconds
---@field max? integer bytes of the answer
---@field pick? host.nomad.Pick of a list: which elements are read
---@field aside? boolean it only waits for news: neither its success nor its failure is Nomad's at work

---@class nomad.Response
---@field status integer
---@field index? integer X-Nomad-Index
---@field body string

--- An answer that is not what the request asked for.
---@param method string
---@param path string
---@param message string
---@param body? string
---@return host.nomad.Error
function nomad.unexpected(method, path, message, body)
  local request = method .. " " .. path
  return host_nomad.error {
    code = "not_nomad",
    message = ("%s: %s"):format(request, message),
    request = request,
    retryable = true,
    body = body,
  }
end

--- A request with JSON both ways.
---@async
---@param method string
---@param path string "/v1/job/" .. nomad.escape(id)
---@param options? nomad.RequestOptions
---@return any value decoded; true when the answer is empty; nil and an error otherwise
---@return host.nomad.Error? err
---@return nomad.Response? response
function nomad.request(method, path, options)
  check_allowed(method, path)
  options = options or {}
  local response, err = send(host_nomad.request, {
    method = method,
    path = path,
    query = options.query,
    timeout = options.timeout,
    max = options.max,
    body = options.text or (options.body ~= nil and json.encode(options.body) or nil),
  }, options.aside)
  if not response then
    return nil, err
  end
  local value, reason = json.decode_lazy(response.body)
  if value == nil and not response.body:find("%S") then
    return true, nil, response
  elseif value == nil then
    local message = ("the answer is not JSON (%s) and begins with %q; is this a Nomad?"):format(
      reason,
      response.body:sub(1, SHOWN)
    )
    return nil, nomad.unexpected(method, path, message, response.body:sub(1, 1024))
  end
  return value, nil, response
end

---@class nomad.Reader
---@field index integer X-Nomad-Index of the answer
---@field private inner host.nomad.Reader
---@field private path string
local Reader = {}
Reader.__index = Reader
Reader.__name = "nomad.Reader"

--- The next element; nil at the end; nil and an error when the answer broke off.
---@async
---@return table?
---@return host.nomad.Error?
function Reader:next()
  local text, err = self.inner:next()
  if not text then
    return nil, err
  end
  local value, reason = json.decode_lazy(text)
  if type(value) ~= "table" then
    local found = reason or "an element is no object"
    return nil, nomad.unexpected("GET", self.path, "the list is not as Nomad's: " .. found, text)
  end
  return value
end

--- What the request's `pick` has left out so far.
---@return integer count
---@return boolean has_meta one of them had a Meta
function Reader:left_out()
  return self.inner.left_out, self.inner.has_meta
end

--- Gives up what has not been read.
function Reader:close()
  self.inner:close()
end
Reader.__close = Reader.close

--- A GET whose answer is a list, decoded element by element while it comes.
---@async
---@param path string
---@param options? nomad.RequestOptions
---@return nomad.Reader?
---@return host.nomad.Error?
function nomad.list(path, options)
  check_allowed("GET", path)
  options = options or {}
  local inner, err = send(host_nomad.list, {
    method = "GET",
    path = path,
    query = options.query,
    timeout = options.timeout,
    max = options.max,
    pick = options.pick,
  })
  if not inner then
    return nil, err
  end
  return setmetatable({ inner = inner, path = path, index = inner.index }, Reader)
end

--- A list that is short enough to be held whole.
---@async
---@param path string
---@param query? table<string, string|number|boolean>
---@return table[]?
---@return host.nomad.Error?
function nomad.all(path, query)
  local reader <close>, err = nomad.list(path, { query = query })
  if not reader then
    return nil, err
  end
  local items = json.array {}
  while true do
    local item, failed = reader:next()
    if failed then
      return nil, failed
    elseif not item then
      return items
    end
    items[#items + 1] = item
  end
end

--- More seconds than its wait that a blocking query has to be answered.
local GRACE = 30

--- The index of the newest change to a list; with options.index a blocking query, which answers when there is a newer
--- one or the wait is over.
---@async
---@param path string of the list
---@param options? { query?: table<string, any>, index?: integer, wait?: integer } wait: seconds
---@return integer? index 0: the server tells none
---@return host.nomad.Error?
function nomad.index(path, options)
  options = options or {}
  local wait = options.wait
  local query = { per_page = 1, index = options.index, wait = wait and wait .. "s" }
  for name, value in pairs(options.query or {}) do
    query[name] = value
  end
  local list, err, response = nomad.request("GET", path, {
    query = query,
    timeout = wait and wait + GRACE,
    aside = true,
  })
  if not list then
    return nil, err
  end
  return response.index or 0
end

--- Percent-encodes one path segment.
---@type fun(text: string): string
nomad.escape = host_nomad.escape

--- An error value as the calls of this library return it.
---@type fun(fields: table): host.nomad.Error
nomad.error = host_nomad.error

return nomad
