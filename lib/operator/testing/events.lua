--- events: Nomad's event broker: a buffer of commits, and subscriptions that are fed one line per commit.

local json = require "host.json"

local events = {}

--- Commits that a new subscription can still be given.
local BUFFER = 100

---@class operator.testing.Event
---@field topic string
---@field type string
---@field key string
---@field namespace string "" for what is in no namespace
---@field filter_keys? string[]
---@field index integer
---@field payload string JSON

---@class operator.testing.Commit
---@field index integer
---@field events operator.testing.Event[]

local EVENT = '{"FilterKeys":%s,"Index":%d,"Key":%s,"Namespace":%s,'
  .. '"Payload":%s,"Topic":%s,"Type":%s}'

local function event_text(event)
  local keys = event.filter_keys and json.encode(json.array(event.filter_keys)) or "null"
  return EVENT:format(
    keys,
    event.index,
    json.encode(event.key),
    json.encode(event.namespace),
    event.payload,
    json.encode(event.topic),
    json.encode(event.type)
  )
end

local function has_key(event, key)
  if key == "*" or key == event.key then
    return true
  end
  for _, other in ipairs(event.filter_keys or {}) do
    if other == key then
      return true
    end
  end
  return false
end

local function only_star(keys)
  return keys ~= nil and #keys == 1 and keys[1] == "*"
end

--- How often an event is delivered: twice if two of the keys that were asked for are its own, as in Nomad.
local function times(event, topics)
  if only_star(topics["*"]) then
    return 1
  end
  local keys = { table.unpack(topics["*"] or {}) }
  table.move(topics[event.topic] or {}, 1, #(topics[event.topic] or {}), #keys + 1, keys)
  if only_star(keys) then
    return 1
  end
  local n = 0
  for _, key in ipairs(keys) do
    -- With several keys a star is no wildcard, but a key of that name.
    if key ~= "*" and has_key(event, key) or key == "*" and event.key == "*" then
      n = n + 1
    end
  end
  return n
end

---@class operator.testing.Subscription
---@field line? fun(text: string) gets each line; what came before it was set is given at once
---@field ended? fun(tail: string?) the server ends the stream; tail is the text that it leaves
---@field topics table<string, string[]>
---@field namespaces? table<string, boolean> nil: all
---@field package waiting string[]?
---@field package broker operator.testing.Broker
local Subscription = {}
Subscription.__index = Subscription

-- A line handler that is set late gets what was sent before.
function Subscription:__newindex(name, value)
  rawset(self, name, value)
  local waiting = name == "line" and value and self.waiting
  if waiting then
    rawset(self, "waiting", nil)
    for _, text in ipairs(waiting) do
      value(text)
    end
  end
end

function Subscription:send(text)
  if self.line then
    self.line(text)
  else
    self.waiting = self.waiting or {}
    self.waiting[#self.waiting + 1] = text
  end
end

---@param commit operator.testing.Commit
function Subscription:offer(commit)
  local texts = {}
  for _, event in ipairs(commit.events) do
    local known = event.namespace == ""
      or not self.namespaces
      or self.namespaces[event.namespace]
    for _ = 1, known and times(event, self.topics) or 0 do
      texts[#texts + 1] = event_text(event)
    end
  end
  if #texts > 0 then
    self:send(('{"Events":[%s],"Index":%d}'):format(table.concat(texts, ","), commit.index))
  end
end

--- The reader goes away.
function Subscription:close()
  self.broker.subscriptions[self] = nil
  if self.timer then
    self.timer:stop()
  end
end

---@class operator.testing.Broker
---@field clock operator.testing.ModelClock
---@field heartbeat number
---@field buffer operator.testing.Commit[]
---@field subscriptions table<operator.testing.Subscription, integer>
---@field made integer
local Broker = {}
Broker.__index = Broker

---@param clock operator.testing.ModelClock
---@param heartbeat number seconds
---@return operator.testing.Broker
function events.broker(clock, heartbeat)
  return setmetatable(
    { clock = clock, heartbeat = heartbeat, buffer = {}, subscriptions = {}, made = 0 },
    Broker
  )
end

--- The subscriptions, the oldest first.
---@return operator.testing.Subscription[]
function Broker:list()
  local out = {}
  for sub in pairs(self.subscriptions) do
    out[#out + 1] = sub
  end
  table.sort(out, function(a, b)
    return self.subscriptions[a] < self.subscriptions[b]
  end)
  return out
end

---@param commit operator.testing.Commit
function Broker:publish(commit)
  local buffer = self.buffer
  buffer[#buffer + 1] = commit
  if #buffer > BUFFER then
    table.remove(buffer, 1)
  end
  for _, sub in ipairs(self:list()) do
    sub:offer(commit)
  end
end

--- Where a subscription from `index` starts: at it, else at the next later one, else at the last there is.
local function start_at(buffer, index)
  for i, commit in ipairs(buffer) do
    if commit.index >= index then
      return i
    end
  end
  return math.max(#buffer, 1)
end

local function beat(broker, sub)
  sub.timer = broker.clock.after(broker.heartbeat, function()
    sub:send "{}"
    beat(broker, sub)
  end)
end

---@class operator.testing.SubscribeOptions
---@field topics table<string, string[]>
---@field namespaces? table<string, boolean>
---@field index integer
---@field heartbeat? boolean false: only the first one

---@param options operator.testing.SubscribeOptions
---@return operator.testing.Subscription
function Broker:subscribe(options)
  local sub = setmetatable({
    topics = options.topics,
    namespaces = options.namespaces,
    broker = self,
  }, Subscription)
  self.made = self.made + 1
  self.subscriptions[sub] = self.made
  sub:send "{}"
  for i = start_at(self.buffer, options.index), #self.buffer do
    sub:offer(self.buffer[i])
  end
  if options.heartbeat ~= false and self.clock.after and self.heartbeat > 0 then
    beat(self, sub)
  end
  return sub
end

--- Ends all streams, as a restored snapshot or a deleted token does.
---@param tail? string what the server says at the end
function Broker:drop(tail)
  for _, sub in ipairs(self:list()) do
    sub:close()
    if sub.ended then
      sub.ended(tail)
    end
  end
end

--- Reads `topic` parameters: "Job", "Job:key".
---@param list string[]
---@return table<string, string[]>? topics
---@return string? error
function events.topics(list)
  local topics = {}
  for _, text in ipairs(#list > 0 and list or { "*" }) do
    local topic, key = text:match "^([^:]*):?([^:]*)$"
    if not topic then
      return nil,
        "Invalid topic query: error parsing topics: Invalid key value pair for topic, topic: "
          .. text
    end
    topics[topic] = topics[topic] or {}
    table.insert(topics[topic], key ~= "" and key or "*")
  end
  return topics
end

return events
