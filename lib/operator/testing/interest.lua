--- interest: which events of the stream the host hands to a generation: host/interests.c for specs, with the real raw
--- filter where host.scan is built.

local json = require "host.json"
local marks = require "operator.marks"

local interest = {}

---@class operator.testing.Interest
---@field private counts table<string, integer> watched keys
---@field private programs table<operator.Pass|host.nomad.Pick, host.scan.Where>
---@field private newest integer of this connection
---@field private before integer of those before
---@field private told table<string, { spec: integer, holds: integer }> of keys: what passed last (host/told.c)
local Interest = {}
Interest.__index = Interest

---@class operator.testing.Keys
local Keys = {}
Keys.__index = Keys

---@return operator.testing.Interest
function interest.new()
  return setmetatable({
    counts = {},
    told = {},
    programs = setmetatable({}, { __mode = "k" }),
    newest = 0,
    before = 0,
  }, Interest)
end

local function name(topic, key)
  return topic .. "\0" .. key
end

function Keys:add(topic, key)
  self[name(topic, key)] = true
end

function Keys:has(topic, key)
  return rawget(self, name(topic, key)) == true
end

--- host.keys.
---@return operator.testing.Keys
function interest.keys()
  return setmetatable({}, Keys)
end

function Interest:watch(topic, key)
  local at = name(topic, key)
  self.counts[at] = (self.counts[at] or 0) + 1
end

function Interest:unwatch(topic, key)
  local at = name(topic, key)
  local count = self.counts[at] or 0
  self.counts[at] = count > 1 and count - 1 or nil
end

function Interest:take_newest()
  local before = self.before
  self.before = 0
  return before
end

--- The stream was connected.
function Interest:connected()
  self.newest, self.before, self.told = 0, math.max(self.newest, self.before), {}
end

local function has(list, item)
  for _, one in ipairs(list or {}) do
    if one == item then
      return true
    end
  end
  return false
end

-- The compiled program; nil where the module was not built: then everything passes.
local function program(self, pass)
  local compiled = self.programs[pass]
  if compiled == nil then
    local ok, scan = pcall(require, "host.scan")
    compiled = ok and scan.where(pass.where)
    self.programs[pass] = compiled
  end
  return compiled or nil
end

--- Is the element of a list one that the script is given? And if not, has it a Meta?
---@param pick host.nomad.Pick
---@param text string
---@return boolean
---@return boolean? has_meta
function Interest:picks(pick, text)
  local where = program(self, pick)
  local stub = where and json.decode(text)
  if type(stub) ~= "table" or type(stub.ID) ~= "string" then
    return true
  end
  local key = marks.key(stub.Namespace, stub.ID)
  pick.keys:add(pick.topic, key)
  if self.counts[name(pick.topic, key)] or where:object(text) ~= false then
    return true
  end
  return false, stub.Meta ~= nil
end

-- Would the event repeat what one before it has told?
local function repeats(self, at, spec, holds)
  local told = self.told[at]
  if self.counts[at] and told and told.spec == spec and holds & ~told.holds == 0 then
    return true
  end
  self.told[at] = { spec = spec, holds = holds }
  return false
end

-- Does the object's watch let the event pass, or what it is? And which of the programs hold.
local function holds_for(self, rule, event)
  local at = name(event.topic, marks.key(event.namespace, event.key))
  local where = program(self, rule)
  if not where or (self.counts[at] and not rule.once) then
    return true
  end
  local passes, version, spec, holds = where:payload(event.payload)
  passes = passes ~= false or self.counts[at] ~= nil
  if passes and rule.once and spec > 0 then
    passes = not repeats(self, at, spec, holds)
  end
  if not passes then
    self.newest = math.max(self.newest, version)
  end
  return passes, holds
end

---@param pass table<string, true|string[]|operator.Pass> true: all of the topic; a list: these types
---@param event host.scan.Event
---@return boolean
---@return integer? holds as operator.Generation:event is given it
function Interest:wants(pass, event)
  local rule = pass[event.topic]
  if type(rule) ~= "table" then
    return rule == true
  elseif rule[1] then
    return has(rule, event.type)
  elseif rule.types and not has(rule.types, event.type) then
    return false
  elseif not rule.where or has(rule.always, event.type) then
    return true
  end
  return holds_for(self, rule, event)
end

return interest
