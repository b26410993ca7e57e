--- policy: checks the table that a script gives to operator.policy and makes it complete. Every mistake is an error at
--- load, at the line of the call.

local cron = require "operator.cron"
local duration = require "operator.duration"
local filter = require "operator.filter"
local nearest = require "operator.nearest"
local paths = require "operator.paths"
local topics = require "operator.topics"

local policy = {}

---@class operator.Watch what a policy looks at
---@field topic string
---@field where? any what an object has to match; nil: all do
---@field except? any of the same form: what matches it too is not watched
---@field changes? "spec"|"any"
---@field shallow? boolean what an element of a list cannot tell is not read: it is left to the events

---@class operator.Policy
---@field name string [a-z0-9-]+, unique; it is written into the children's marks
---@field source string "scripts/backup.lua:12"
---@field private title string "Backup"
---@field watch operator.Watch
---@field topic operator.Topic of watch.topic
---@field filter operator.Filter made from watch.where and watch.except
---@field resync? number seconds; nil: never
---@field desired? fun(object: table, ctx: operator.Context): any[]
---@field reconcile? fun(object: table, ctx: operator.Context): any
---@field on? table<string, fun(event: table, ctx: operator.Context)>
---@field every table<string, function> spec → handler
---@field cron table<string, function>
---@field on_start? function
---@field on_stop? function
---@field namespaces? table<string, boolean>
---@field max_delete? integer
---@field purge? boolean a removed child is purged too; one that its owner did not ask to remove is only stopped
---@field replace? boolean a child of another shape (batch ↔ service, periodic ↔ plain) is purged and made anew
---@field ignore? string[] fields of children that are somebody else's: "TaskGroups[*].Count"
---@field ignored string[] the same, ready for operator.paths
---@field uncompared string[] these, and our own marks
---@field stop_runs? boolean the runs of a removed periodic child are stopped too
---@field keep_on_stop? boolean a stopped owner keeps its children as they are, until it is purged
---@field concurrency? integer

local FIELDS = {
  "name",
  "watch",
  "resync",
  "desired",
  "reconcile",
  "on",
  "every",
  "cron",
  "on_start",
  "on_stop",
  "namespaces",
  "max_delete",
  "purge",
  "replace",
  "ignore",
  "stop_runs",
  "keep_on_stop",
  "concurrency",
}
local WATCH_FIELDS = { "topic", "where", "except", "changes", "shallow" }

local function has(list, value)
  for _, item in ipairs(list) do
    if item == value then
      return true
    end
  end
  return false
end

local function complain(fmt, ...)
  error(fmt:format(...), 0)
end

local function check_fields(spec, known, where)
  for name in pairs(spec) do
    if not has(known, name) then
      complain("%sunknown field %q%s", where, tostring(name), nearest.hint(name, known))
    end
  end
end

local function check_type(spec, name, kind)
  if spec[name] ~= nil and type(spec[name]) ~= kind then
    complain("%s: expected a %s, got a %s", name, kind, type(spec[name]))
  end
end

local function check_watch(watch)
  if type(watch) ~= "table" then
    complain('watch is missing; say what the policy looks at, like watch = { topic = "Job" }')
  end
  check_fields(watch, WATCH_FIELDS, "watch: ")
  local topic = watch.topic
  if not has(topics.names, topic) then
    complain(
      "watch.topic: unknown topic %q%s; there are %s",
      tostring(topic),
      nearest.hint(topic, topics.names),
      table.concat(topics.names, ", ")
    )
  elseif watch.changes ~= nil and watch.changes ~= "spec" and watch.changes ~= "any" then
    complain(
      'watch.changes: expected "spec" (the job was changed) or "any" (its status too), got %q',
      tostring(watch.changes)
    )
  end
  check_type(watch, "shallow", "boolean")
end

local function check_handlers(spec, name, check)
  check_type(spec, name, "table")
  for key, fn in pairs(spec[name] or {}) do
    if type(fn) ~= "function" then
      complain("%s[%q]: expected a function, got a %s", name, tostring(key), type(fn))
    end
    local err = check(key)
    if err then
      complain("%s[%q]: %s", name, tostring(key), err)
    end
  end
end

-- Why there is no such event of the topic; nil: there is.
local function check_event(topic, name)
  local never = topic.silent and topic.silent[name]
  if never then
    return never
  elseif name ~= "gap" and not has(topic.types, name) then
    return ("no such event type on topic %s%s"):format(topic.name, nearest.hint(name, topic.types))
  end
end

-- Fields that make no sense, or say nothing, for the objects of this topic.
local function check_topic(spec, topic)
  if spec.namespaces and not topic.namespaced then
    complain("namespaces: a %s is in no namespace", topic.name)
  elseif spec.keep_on_stop and topic.name ~= "Job" then
    complain("keep_on_stop: only a job is stopped, a %s is there or gone", topic.name)
  end
  for _, side in ipairs({ "where", "except" }) do
    local pattern = spec.watch[side]
    for _, name in ipairs(topic.absent) do
      if type(pattern) == "table" and rawget(pattern, name) ~= nil then
        complain("watch.%s.%s: events of the topic %s do not have it", side, name, topic.name)
      end
    end
  end
end

local function check_counts(spec)
  for _, name in ipairs({ "max_delete", "concurrency" }) do
    local value, least = spec[name], name == "concurrency" and 1 or 0
    if value ~= nil and (math.type(value) ~= "integer" or value < least) then
      complain("%s: expected a whole number from %d, got %s", name, least, tostring(value))
    end
  end
end

local function check_namespaces(spec)
  check_type(spec, "namespaces", "table")
  for i, name in ipairs(spec.namespaces or {}) do
    if type(name) ~= "string" then
      complain("namespaces[%d]: expected a string, got a %s", i, type(name))
    end
  end
end

-- Fields without which a child would not be ours, or not where it should be.
local OURS = { ID = true, Namespace = true, Region = true, ParentID = true, Stop = true }

local function check_ignore(spec)
  check_type(spec, "ignore", "table")
  for i, text in ipairs(spec.ignore or {}) do
    if type(text) ~= "string" or not text:find("^%u[%w]*") or text:find("%]$") then
      complain(
        'ignore[%d]: expected the path of a field, like "TaskGroups[*].Count", got %s',
        i,
        type(text) == "string" and ("%q"):format(text) or ("a " .. type(text))
      )
    elseif OURS[text] or text == "Meta" or text:find("^Meta%.operator%-") then
      complain("ignore[%d]: %s cannot be left to others", i, text)
    end
  end
end

local function check_types(spec)
  for _, name in ipairs({ "desired", "reconcile", "on_start", "on_stop" }) do
    check_type(spec, name, "function")
  end
  for _, name in ipairs({ "purge", "replace", "stop_runs", "keep_on_stop" }) do
    check_type(spec, name, "boolean")
  end
end

local function check(spec)
  if type(spec) ~= "table" then
    complain(
      "operator.policy takes one table: operator.policy { name = …, watch = …, desired = … }"
    )
  elseif type(spec.name) ~= "string" or not spec.name:find("^%l[%l%d-]*$") then
    complain("name: expected lower-case letters, digits and dashes, got %s", tostring(spec.name))
  end
  check_fields(spec, FIELDS, "")
  check_watch(spec.watch)
  check_types(spec)
  if spec.desired and spec.reconcile then
    complain(
      "desired and reconcile are both there; "
        .. "a policy says what should exist, or does something, not both"
    )
  elseif not (spec.desired or spec.reconcile or spec.on or spec.every or spec.cron) then
    complain("the policy does nothing: give it desired, reconcile, on, every or cron")
  end
  local topic = topics[spec.watch.topic]
  check_handlers(spec, "on", function(name)
    return check_event(topic, name)
  end)
  check_handlers(spec, "every", function(text)
    local seconds, err = duration.parse(text)
    return err or (seconds < 1 and "expected at least 1s" or nil)
  end)
  check_handlers(spec, "cron", function(text)
    local schedule, err = cron.parse(text)
    return not schedule and err or nil
  end)
  check_counts(spec)
  check_ignore(spec)
  check_namespaces(spec)
  check_topic(spec, topic)
end

local function read_resync(value)
  if value == false then
    return nil
  end
  local seconds, err = duration.parse(value or "10m")
  if not seconds then
    complain("resync: %s; false turns it off", err)
  elseif seconds < 1 then
    complain("resync: expected at least 1s, got %s", tostring(value))
  end
  return seconds
end

local Policy = { __name = "operator.Policy" }
Policy.__index = Policy

--- "Backup": the policy as a noun that begins a line.
---@return string
function Policy:noun()
  return self.title
end

--- Checks `spec`; raises a sentence without a position: the caller adds it.
---@param spec table
---@param source string "scripts/backup.lua:12"
---@return operator.Policy
function policy.new(spec, source)
  check(spec)
  local self = {}
  for name, value in pairs(spec) do
    self[name] = value
  end
  self.source = source
  self.title = self.name:gsub("^%l", string.upper)
  self.every, self.cron = spec.every or {}, spec.cron or {}
  self.topic = topics[spec.watch.topic]
  self.filter = filter.new(spec.watch.where, spec.watch.except, self.topic)
  self.resync = read_resync(spec.resync)
  self.ignored = paths.compile(spec.ignore)
  self.uncompared = paths.compile({ "Meta.operator-*", table.unpack(spec.ignore or {}) })
  if spec.namespaces then
    self.namespaces = {}
    for _, name in ipairs(spec.namespaces) do
      self.namespaces[name] = true
    end
  end
  return setmetatable(self, Policy)
end

---@param value any
---@return boolean
function policy.is(value)
  return getmetatable(value) == Policy
end

return policy
