--- network: what lies between the fakes of the host and the model: a little time, and every kind of trouble.

local explain = require "operator.testing.explain"

local network = {}

--- Seconds from a request to its answer. Not zero, so that things happen in between.
local LATENCY = 0.002

---@class operator.testing.Fault
---@field match? string|fun(request: host.nomad.Request): boolean a Lua pattern on "METHOD /path"; nil: all
---@field times? integer how often; nil: until it is removed
---@field status? integer answer this instead
---@field body? string
---@field headers? table<string, string>
---@field error? string end with this error code instead: refused, cut, timeout, …
---@field applied? boolean Nomad gets the request all the same, only its answer is lost
---@field after? integer with `error`, for lists: so many elements come first
---@field delay? number seconds more than usual

---@class operator.testing.Network
---@field model operator.testing.Model
---@field clock operator.testing.Clock
---@field token? string
---@field latency number
---@field commit number seconds until the answer to a write, on top of that
---@field up boolean
---@field faults operator.testing.Fault[]
local Network = {}
Network.__index = Network

---@param model operator.testing.Model
---@param clock operator.testing.Clock
---@param options { latency?: number, token?: string }
---@return operator.testing.Network
function network.new(model, clock, options)
  return setmetatable({
    model = model,
    clock = clock,
    latency = options.latency or LATENCY,
    token = options.token,
    commit = 0,
    up = true,
    faults = {},
  }, Network)
end

--- Adds a fault; returns how to remove it.
---@param fault operator.testing.Fault
---@return fun()
function Network:fault(fault)
  table.insert(self.faults, fault)
  return function()
    for i, other in ipairs(self.faults) do
      if other == fault then
        table.remove(self.faults, i)
        return
      end
    end
  end
end

local function matches(fault, request)
  if fault.match == nil then
    return true
  elseif type(fault.match) == "function" then
    return fault.match(request)
  end
  local text = (request.method or "GET") .. " " .. request.path
  return text:find(fault.match) ~= nil
end

function Network:fault_for(request)
  for i, fault in ipairs(self.faults) do
    if matches(fault, request) then
      if fault.times then
        fault.times = fault.times - 1
        if fault.times <= 0 then
          table.remove(self.faults, i)
        end
      end
      return fault
    end
  end
end

local function query_of(request)
  local query = {}
  for name, value in pairs(request.query or {}) do
    query[name] = math.type(value) == "float" and ("%.0f"):format(value) or tostring(value)
  end
  return query
end

local function to_model(self, request, final)
  return self.model:http {
    method = request.method,
    path = request.path,
    query = query_of(request),
    body = request.body,
    headers = { ["X-Nomad-Token"] = self.token },
    final = final,
  }
end

--- A transfer that is under way.
---@class operator.testing.Transfer
---@field private timers table[]
---@field private unwatch? fun()
local Transfer = {}
Transfer.__index = Transfer

function Transfer:later(seconds, fn)
  self.timers[#self.timers + 1] = self.clock.after(seconds, function()
    if not self.over then
      fn()
    end
  end)
end

function Transfer:stop()
  self.over = true
  for _, timer in ipairs(self.timers) do
    timer:stop()
  end
  if self.unwatch then
    self.unwatch()
  end
end

function Transfer:finish(answer, err)
  self:stop()
  self.done(answer, err)
end

--- Waits until the model has news, or the time is over.
function Transfer:block(net, request, blocked)
  self.unwatch = net.model:watch(function()
    local answer = to_model(net, request)
    if not answer.blocked then
      self.unwatch()
      self:later(net.latency / 2, function()
        self:finish(answer)
      end)
    end
  end)
  self:later(blocked.wait, function()
    self:finish(to_model(net, request, true))
  end)
end

function Transfer:arrive(net, request)
  local answer = to_model(net, request)
  if answer.blocked then
    self:block(net, request, answer.blocked)
    return
  end
  local commit = (request.method or "GET") == "GET" and 0 or net.commit
  self:later(net.latency / 2 + commit, function()
    self:finish(answer)
  end)
end

function Transfer:fail(net, request, fault)
  self:later(net.latency / 2, function()
    if fault.applied or fault.after then
      local answer = to_model(net, request, true)
      if fault.after then
        answer.cut_after, answer.cut_error = fault.after, explain.transport(request, fault.error)
        return self:finish(answer)
      end
    end
    if fault.error then
      return self:finish(nil, explain.transport(request, fault.error))
    end
    self:finish {
      status = fault.status or 500,
      headers = fault.headers or {},
      body = fault.body or "",
    }
  end)
end

--- The time that a request has, in all.
local TIMEOUT = 60

--- Sends a request; done gets the answer, whatever its status, or nil and an error. Returns how to take it back.
---@param request host.nomad.Request
---@param done fun(answer: operator.testing.Answer?, err: host.nomad.Error?)
---@return fun()
function Network:send(request, done)
  local transfer = setmetatable({ clock = self.clock, timers = {}, done = done }, Transfer)
  local fault = self:fault_for(request)
  transfer:later(request.timeout or TIMEOUT, function()
    transfer:finish(nil, explain.transport(request, "timeout"))
  end)
  transfer:later(self.latency / 2 + (fault and fault.delay or 0), function()
    if not self.up then
      transfer:finish(nil, explain.transport(request, "refused"))
    elseif fault and (fault.status or fault.error) then
      transfer:fail(self, request, fault)
    else
      transfer:arrive(self, request)
    end
  end)
  return function()
    transfer:stop()
  end
end

return network
