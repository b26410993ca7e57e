--- seen: what is known of watched objects, packed: by key one integer (the newest version that is news), and a second
--- one only where another version was worked last. Holds no objects, and nothing that a list could not bring back.

local watchlist = require "operator.watchlist"

local seen = {}

--- Of an object whose version is void: whatever is seen next is news.
local NEVER = -1

-- A version is held as `version * 2 | WORKED` where it was also the one that was worked last.
local WORKED = 1

---@class operator.Seen
---@field private newest table<string, integer> by key
---@field private before table<string, integer> version that was worked last, where it is not the newest
---@field private size integer
---@field private watched operator.Watchlist
local Seen = {}
Seen.__index = Seen

---@param keys? operator.Watchlist is told of every key
---@return operator.Seen
function seen.new(keys)
  return setmetatable(
    { newest = {}, before = {}, size = 0, watched = keys or watchlist.NONE },
    Seen
  )
end

local function put(self, key, value)
  if not self.newest[key] then
    self.size = self.size + 1
    self.watched:add(key)
  end
  self.newest[key] = value
end

--- The newest version that was put into the queue; nil: nothing is known of the key.
---@param key string
---@return integer?
function Seen:version(key)
  local value = self.newest[key]
  return value and value // 2 -- not a shift: it may be NEVER
end

--- The version that was worked last.
---@param key string
---@return integer?
function Seen:worked(key)
  local value = self.newest[key]
  if value and value & WORKED ~= 0 then
    return value // 2
  end
  return self.before[key]
end

--- There is a newer version.
---@param key string
---@param version integer
function Seen:news(key, version)
  local value = self.newest[key]
  if value and value & WORKED ~= 0 then
    if value // 2 == version then
      return
    end
    self.before[key] = value // 2
  end
  put(self, key, version * 2)
end

--- This version was worked. A newer one may be known already: then it still has to be.
---@param key string
---@param version integer
function Seen:done(key, version)
  local newest = self:version(key) or NEVER
  if version >= newest then
    self.before[key] = nil
    put(self, key, version * 2 | WORKED)
  else
    self.before[key] = version
    put(self, key, newest * 2)
  end
end

--- The key is of no interest any more.
---@param key string
function Seen:forget(key)
  if self.newest[key] then
    self.size = self.size - 1
    self.watched:remove(key)
    self.newest[key], self.before[key] = nil, nil
  end
end

--- A list that is as new as what was seen of an object shows an older one: a snapshot was restored.
---@param key string
---@param version integer in the list
---@param list_index integer of the list
function Seen:compare_version(key, version, list_index)
  local newest = self:version(key)
  if newest and version < newest and newest <= list_index then
    self.newest[key], self.before[key] = NEVER * 2, nil
  end
end

--- Is whatever is seen next of the object news?
---@param key string
---@return boolean
function Seen:is_void(key)
  return self:version(key) == NEVER
end

--- The versions of the cluster went back: whatever is seen next is news.
function Seen:forget_versions()
  for key in pairs(self.newest) do
    self.newest[key] = NEVER * 2
  end
  self.before = {}
end

--- All keys, in no order. Keys may be forgotten meanwhile, but none may come.
---@return fun(): string?
---@return table
function Seen:keys()
  return pairs(self.newest)
end

---@return integer
function Seen:count()
  return self.size
end

return seen
