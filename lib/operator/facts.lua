--- facts: versions of objects that change far more often than anybody cares: a node with each mood of its drivers, an
--- allocation with each restart of a task. Their version moves only when one of a few fields does: it is the
--- ModifyIndex at which those were first seen as they are. Holds nothing that a list could not bring back.

local facts = {}

---@class operator.Facts
---@field private names string[] of fields that a list's stub has too
---@field private texts table<string, string> by key: the fields as they are
---@field private since table<string, integer> the version
---@field private latest table<string, integer> newest ModifyIndex
local Facts = {}
Facts.__index = Facts

---@param names string[]
---@return operator.Facts
function facts.new(names)
  return setmetatable({ names = names, texts = {}, since = {}, latest = {} }, Facts)
end

local function text_of(self, object)
  local parts = {}
  for i, name in ipairs(self.names) do
    parts[i] = tostring(object[name] or "")
  end
  return table.concat(parts, "\0")
end

--- The version of an object or stub. One that is older than what was seen before never looks newer than it.
---@param key string
---@param object table
---@return integer
function Facts:version(key, object)
  local index, text, since = object.ModifyIndex, text_of(self, object), self.since[key]
  if since and index < self.latest[key] then
    return text == self.texts[key] and math.min(since, index) or math.min(since - 1, index)
  elseif not since or text ~= self.texts[key] then
    self.since[key], self.texts[key] = index, text
  end
  self.latest[key] = index
  return self.since[key]
end

---@param key string
function Facts:forget(key)
  self.texts[key], self.since[key], self.latest[key] = nil, nil, nil
end

--- The indexes of the cluster went back.
function Facts:forget_all()
  self.texts, self.since, self.latest = {}, {}, {}
end

return facts
