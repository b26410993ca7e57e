--- namespaces: follows which namespaces the token sees. A stream's set is frozen when it subscribes, so a changed one
--- means a new subscription; and what a namespace that is out of sight holds is unknown, not gone.

local api = require "nomad.namespaces"
local backoff = require "operator.backoff"

local namespaces = {}

--- A token that is given more rights moves no index: the set is looked at so often. Seconds.
local WAIT = 20
--- Between two answers at least, and where the server does not wait for news, seconds.
local GAP, GAP_MAX = 1, 10
local RETRY = { base = 1, max = 30 }
--- Of so many namespaces at most each one is listed, and has its own stream.
local EACH_MAX = 16
--- What the stream is for instead of "*", kept across generations; and the set that it was opened for.
local EXPLICIT, SEEN = "stream.namespaces", "stream.seen"

--- What -namespace says.
---@param names string[]
---@return string[] lists what is subscribed to and listed: "*" alone, or each
---@return table<string, boolean>? wanted nil: all
function namespaces.asked(names)
  local wanted = {}
  for _, name in ipairs(names) do
    if name == "*" then
      return { "*" }, nil
    end
    wanted[name] = true
  end
  if #names == 0 then
    return { "*" }, nil
  end
  return #names <= EACH_MAX and names or { "*" }, wanted
end

---@class operator.Namespaces
---@field lost table<string, boolean> refused, or no longer to be seen
---@field deleted table<string, boolean> known not to exist
---@field visible? string[] nil: not asked yet
---@field private seen table<string, boolean> the same as a set
local Namespaces = {}
Namespaces.__index = Namespaces

--- wanted is what -namespace says, nil: all. The generation lists where that has to find what is new.
---@param options { host: table, wanted?: table<string, boolean>, generation: operator.Generation }
---@return operator.Namespaces
function namespaces.new(options)
  return setmetatable({
    host = options.host,
    wanted = options.wanted,
    generation = options.generation,
    signal = options.host.signal(),
    lost = {},
    deleted = {},
    live = true,
  }, Namespaces)
end

--- Is it out of the token's sight? Then what it holds is unknown.
---@param namespace string "": of what is in none
---@return boolean
function Namespaces:is_lost(namespace)
  if namespace == nil or namespace == "" then
    return false
  end
  return self.lost[namespace] == true
    or (self.visible ~= nil and not self.seen[namespace] and not self.deleted[namespace])
end

--- A list of one namespace was refused, or is answered again.
---@param namespace string
---@param err? host.nomad.Error
function Namespaces:listed(namespace, err)
  local before = self.lost[namespace]
  self.lost[namespace] = err and true or nil
  if err and not before then
    self.host.log(
      "warn",
      ("Namespace %s is left alone until it can be read: %s"):format(namespace, tostring(err))
    )
  elseif before and not err then
    self.host.log("info", ("Namespace %s can be read again"):format(namespace))
  end
end

local function only_in(a, b)
  local set, only = {}, {}
  for _, name in ipairs(b) do
    set[name] = true
  end
  for _, name in ipairs(a) do
    if not set[name] then
      only[#only + 1] = name
    end
  end
  return only
end

local function split(text)
  local list = {}
  for name in (text or ""):gmatch("%S+") do
    list[#list + 1] = name
  end
  return list
end

-- Says once what became of a namespace that is no longer in the list.
local function let_go(self, name)
  if self.lost[name] then
    return
  end
  local _, err = api.get(name)
  if err and err.code == "not_found" then
    self.deleted[name] = true
    self.host.log("info", ("Namespace %s no longer exists"):format(name))
    return
  end
  self.lost[name] = true
  self.host.log(
    "warn",
    ("The token no longer sees namespace %s: what is there stays as it is until it does"):format(
      name
    )
  )
end

--- Streams for each namespace, where the token may not have one for all. The host knows whether that would help.
---@return boolean
function Namespaces:subscribe_each()
  local text = table.concat(self.visible or {}, " ")
  if self.live or self.wanted or text == "" or self.tried == text then
    return false
  end
  self.tried = text
  local taken = self.host.resubscribe(
    "the token may not read every namespace; a stream for each that it may: " .. text,
    self.visible
  )
  self.host.keep(EXPLICIT, taken and text or nil)
  return taken
end

-- A subscription to what is visible now.
local function resubscribe(self, reason)
  if self.wanted then
    -- Each has its stream already.
    self.generation:lost_events(reason)
    return
  end
  local text = table.concat(self.visible, " ")
  self.tried = nil
  if self.host.kept(EXPLICIT) and text ~= "" and self.host.resubscribe(reason, self.visible) then
    self.host.keep(EXPLICIT, text)
    return
  end
  self.host.keep(EXPLICIT, nil)
  self.host.resubscribe(reason)
end

local function among(names, wanted)
  local list = {}
  for _, name in ipairs(names) do
    if not wanted or wanted[name] then
      list[#list + 1] = name
    end
  end
  return list
end

-- The set as it is now. True where it has changed.
local function take(self, names)
  local kept = self.host.kept(SEEN)
  local before = self.visible or (kept and split(kept)) or names
  local new, gone = only_in(names, before), only_in(before, names)
  self.visible, self.seen = names, {}
  for _, name in ipairs(names) do
    self.seen[name], self.deleted[name] = true, nil
  end
  self.host.keep(SEEN, table.concat(names, " "))
  for _, name in ipairs(gone) do
    let_go(self, name)
  end
  for _, name in ipairs(new) do
    if self.lost[name] then
      self.lost[name] = nil
      self.host.log("info", ("The token sees namespace %s again"):format(name))
    end
  end
  if #new > 0 then
    resubscribe(self, "namespace " .. table.concat(new, ", ") .. " is new")
  elseif #gone > 0 then
    resubscribe(self, "namespace " .. table.concat(gone, ", ") .. " is gone")
  else
    self:subscribe_each()
  end
  return #new > 0 or #gone > 0
end

-- What to do after an error. Nomads that cannot tell are asked again at a resync; what passes by itself is said by the
-- stream.
local function rest(self, err, attempt)
  local message = "The namespaces cannot be followed: " .. tostring(err)
  local quiet = err.retryable or message == self.said
  self.host.log(quiet and "debug" or "warn", message)
  self.said = message
  if err.retryable then
    self.host.sleep(err.retry_after or backoff.delay(attempt, RETRY, self.host.random))
  else
    self.signal:wait()
  end
end

-- Follows the set until the task is cancelled.
local function follow(self)
  local index, failures, gap = nil, 0, GAP
  while true do
    local began = self.host.monotonic()
    local names, err, now = api.names({ index = index, wait = index and WAIT })
    if names then
      failures, self.said = 0, nil
      local changed = take(self, among(names, self.wanted))
      local at_once = not changed and self.host.monotonic() - began < GAP
      gap = at_once and math.min(2 * gap, GAP_MAX) or GAP
      index = now and now > 0 and now or nil
      self.host.sleep(gap)
    else
      failures, index = failures + 1, nil
      rest(self, err, failures)
    end
  end
end

--- Begins to follow the set.
function Namespaces:start()
  if not self.task then
    self.task = self.host.spawn("namespaces", follow, function(ok, err, trace)
      if not ok and not (type(err) == "table" and err.code == "cancelled") then
        self.host.log("error", "The namespaces are not followed any more: " .. tostring(err), {
          trace = trace,
        })
      end
    end, self)
  end
end

--- News of the connection.
---@param live boolean
function Namespaces:connected(live)
  self.live = live
  self.signal:fire()
  if self.task then
    self:subscribe_each()
  end
end

--- Looks at once. Where that fails, what was seen last counts.
---@async
function Namespaces:refresh()
  local names = self.task and api.names()
  if names then
    take(self, among(names, self.wanted))
  end
end

--- Asks again where asking failed for good.
function Namespaces:resync()
  self.signal:fire()
end

function Namespaces:stop()
  if self.task then
    self.task:cancel()
  end
end

return namespaces
