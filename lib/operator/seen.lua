--- seen: what is known of watched objects, packed (host.packed): by key the newest version that is news, and that which
--- was worked last. Holds no objects, and nothing that a list could not bring back.

local packed = require "host.packed"
local watchlist = require "operator.watchlist"

local seen = {}

--- Of an object whose version is void: whatever is seen next is news.
local NEVER = -1

-- Of an object of which no version was worked.
local NONE = -2

-- The fields of a record: the newest version, and after it the one that was worked.
local NEWEST, FIELDS = 1, 2

---@class operator.Seen
---@field private objects host.Packed
---@field private watched operator.Watchlist
local Seen = {}
Seen.__index = Seen

---@param keys? operator.Watchlist is told of every key
---@return operator.Seen
function seen.new(keys)
  return setmetatable({ objects = packed.new(FIELDS), watched = keys or watchlist.NONE }, Seen)
end

local function add(self, key, newest, worked)
  self.objects:add(key, newest, worked)
  self.watched:add(key)
end

--- The newest version that was put into the queue; nil: nothing is known of the key.
---@param key string
---@return integer?
function Seen:version(key)
  local _, newest = self.objects:find(key)
  return newest
end

--- The version that was worked last.
---@param key string
---@return integer?
function Seen:worked(key)
  local _, _, worked = self.objects:find(key)
  return worked ~= NONE and worked or nil
end

--- A version was shown.
---@param key string
---@param version integer
---@return boolean newer than all that were known
function Seen:news(key, version)
  local record, newest = self.objects:find(key)
  if not record then
    add(self, key, version, NONE)
    return true
  elseif version <= newest then
    return false
  end
  self.objects:set(record, NEWEST, version)
  return true
end

--- This version was worked. A newer one may be known already: then it still has to be.
---@param key string
---@param version integer
function Seen:done(key, version)
  local record, newest = self.objects:find(key)
  if record then
    self.objects:set(record, NEWEST, math.max(version, newest), version)
  else
    add(self, key, version, version)
  end
end

--- The key is of no interest any more.
---@param key string
function Seen:forget(key)
  local record = self.objects:find(key)
  if record then
    self.watched:remove(key)
    self.objects:remove(record)
  end
end

--- A list that is as new as what was seen of an object shows an older one: a snapshot was restored.
---@param key string
---@param version integer in the list
---@param list_index integer of the list
function Seen:compare_version(key, version, list_index)
  local record, newest = self.objects:find(key)
  if record and version < newest and newest <= list_index then
    self.objects:set(record, NEWEST, NEVER, NONE)
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
  local record = self.objects:next(0)
  while record do
    self.objects:set(record, NEWEST, NEVER, NONE)
    record = self.objects:next(record)
  end
end

--- All keys, in no order. Keys may be forgotten meanwhile, but none may come.
---@return fun(): string?
function Seen:keys()
  local record = 0
  return function()
    record = self.objects:next(record)
    return record and self.objects:key(record)
  end
end

--- Memory that is not in the Lua heap.
---@return integer bytes
function Seen:bytes()
  return self.objects:bytes()
end

---@return integer
function Seen:count()
  return self.objects:count()
end

return seen
