--- feed: the event stream of a world, as the host keeps it: subscribes, hands each event that is wanted to the
--- generations, says when the stream was lost and is there again.

local json = require "host.json"

local feed = {}

--- The host waits so long for a first frame, and tries so much later again where there is none to be had.
local FIRST_FRAME, RETRY, BACKOFF = 10, 300, 1
--- Newer than everything: nothing old is wanted, for a connect lists anyway.
local FROM_NOW = 1 << 62

--- The streams that were opened together: one for each namespace.
---@class operator.testing.StreamGroup
---@field count integer streams
---@field up table<string, boolean> namespace → live, for those of which generations may be told
---@field down table<string, boolean> those that failed
---@field subs table<string, operator.testing.Subscription>

---@class operator.testing.Feed
---@field world operator.testing.World
---@field epoch integer how often generations were told that they are connected
---@field connected boolean
---@field live boolean
---@field interests table?
---@field overlaps integer how often a new stream was there before the old one was closed
---@field private group? operator.testing.StreamGroup
---@field private next? operator.testing.StreamGroup it is opened beside the other
local Feed = {}
Feed.__index = Feed

---@param world operator.testing.World
---@return operator.testing.Feed
function feed.new(world)
  return setmetatable({
    world = world,
    epoch = 0,
    overlaps = 0,
    connected = false,
    live = false,
  }, Feed)
end

-- fn, unless the group was closed meanwhile.
local function later(self, group, seconds, fn)
  self.world.clock.after(seconds, function()
    if not group.closed then
      fn()
    end
  end)
end

local function close_group(group)
  if group then
    group.closed = true
    for _, sub in pairs(group.subs) do
      sub:close()
    end
  end
end

local function count(set)
  local number = 0
  for _ in pairs(set) do
    number = number + 1
  end
  return number
end

-- Tells the generations when each namespace has its stream, or failed to get one while another has.
function Feed:settle(group)
  if count(group.up) == 0 or count(group.up) + count(group.down) < group.count then
    return
  elseif group == self.next then
    close_group(self.group)
    self.group, self.next = group, nil
    self.overlaps = self.overlaps + 1
  end
  self.epoch = self.epoch + 1
  self.connected, self.live = true, true
  for _, live in pairs(group.up) do
    self.live = self.live and live
  end
  for _, record in ipairs(self.world:receivers()) do
    record.scope.interest:connected()
    self.world:tell(record, "connected", self.epoch, self.live)
  end
end

function Feed:up(group, namespace, live)
  if group.up[namespace] ~= live then
    group.up[namespace], group.down[namespace] = live, nil
    self:settle(group)
  end
end

-- No stream: lists have to do, and later it is tried again.
function Feed:without(group, namespace, reason)
  if group.up[namespace] == nil then
    self.world:record("warn", "No event stream: " .. reason, {}, 0)
    self:up(group, namespace, false)
  end
  later(self, group, RETRY, function()
    self:subscribe(group, namespace)
  end)
end

-- The token may not list there either: tried again, and again.
function Feed:denied(group, namespace)
  self.world:record("warn", "No event stream: the token lacks read-job in " .. namespace, {}, 0)
  later(self, group, FIRST_FRAME, function()
    self:subscribe(group, namespace)
  end)
  if not group.down[namespace] then
    group.up[namespace], group.down[namespace] = nil, true
    self:settle(group)
  end
end

-- What host.scan.events does, for where that module was not built.
local function decoded(line)
  local value = json.decode(line)
  if type(value) ~= "table" then
    return nil
  end
  local list = {}
  for i, event in ipairs(value.Events or {}) do
    list[i] = {
      topic = event.Topic,
      type = event.Type,
      key = event.Key,
      namespace = event.Namespace,
      index = event.Index,
      payload = json.encode(event.Payload),
    }
  end
  return list
end

local function cutter()
  local ok, scan = pcall(require, "host.scan")
  return ok and scan.events or decoded
end

function Feed:line(group, namespace, text)
  self:up(group, namespace, true)
  self.cut = self.cut or cutter()
  for _, event in ipairs(self.cut(text) or {}) do
    for _, record in ipairs(self.world:receivers()) do
      local wanted, holds = record.scope.interest:wants(record.interests.pass, event)
      if wanted then
        self.world:tell(
          record,
          "event",
          event.topic,
          event.type,
          event.key,
          event.namespace,
          event.index,
          event.payload,
          holds
        )
      end
    end
  end
end

-- A subscription that is refused, or silent: the host asks for lists to learn why.
function Feed:refused(group, namespace, reason)
  local answer = self.world.nomad:http {
    path = "/v1/jobs",
    query = { namespace = namespace, per_page = 1 },
    headers = { ["X-Nomad-Token"] = self.world.network.token },
  }
  if answer.status == 403 then
    return self:denied(group, namespace)
  end
  self.rights = self.world.network.token ~= nil
  self:without(group, namespace, reason)
end

-- The server ended it.
function Feed:ended(group, namespace, tail)
  group.up[namespace], group.down[namespace] = nil, true
  if group == self.group and count(group.up) == 0 then
    local epoch = self.epoch
    self:lost(tail or "the server ended the stream")
    self.world.clock.after(BACKOFF, function()
      if self.interests and not self.group and epoch == self.epoch then
        self:open(self.interests)
      end
    end)
    return
  end
  later(self, group, BACKOFF, function()
    self:subscribe(group, namespace)
  end)
end

function Feed:subscribe(group, namespace)
  local world = self.world
  later(self, group, world.network.latency, function()
    if not world.network.up then
      return
    end
    local sub, refusal = world.nomad:subscribe {
      topics = self.interests.topics,
      namespace = namespace,
      index = FROM_NOW,
      token = world.network.token,
      heartbeat = false,
      line = function(text)
        later(self, group, world.network.latency / 2, function()
          self:line(group, namespace, text)
        end)
      end,
      ended = function(tail)
        self:ended(group, namespace, tail)
      end,
    }
    group.subs[namespace] = sub
    if not sub and refusal.body == "Permission denied" then
      self:refused(group, namespace, "500 Permission denied")
    elseif not sub then
      self:without(group, namespace, ("%d %s"):format(refusal.status, refusal.body))
    elseif sub.silent then
      later(self, group, FIRST_FRAME, function()
        self:refused(group, namespace, "nothing came, not even a first heartbeat")
      end)
    end
  end)
end

-- What the stream is for: the explicit namespaces where the interests say all.
function Feed:namespaces()
  local asked = self.interests.namespace
  if type(asked) ~= "table" then
    asked = { asked }
  end
  return asked[1] == "*" and self.explicit or asked
end

--- Begins, or begins anew with other interests: the old streams are closed when the new ones are there.
---@param interests table
function Feed:open(interests)
  local names
  self.interests = interests
  names = self:namespaces()
  local group = { count = #names, up = {}, down = {}, subs = {} }
  close_group(self.next)
  self.next = nil
  if self.connected then
    self.next = group
  else
    self:close()
    self.group = group
  end
  for _, namespace in ipairs(names) do
    if self.world.has_stream then
      self:subscribe(group, namespace)
    else
      later(self, group, self.world.network.latency, function()
        self:up(group, namespace, false)
      end)
    end
  end
end

--- As a generation asks for it; false where it would not help.
---@param reason string
---@param namespaces? string[]
---@return boolean
function Feed:resubscribe(reason, namespaces)
  local narrow = self.explicit or (self.rights and not self.live)
  if not self.interests or (namespaces and not narrow) then
    return false
  end
  self.explicit = namespaces
  self.world:record("info", "Subscribing anew: " .. reason, {}, 0)
  self.world.clock.after(0, function()
    if self.group then
      self:open(self.interests)
    end
  end)
  return true
end

function Feed:close()
  self.connected, self.live = false, false
  close_group(self.group)
  close_group(self.next)
  self.group, self.next = nil, nil
end

--- The process ends: nothing is remembered.
function Feed:forget()
  self:close()
  self.explicit, self.rights, self.interests = nil, nil, nil
end

--- The connection breaks. It stays so until subscribe.
---@param reason string
function Feed:lost(reason)
  local told = self.connected
  self:close()
  for _, record in ipairs(told and self.world:receivers() or {}) do
    self.world:tell(record, "lost", reason)
  end
end

return feed
