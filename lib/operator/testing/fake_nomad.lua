--- fake_nomad: the module `host.nomad` for one generation of a world: requests go to the model, through the network.

local elements = require "operator.testing.elements"
local explain = require "operator.testing.explain"

local fake_nomad = {}

--- Bytes of an answer.
local MAX = 64 * 1024 * 1024
--- So many elements of a list come at once; then others have their turn.
local BATCH = 32

local function checked(what, request)
  if type(request) ~= "table" or type(request.path) ~= "string" then
    error(("%s: the request is a table with a path"):format(what), 3)
  elseif request.path:find "[\0-\32\127]" or request.path:sub(1, 1) ~= "/" then
    error(("%s: the path begins with / and is percent-encoded"):format(what), 3)
  end
  return request
end

--- Sends it and waits. An answer that is not 2xx is an error.
local function exchange(scope, what, request)
  local world = scope.world
  scope.tasks:check(what, 4)
  if scope.options.dry_run and not explain.is_read(request.method or "GET", request.path) then
    return nil, explain.dry_run(request)
  end
  local answer, err = scope.tasks:wait(what, function(wake)
    return world.network:send(request, wake)
  end)
  if not answer then
    return nil, err
  elseif answer.status < 200 or answer.status > 299 then
    return nil, explain.answer(request, answer)
  elseif #answer.body > (request.max or MAX) then
    return nil, explain.transport(request, "too_large")
  elseif (answer.headers["Content-Type"] or ""):find "^text/html" then
    return nil, explain.answer(request, answer)
  end
  return answer
end

local function index_of(answer)
  local index = math.tointeger(tonumber(answer.headers["X-Nomad-Index"]))
  return index ~= 0 and index or nil
end

--- The model has its lists in parts already: cutting them again would take most of a month's time.
local function one_by_one(list)
  local i = 0
  return function()
    i = i + 1
    return list[i]
  end
end

local Reader = {}
Reader.__index = Reader
Reader.__metatable = "host.nomad.Reader"

function Reader:next()
  self.scope.tasks:check("reader:next", 3)
  if self.closed then
    return nil
  end
  if self.count == self.cut_after then
    return nil, self.cut_error
  end
  self.count = self.count + 1
  if self.count % BATCH == 0 then
    self.scope.host.sleep(0)
  end
  local text, broken = self.iterator()
  if broken then
    return nil, explain.transport(self.request, "cut")
  end
  local pick = text and self.request.pick
  local picked, has_meta = not pick, nil
  if pick then
    picked, has_meta = self.scope.interest:picks(pick, text)
  end
  if not picked then
    self.left_out, self.has_meta = self.left_out + 1, self.has_meta or has_meta
    return self:next()
  end
  return text
end

function Reader:close()
  self.closed = true
end

Reader.__close = Reader.close

---@param scope operator.testing.Scope
---@return table
function fake_nomad.new(scope)
  local nomad = {}

  function nomad.request(request)
    checked("nomad.request", request)
    local answer, err = exchange(scope, "nomad.request", request)
    if not answer then
      return nil, err
    elseif answer.cut_error then
      return nil, answer.cut_error
    end
    return { status = answer.status, body = answer.body, index = index_of(answer) }
  end

  function nomad.list(request)
    checked("nomad.list", request)
    local answer, err = exchange(scope, "nomad.list", request)
    if not answer then
      return nil, err
    end
    local iterator = answer.elements and one_by_one(answer.elements) or elements.of(answer.body)
    if not iterator then
      return nil, explain.transport(request, "not_nomad")
    end
    return setmetatable({
      index = index_of(answer) or 0,
      scope = scope,
      request = request,
      iterator = iterator,
      count = 0,
      left_out = 0,
      has_meta = false,
      cut_after = answer.cut_after,
      cut_error = answer.cut_error,
    }, Reader)
  end

  function nomad.escape(text)
    return (text:gsub("[^%w._~-]", function(c)
      return ("%%%02X"):format(c:byte())
    end))
  end

  nomad.error = explain.error

  return nomad
end

return fake_nomad
