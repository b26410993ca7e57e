--- feed: the event stream of a world, as the host keeps it: subscribes, hands each event that is wanted to the
--- generations, says when the stream was lost and is there again.

local json = require "host.json"

local feed = {}

--- The host waits so long for a first frame, and tries so much later again where there is none to be had.
local FIRST_FRAME, RETRY, BACKOFF = 10, 300, 1
--- Newer than everything: nothing old is wanted, for a connect lists anyway.
local FROM_NOW = 1 << 62

---@class operator.testing.Feed
---@field world operator.testing.World
---@field epoch integer how often generations were told that they are connected
---@field connected boolean
---@field live boolean
---@field interests table?
---@field private serial integer
local Feed = {}
Feed.__index = Feed

---@param world operator.testing.World
---@return operator.testing.Feed
function feed.new(world)
  return setmetatable({
    world = world,
    epoch = 0,
    connected = false,
    live = false,
    serial = 0,
  }, Feed)
end

--- fn, unless the stream was begun anew meanwhile.
function Feed:later(seconds, fn)
  local serial = self.serial
  self.world.clock.after(seconds, function()
    if serial == self.serial then
      fn()
    end
  end)
end

function Feed:connect(live)
  self.epoch = self.epoch + 1
  self.connected, self.live = true, live
  for _, record in ipairs(self.world:receivers()) do
    self.world:tell(record, "connected", self.epoch, live)
  end
end

-- No stream: lists have to do, and later it is tried again.
function Feed:without(reason)
  if not self.connected then
    self.world:record("warn", "No event stream: " .. reason, {}, 0)
    self:connect(false)
  end
  self:later(RETRY, function()
    self:subscribe()
  end)
end

local function wanted(pass, event)
  local rule = pass[event.topic]
  if type(rule) ~= "table" then
    return rule == true
  end
  for _, name in ipairs(rule) do
    if name == event.type then
      return true
    end
  end
  return false
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

function Feed:line(text)
  if not self.live then
    self:connect(true)
  end
  self.cut = self.cut or cutter()
  for _, event in ipairs(self.cut(text) or {}) do
    for _, record in ipairs(self.world:receivers()) do
      if wanted(record.interests.pass, event) then
        self.world:tell(
          record,
          "event",
          event.topic,
          event.type,
          event.key,
          event.namespace,
          event.index,
          event.payload
        )
      end
    end
  end
end

function Feed:subscribe()
  local world = self.world
  self:later(world.network.latency, function()
    if not world.network.up then
      return
    end
    local sub, refusal = world.nomad:subscribe {
      topics = self.interests.topics,
      namespace = self.interests.namespace,
      index = FROM_NOW,
      token = world.network.token,
      heartbeat = false,
      line = function(text)
        self:later(world.network.latency / 2, function()
          self:line(text)
        end)
      end,
      ended = function(tail)
        self:lost(tail or "the server ended the stream")
        self:later(BACKOFF, function()
          self:subscribe()
        end)
      end,
    }
    self.sub = sub
    if not sub then
      self:without(("%d %s"):format(refusal.status, refusal.body))
    elseif sub.silent then
      self:later(FIRST_FRAME, function()
        self:without "nothing came, not even a first heartbeat"
      end)
    end
  end)
end

--- Begins, or begins anew with other interests.
---@param interests table
function Feed:open(interests)
  self.interests = interests
  self:close()
  if self.world.has_stream then
    self:subscribe()
  else
    self:later(self.world.network.latency, function()
      self:connect(false)
    end)
  end
end

function Feed:close()
  self.serial = self.serial + 1
  self.connected, self.live = false, false
  if self.sub then
    self.sub:close()
    self.sub = nil
  end
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
