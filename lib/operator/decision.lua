--- decision: what an owner's children are decided on, and whether it is so still. A decision ages: an answer may have
--- been long under way, the stream may tell of a newer state, and children take turns.

local failure = require "operator.failure"
local topics = require "operator.topics"

local decision = {}

--- Seconds from the question for the owner, or from the event that showed it. What is older is asked for again before
--- anything is removed.
decision.FRESH = 1

---@class operator.Decision
---@field private controller operator.Controller
---@field private key string of the owner
---@field private version? integer of the object that was decided on; nil: it was gone
---@field private newest? integer version that was known when the work on the owner began
---@field private at number monotonic seconds: it may be as the owner was then
local Decision = {}
Decision.__index = Decision

--- The work on an owner begins: before it is read.
---@param controller operator.Controller
---@param item operator.Item
---@return operator.Decision
function decision.begin(controller, item)
  return setmetatable({
    controller = controller,
    key = item.key,
    version = nil, -- until it is known, by `on`
    newest = controller.objects:version(item.key),
    at = item.object and item.asked or controller.host.monotonic(),
  }, Decision)
end

local function version_of(self, object)
  return object and self.controller:version(self.key, object) or nil
end

--- This is what it is decided on.
---@param object? table nil: it is gone
function Decision:on(object)
  self.version = version_of(self, object)
end

--- Was it made a moment ago, and has no news of the owner come since?
---@return boolean
function Decision:is_fresh()
  local controller = self.controller
  return controller.host.monotonic() - self.at <= decision.FRESH
    and controller.objects:version(self.key) == self.newest
end

--- Reads the owner again. Is it as it was? Another operator may know better, and have acted. An answer from before the
--- news that has come meanwhile says nothing.
---@async
---@return boolean
function Decision:still()
  local asked, newest = self.controller.host.monotonic(), self.controller.objects:version(self.key)
  local object, err = topics.read(self.key)
  if not object and err.code ~= "not_found" then
    failure.raise(err)
  end
  local version, news = version_of(self, object), newest ~= self.newest and newest or -1
  if version ~= self.version or (version or 0) < news then
    return false
  end
  self.at, self.newest = asked, newest
  return true
end

return decision
