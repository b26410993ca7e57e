--- seen: what is known of watched objects, packed (host.packed): by key the newest version that is news, and that which
--- was worked last. Holds no objects, and nothing that a list could not bring back.

local packed = require "host.packed"
local watchlist = require "operator.watchlist"

local seen = {}

--- Of an object whose version is void: whatever is seen next is news.
local NEVER = -1

-- Of an object of which no version was worked.
local NONE = -2

-- The fields of a record.
local NEWEST, WORKED, FIELDS = 1, 2, 2

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

-- The record of a key, made if there is none.
local function record_of(self, key)
  local record = self.objects:find(key)
  if not record then
    record = self.objects:add(key)
    self.objects:set(record, NEWEST, NEVER)
    self.objects:set(record, WORKED, NONE)
    self.watched:add(key)
  end
  return record
end

-- A field of the key's record; nil: there is none.
local function get(self, key, field)
  local record = self.objects:find(key)
  return record and self.objects:get(record, field)
end

local function set(self, record, newest, worked)
  self.objects:set(record, NEWEST, newest)
  self.objects:set(record, WORKED, worked)
end

--- The newest version that was put into the queue; nil: nothing is known of the key.
---@param key string
---@return integer?
function Seen:version(key)
  return get(self, key, NEWEST)
end

--- The version that was worked last.
---@param key string
---@return integer?
function Seen:worked(key)
  local version = get(self, key, WORKED)
  return version ~= NONE and version or nil
end

--- There is a newer version.
---@param key string
---@param version integer
function Seen:news(key, version)
  self.objects:set(record_of(self, key), NEWEST, version)
end

--- This version was worked. A newer one may be known already: then it still has to be.
---@param key string
---@param version integer
function Seen:done(key, version)
  local record = record_of(self, key)
  set(self, record, math.max(version, self.objects:get(record, NEWEST)), version)
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
  local record = self.objects:find(key)
  local newest = record and self.objects:get(record, NEWEST)
  if newest and version < newest and newest <= list_index then
    set(self, record, NEVER, NONE)
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
    set(self, record, NEVER, NONE)
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
