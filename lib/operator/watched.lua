--- watched: the topics that the loaded policies watch, and the lists of all but jobs (those are listing's), each merged
--- into its controllers.

local host = require "host"
local keys = require "operator.keys"
local newest = require "operator.newest"
local topics = require "operator.topics"

local watched = {}

---@class operator.Watched
---@field others operator.Topic[] the topics without Job, by name
---@field private seen_of table<string, operator.Newest> by topic
---@field private unlisted table<string, { err: host.nomad.Error, text: string }> topics without a list, and why
---@field private controllers table<string, operator.Controller[]> by topic
local Watched = {}
Watched.__index = Watched

---@param controllers operator.Controller[]
---@return operator.Watched
function watched.new(controllers)
  local self = setmetatable({
    others = {},
    seen_of = {},
    unlisted = {},
    controllers = { Job = {} },
  }, Watched)
  for _, one in ipairs(controllers) do
    local topic = one.topic
    if not self.controllers[topic.name] then
      self.controllers[topic.name] = {}
      table.insert(self.others, topic)
    end
    table.insert(self.controllers[topic.name], one)
  end
  table.sort(self.others, function(a, b)
    return a.name < b.name
  end)
  return self
end

--- The controllers of a topic's policies.
---@param topic string
---@return operator.Controller[]
function Watched:of(topic)
  return self.controllers[topic] or {}
end

--- The policies of a topic.
---@param topic string
---@return operator.Policy[]
function Watched:policies_of(topic)
  local list = {}
  for i, one in ipairs(self:of(topic)) do
    list[i] = one.policy
  end
  return list
end

--- Sentences for topics whose changes do not come by the stream.
---@return string[]
function Watched:notes()
  local notes = {}
  for _, topic in ipairs(self.others) do
    if topic.by_list then
      notes[#notes + 1] = ("The topic %s is followed by its list: %s"):format(
        topic.name,
        topic.by_list
      )
    end
  end
  return notes
end

-- A server without the endpoint, or with ACLs off: nothing that passes by itself. Some routes are answered with an
-- empty page there.
local function is_absent(err)
  local refused = not err.retryable and err.code ~= "denied" and err.code ~= "server"
  return refused or err.code == "not_nomad"
end

-- The list could not be had. What is known stays as it is, and is not taken for gone.
local function refused(self, topic, err)
  local text = ("The topic %s cannot be listed: %s"):format(topic.name, topic:explain(err))
  local before = self.unlisted[topic.name]
  host.log((before and before.text == text) and "debug" or "error", text)
  self.unlisted[topic.name] = { err = err, text = text }
end

local function listed(self, topic)
  if self.unlisted[topic.name] then
    self.unlisted[topic.name] = nil
    host.log("info", ("The topic %s can be listed again"):format(topic.name))
  end
end

--- What was seen of a topic: how new its list has to be.
---@param topic operator.Topic
---@return operator.Newest
function Watched:newest(topic)
  local one = self.seen_of[topic.name] or newest.new()
  self.seen_of[topic.name] = one
  return one
end

--- A connection begins.
function Watched:connected()
  for _, one in pairs(self.seen_of) do
    one:connected()
  end
end

-- Is the list too old?
local function is_behind(self, topic, index)
  local verdict = self:newest(topic):judge(index)
  if verdict == "back" then
    host.log(
      "warn",
      ("The index of the topic %s went back: all is looked at anew"):format(topic.name)
    )
    for _, one in ipairs(self:of(topic.name)) do
      one:forget_indexes()
    end
  end
  return verdict == "behind"
end

-- One element of a list.
local function see(generation, topic, stub, cause, index)
  local key = topic:key(topic:trim(stub))
  if not generation.tombstones:covers(key, stub.ModifyIndex) then
    for _, one in ipairs(generation.watched:of(topic.name)) do
      one:listed(key, stub, cause, index)
    end
  end
  return key
end

-- The list of one namespace, or of all; the first one tells the index of all. Returns true, or nil and an error, or
-- false: it is too old.
local function read(generation, topic, namespace, first, cause, present)
  local reader <close>, err = topic.list({ namespace = namespace })
  if not reader then
    return nil, err
  elseif first and is_behind(generation.watched, topic, reader.index) then
    return false
  end
  while true do
    local stub, failed = reader:next()
    if failed then
      return nil, failed
    elseif not stub then
      return true
    end
    local limits = topic.namespaced and generation.namespaces
    if not limits or limits[stub.Namespace] then
      present:add(topic.name, see(generation, topic, stub, cause, reader.index))
    end
  end
end

--- Lists the objects of a topic and merges them. A refusal is said once, and no reason to take anything for gone.
---@async
---@param generation operator.Generation
---@param topic operator.Topic
---@param cause operator.Cause
---@param present? host.Keys is given the keys of the list
function Watched:list(generation, topic, cause, present)
  present = present or host.keys()
  for i, namespace in ipairs(topic.namespaced and generation.list_namespaces or { "*" }) do
    local read_whole, err = read(generation, topic, namespace, i == 1, cause, present)
    if read_whole == false then
      host.sleep(newest.BEHIND)
      return self:list(generation, topic, cause, present)
    elseif not read_whole then
      refused(self, topic, err)
      return
    end
  end
  listed(self, topic)
  for _, one in ipairs(self:of(topic.name)) do
    one:list_ended(cause, present)
  end
end

--- The lists of all topics but Job.
---@async
---@param generation operator.Generation
---@param cause operator.Cause
---@param present host.Keys is given the keys
function Watched:list_all(generation, cause, present)
  for _, topic in ipairs(self.others) do
    self:list(generation, topic, cause, present)
  end
end

--- Is it not known whether the object of the key exists, because its topic has no list now?
---@param key string
---@return boolean
function Watched:is_unknown(key)
  return self.unlisted[keys.topic(key)] ~= nil
end

--- Why a topic has no list now; nil: it has.
---@param topic operator.Topic
---@return host.nomad.Error?
function Watched:refusal(topic)
  local held = self.unlisted[topic.name]
  return held and held.err
end

--- What stands in the way of readiness: a list that cannot be had, where the server could give it.
---@return host.nomad.Error?
function Watched:trouble()
  for _, topic in ipairs(self.others) do
    local held = self.unlisted[topic.name]
    if held and not is_absent(held.err) then
      return held.err
    end
  end
end

--- The topics whose list has to be waited for.
---@param live boolean is there a stream?
---@return operator.Topic[]
function Watched:to_follow(live)
  local list = {}
  if not live then
    list[1] = topics.Job
  end
  for _, topic in ipairs(self.others) do
    if not live or topic.by_list or self.unlisted[topic.name] then
      list[#list + 1] = topic
    end
  end
  return list
end

return watched
