--- watchlist: the keys of which something is known. The host lets their events pass whatever they say, so that the
--- event by which an object stops matching is seen.

local watchlist = {}

---@class operator.Watchlist
---@field private host table
---@field private topic string
local Watchlist = {}
Watchlist.__index = Watchlist

---@param host { watch: fun(topic: string, key: string), unwatch: fun(topic: string, key: string) }
---@param topic string
---@return operator.Watchlist
function watchlist.new(host, topic)
  return setmetatable({ host = host, topic = topic }, Watchlist)
end

--- Of one who asks for none: everything passes.
watchlist.NONE = watchlist.new({ watch = function() end, unwatch = function() end }, "")

--- A key that is added several times is watched until it was removed as often.
---@param key string as marks.key makes it
function Watchlist:add(key)
  self.host.watch(self.topic, key)
end

---@param key string
function Watchlist:remove(key)
  self.host.unwatch(self.topic, key)
end

return watchlist
