--- gate: what all requests of a generation pass, and each reconcile before it starts. It holds writes to a rate, lets
--- everything rest when Nomad asks for that (429, Retry-After), and lets reconciles rest while Nomad fails.

local nomad = require "nomad"
local backoff = require "operator.backoff"
local breaker = require "operator.breaker"
local duration = require "operator.duration"
local ratelimit = require "operator.ratelimit"

local gate = {}

--- So many seconds' writes may go at once after a quiet time.
gate.WRITE_BURST = 2
--- The longest rest that Nomad may ask for at once, seconds.
gate.REST_MAX = 300
--- How long to rest after a 429 that does not say: it grows while they go on.
gate.REST = { base = 1, max = 60 }
--- How far apart requests go after a 429, until Nomad answers again: seconds.
gate.SPACING = 0.05
--- It is told of no more often than this, seconds.
gate.QUIET = 60

-- A clock may show this much less than what was waited for: seconds.
local CLOCK_GRAIN = 0.001

-- Kept in the process, so that an old and a new generation rest together.
local REST_KEY = "gate/rest-until"

-- Codes of host.nomad.Error by which Nomad does not work, whatever was asked.
local BROKEN = {
  dns = true,
  refused = true,
  tls = true,
  timeout = true,
  idle = true,
  cut = true,
  version = true,
  not_http = true,
  not_nomad = true,
}

-- Requests that are no writes though they are not GET.
local READS = { ["/v1/jobs/parse"] = true, ["/v1/validate/job"] = true, ["/v1/search"] = true }

---@class operator.Gate
---@field private host table
---@field private paced boolean writes are held to a rate
---@field private writes operator.Ratelimit
---@field private breaker? operator.Breaker nil: a command, which asks once
---@field private listeners fun()[]
---@field private turn? number monotonic seconds: when the last of the requests that wait after a 429 goes
---@field private limited integer answers that asked for a rest, in a row
local Gate = {}
Gate.__index = Gate

---@param deps { host: table, once?: boolean }
---@return operator.Gate
function gate.new(deps)
  local host = deps.host
  local rate = host.options.write_rate
  local self = setmetatable({
    host = host,
    paced = rate > 0 and not host.options.dry_run,
    writes = ratelimit.new({
      rate = rate,
      burst = rate * gate.WRITE_BURST,
      now = host.monotonic,
    }),
    breaker = not deps.once and breaker.new({ now = host.monotonic, random = host.random }) or nil,
    listeners = {},
    limited = 0,
  }, Gate)
  self.timer = host.timer(function()
    self.armed = nil
    self:tell()
  end)
  return self
end

--- From now on every request of this generation passes the gate.
function Gate:guard()
  nomad.guard(self)
end

--- `fn` is called when reconciles may start again.
---@param fn fun()
function Gate:on_open(fn)
  self.listeners[#self.listeners + 1] = fn
end

function Gate:tell()
  for _, fn in ipairs(self.listeners) do
    fn()
  end
end

-- Seconds for which Nomad has asked to be left alone.
local function rest(self)
  local rested = self.host.kept(REST_KEY)
  if not rested then
    return 0
  end
  local left = rested - self.host.monotonic()
  return left > CLOCK_GRAIN and left or 0
end

-- Tells the queues after so long.
local function wake_in(self, delay)
  local due = self.host.monotonic() + delay
  if not self.armed or due < self.armed then
    self.armed = due
    self.timer:set(delay)
  end
end

--- May a reconcile start now? Where it may not, the listeners are called when it may.
---@return boolean
function Gate:may_start()
  local delay = rest(self)
  if delay <= 0 then
    delay = not self.breaker and 0 or self.breaker:delay()
  end
  if delay and delay > 0 then
    wake_in(self, delay)
  end
  return delay ~= nil and delay <= 0
end

--- A reconcile starts.
---@param work any
function Gate:began(work)
  if self.breaker then
    self.breaker:began(work)
  end
end

--- It has ended.
---@param work any
function Gate:ended(work)
  if self.breaker and self.breaker.probe == work then
    self.breaker:ended(work)
    self:tell()
  end
end

local function is_write(method, path)
  return method ~= "GET"
    and method ~= "HEAD"
    and not READS[path]
    and (path == "/v1/jobs" or not path:find("^/v1/job/.+/plan$"))
end

-- How long a request has to wait. After a 429 they go one behind the other, until one is answered.
local function wait_of(self)
  if self.limited == 0 then
    return rest(self)
  end
  local now = self.host.monotonic()
  self.turn = math.max(self.turn or 0, now + rest(self)) + gate.SPACING
  return self.turn - now
end

--- A request is about to be sent: waits as long as it must.
---@async
---@param method string
---@param path string
function Gate:enter(method, path)
  if self.paced and is_write(method, path) then
    local delay = self.writes:take()
    if delay > 0 then
      self.host.count("write_wait_seconds_total", delay)
      self.host.sleep(delay)
    end
  end
  local delay = wait_of(self)
  while delay > 0 do
    self.host.sleep(delay)
    delay = rest(self) > 0 and wait_of(self) or 0
  end
end

-- Nomad wants to be left alone for a while.
local function take_rest(self, err)
  self.limited = self.limited + 1
  local delay = err.retry_after or backoff.delay(self.limited, gate.REST, self.host.random)
  delay = math.min(delay, gate.REST_MAX)
  if delay > rest(self) then
    self.host.keep(REST_KEY, self.host.monotonic() + delay)
  end
  local now = self.host.monotonic()
  local news = self.limited == 1 and now - (self.said or -gate.QUIET) >= gate.QUIET
  self.said = news and now or self.said
  self.host.log(
    news and "warn" or "debug",
    ("%s; all requests rest for %s"):format(tostring(err), duration.format(delay))
  )
end

local function is_broken(err, method)
  if err.code == "server" then
    -- A write that Nomad finds wrong is a 500 too.
    return err.retryable or method == "GET"
  end
  return BROKEN[err.code] == true
end

local function failed(self, err)
  if self.breaker and self.breaker:failed() then
    self.host.log(
      "warn",
      (
        "Nomad does not work (%d requests failed in a row, the last: %s); "
        .. "reconciles rest, one at a time tries whether it does again"
      ):format(breaker.THRESHOLD, tostring(err))
    )
    self.host.count("breaker_opened_total", 1)
  end
end

local function succeeded(self)
  if self.breaker and self.breaker:succeeded() then
    self.host.log("info", "Nomad works again; reconciles go on")
    self:tell()
  end
end

--- What became of a request.
---@param method string
---@param err? host.nomad.Error
function Gate:leave(method, err)
  if err and (err.code == "rate_limited" or (err.retry_after and err.status == 503)) then
    take_rest(self, err)
  elseif not err or (err.status and not is_broken(err, method)) then
    -- A write that was refused with a 500 says neither.
    if not err or err.code ~= "server" then
      self.limited = 0
      succeeded(self)
    end
  elseif is_broken(err, method) then
    failed(self, err)
  end
end

--- Is a failure Nomad's trouble, of which the gate has told already? Then its key is not to blame.
---@param verdict operator.Failure
---@return boolean
function Gate:blames(verdict)
  if verdict.code == "rate_limited" then
    return true
  end
  return self.breaker ~= nil
    and self.breaker:is_open()
    and (verdict.code == "server" or BROKEN[verdict.code] == true)
end

--- For status lines.
---@return string? nil: everything may go
function Gate:status()
  local delay = rest(self)
  if delay > 0 then
    return ("requests rest for %s, because Nomad asked for it"):format(duration.format(delay))
  elseif self.breaker and self.breaker:is_open() then
    return "reconciles rest, because Nomad does not work; one at a time tries"
  end
  return nil
end

return gate
