-- weather: what goes wrong between the operator and Nomad. Each fault ends by itself after a while; `calm` ends all.
local weather = {}
weather.__index = weather

local HALF_OPEN = 75 -- so long the host waits for a byte

local TOKEN = "operator"

local ALL = { ["*"] = "write" }
local WITHOUT_OPS = { ["*"] = "write", ops = {} }

function weather.new(world)
  local self = setmetatable({
    world = world,
    nomad = world.nomad,
    clock = world.clock,
    ending = {}, -- faults under way: how to end each
    serial = 0,
    line_faults = {},
    held = {},
    history = {},
  }, weather)
  world.network.token = TOKEN
  self:grant(ALL)
  local deliver = world.feed.line
  -- A line of an open stream; without one named, of the one that is open now.
  self.deliver = function(text, group, namespace)
    group = group or world.feed.group
    if group and not group.closed then
      deliver(world.feed, group, namespace or world.feed:namespaces()[1], text)
    end
  end
  function world.feed.line(_, group, namespace, text)
    self:line(text, group, namespace)
  end
  return self
end

function weather:grant(namespaces)
  self.nomad:token { secret = TOKEN, namespaces = namespaces }
end

-- Begins a fault that ends by itself after `seconds`; `finish` ends it, once.
function weather:during(seconds, finish)
  self.serial = self.serial + 1
  local id = self.serial
  self.ending[id] = finish
  self.clock.after(seconds, function()
    self:finish(id)
  end)
end

function weather:finish(id)
  local finish = self.ending[id]
  self.ending[id] = nil
  if finish then
    finish()
  end
end

-- Ends all, the oldest first.
function weather:calm()
  for id = 1, self.serial do
    self:finish(id)
  end
end

-- -- the stream

local function alive(world)
  return world.current ~= nil or world.candidate ~= nil
end

-- As the host does: it subscribes again after a while.
function weather:subscribe_later(seconds)
  self.clock.after(seconds, function()
    local world = self.world
    local feed = world.feed
    if alive(world) and world.network.up and feed.interests and not feed.connected then
      feed:open(feed.interests)
    end
  end)
end

function weather:lose_stream(reason, backoff)
  self.held = {}
  self.world:lose_stream(reason)
  self:subscribe_later(backoff)
end

-- What becomes of a line that arrives: lost, held back, doubled, or changed with the next one.
function weather:line(text, group, namespace)
  local faults, history = self.line_faults, self.history
  if text == "{}" then
    return self.deliver(text, group, namespace) -- where the first one does not come, the host connects anew
  end
  history[#history + 1] = text
  if #history > 40 then
    table.remove(history, 1)
  end
  if (faults.deaf or 0) > 0 then
    return
  elseif (faults.stall or 0) > 0 or ((faults.reorder or 0) > 0 and #self.held == 0) then
    table.insert(self.held, { text, group, namespace })
    return
  end
  self.deliver(text, group, namespace)
  if (faults.double or 0) > 0 then
    self.deliver(text, group, namespace)
  end
  self:release()
end

function weather:release()
  local held = self.held
  self.held = {}
  for _, line in ipairs(held) do
    self.deliver(table.unpack(line))
  end
end

function weather:line_fault(name, seconds)
  local faults = self.line_faults
  faults[name] = (faults[name] or 0) + 1
  self:during(seconds, function()
    faults[name] = faults[name] - 1
    if (faults.stall or 0) == 0 then
      self:release()
    end
  end)
end

local kinds = {}

function kinds.eof(self, dice)
  self:lose_stream("the server ended the stream", dice:between(0.1, 30))
  return "stream ends"
end

function kinds.reset(self, dice)
  self:lose_stream("connection reset", dice:between(0.1, 5))
  return "stream is reset"
end

function kinds.oversized(self, dice)
  self:line_fault("deaf", 1)
  self.clock.after(1, function()
    self:lose_stream("a line over the limit", dice:between(0.1, 5))
  end)
  return "oversized line"
end

function kinds.half_open(self, dice)
  local backoff = dice:between(0.1, 5)
  self:line_fault("deaf", HALF_OPEN)
  self.clock.after(HALF_OPEN, function()
    self:lose_stream("75 s without a byte", backoff)
  end)
  return "half-open stream"
end

-- Nobody notices that these lines are missing.
function kinds.lost_lines(self, dice)
  local seconds = dice:between(0.1, 20)
  self:line_fault("deaf", seconds)
  return ("lines get lost for %.1f s"):format(seconds)
end

function kinds.gap(self, dice)
  self:line_fault("deaf", dice:between(0.1, 5))
  self.world:gap "the inbox was full"
  return "the host drops events"
end

local function line_kind(name, most)
  return function(self, dice)
    local seconds = dice:between(0.1, most)
    self:line_fault(name, seconds)
    return ("%s for %.1f s"):format(name, seconds)
  end
end

kinds.stall = line_kind("stall", 60)
kinds.double = line_kind("double", 60)
kinds.reorder = line_kind("reorder", 60)

-- Lines from before once more, in any order: so a resumed stream replays its buffer.
function kinds.replay(self, dice)
  local count = 0
  for _, text in ipairs { table.unpack(self.history) } do
    if dice:chance(0.3) and self.world.feed.live then
      count = count + 1
      self.deliver(text)
    end
  end
  return ("%d old lines come again"):format(count)
end

function kinds.garbage_line(self, dice)
  if self.world.feed.live then
    self.deliver(dice:pick {
      '{"Events":[{"Topic":"Job","Type":"JobRegistered","Key":"a","Namespace":"default",'
        .. '"Index":7,"Payload":{"Job":',
      '{"Index":9,"Events":[{"Topic":"Job","Type":"JobRegistered","Key":"a",'
        .. '"Namespace":"default","Index":9,"Payload":{}}]}',
      '{"Index":9,"Events":null}',
      "%% \1\255 this is not JSON",
      "event dropped from buffer",
    })
  end
  self:lose_stream("garbage in the stream", dice:between(0.1, 5))
  return "garbage in the stream"
end

-- HTTP/0.0, or no event broker: lists have to do.
function kinds.no_stream(self, dice)
  local nomad, seconds = self.nomad, dice:between(1, 200)
  nomad.broken_stream = "EventBroker not configured"
  self:lose_stream("no stream", dice:between(0.1, 5))
  self:during(seconds, function()
    nomad.broken_stream = nil
  end)
  return ("no stream for %.0f s"):format(seconds)
end

-- -- requests

local MATCHES = {
  { 3, nil },
  { 3, "GET /v1/jobs$" },
  { 4, "GET /v1/job/" },
  { 5, "POST /v1/jobs$" },
  { 1, "POST /v1/jobs/parse$" },
}

local STATUSES = {
  { status = 403, body = "Permission denied" },
  { status = 429, body = "too many", headers = { ["Retry-After"] = "7" } },
  { status = 429, body = "Your IP is issuing too many concurrent connections" },
  { status = 500, body = "rpc error: EOF" },
  { status = 500, body = "No cluster leader" },
  { status = 500, body = "internal error" },
  { status = 500, body = "Permission denied" },
  { status = 502, body = "<html>Bad Gateway</html>" },
  { status = 503, body = "" },
  { status = 404, body = "404 page not found" },
}

local GARBAGE = { "", "{", "[]", "{}", "null", "[1]", "no JSON", '{"ID":7}', "<html></html>" }

local function add_fault(self, dice, fault)
  if dice:chance(0.5) then
    fault.times = dice:whole(1, 8)
  end
  local remove = self.world:fault(fault)
  self:during(dice:between(0.05, 90), remove)
  return fault.match or "every request"
end

function kinds.refused(self, dice)
  local status = dice:pick(STATUSES)
  local match = add_fault(self, dice, {
    match = dice:weighted(MATCHES),
    status = status.status,
    body = status.body,
    headers = status.headers,
  })
  return ("%s: %d %s"):format(match, status.status, status.body)
end

function kinds.garbage(self, dice)
  local body = dice:pick(GARBAGE)
  local match = add_fault(self, dice, {
    match = dice:weighted(MATCHES),
    status = 200,
    body = body,
    applied = dice:chance(0.3),
  })
  return ("%s: 200 %q"):format(match, body)
end

function kinds.broken(self, dice)
  local code = dice:pick { "refused", "cut", "timeout", "idle", "not_http", "tls" }
  local match = add_fault(self, dice, {
    match = dice:weighted(MATCHES),
    error = code,
    delay = code == "timeout" and 30 or nil,
  })
  return ("%s: %s"):format(match, code)
end

-- What an event tells of can be read only later.
function kinds.late_commits(self, dice)
  if self.late then
    return "commits are late already"
  end
  local delay = dice:between(0.001, 0.2)
  self.late = self.world:delay_commits(delay)
  self:during(dice:between(1, 200), function()
    self.late()
    self.late = nil
  end)
  return ("reads see what events told of %.3f s later"):format(delay)
end

-- Nomad did it, and the answer got lost.
function kinds.applied(self, dice)
  local code = dice:pick { "cut", "timeout", "idle" }
  add_fault(self, dice, { match = "POST /v1/jobs$", error = code, applied = true })
  return "writes: applied, but " .. code
end

function kinds.broken_list(self, dice)
  local after = dice:whole(0, 12)
  add_fault(self, dice, { match = "GET /v1/jobs$", error = "cut", after = after })
  return ("lists break after %d"):format(after)
end

function kinds.slow(self, dice)
  local delay = dice:between(0.01, 20)
  local match = add_fault(self, dice, { match = dice:weighted(MATCHES), delay = delay })
  return ("%s: %.1f s slower"):format(match, delay)
end

function kinds.down(self, dice)
  local world, seconds = self.world, dice:between(0.1, 60)
  self.held = {}
  world:disconnect()
  self.downs = (self.downs or 0) + 1
  self:during(seconds, function()
    self.downs = self.downs - 1
    if self.downs == 0 then
      world.network.up = true
      self:subscribe_later(dice:between(0.1, 10))
    end
  end)
  return ("Nomad is down for %.1f s"):format(seconds)
end

-- -- the cluster

function kinds.save(self)
  self.saved = self.nomad:snapshot()
  return "a snapshot is saved"
end

function kinds.restore(self, dice)
  if not self.saved then
    return kinds.save(self)
  end
  local silent = dice:chance(0.5)
  self.history = {}
  if silent then
    self.world.feed:close() -- the host does not notice before its 75 seconds are over
    self:subscribe_later(dice:between(60, HALF_OPEN))
  end
  self.nomad:restore(self.saved, { new_servers = self.new_servers })
  if self.restored then
    self.restored()
  end
  return "the snapshot is restored" .. (silent and ", and the stream says nothing" or "")
end

function kinds.lost_namespace(self, dice)
  local seconds = dice:between(1, 400)
  self:grant(WITHOUT_OPS)
  self.nomad:drop_streams "subscription closed by server, client should resubscribe"
  self.withdrawals = (self.withdrawals or 0) + 1
  self:during(seconds, function()
    self.withdrawals = self.withdrawals - 1
    if self.withdrawals == 0 then
      self:grant(ALL)
    end
  end)
  return ("no right to ops for %.0f s"):format(seconds)
end

function kinds.frozen(self, dice)
  local nomad = self.nomad
  nomad.frozen = true
  self:during(dice:between(1, 100), function()
    nomad.frozen = false
  end)
  return "registrations are frozen"
end

weather.kinds = kinds

weather.WEIGHTS = {
  { 3, "eof" },
  { 2, "reset" },
  { 1, "oversized" },
  { 2, "half_open" },
  { 2, "lost_lines" },
  { 2, "gap" },
  { 2, "stall" },
  { 2, "double" },
  { 3, "reorder" },
  { 2, "replay" },
  { 2, "garbage_line" },
  { 1, "no_stream" },
  { 5, "refused" },
  { 3, "garbage" },
  { 4, "broken" },
  { 4, "applied" },
  { 3, "broken_list" },
  { 2, "slow" },
  { 3, "late_commits" },
  { 2, "down" },
  { 1, "save" },
  { 1, "restore" },
  { 1, "lost_namespace" },
  { 1, "frozen" },
}

return weather
