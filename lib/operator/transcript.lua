--- transcript: what one key's reconcile did, as a block for a person (`==> … / … / --> Done`) or, in logfmt and json,
--- as a record a line.

local marks = require "operator.marks"

local transcript = {}

local RANK = { error = 1, warn = 2, info = 3, debug = 4 }
local PREFIX = { error = "Error: ", warn = "Warning: ", info = "", debug = "" }

---@class operator.Cause
---@field kind "event"|"start"|"resync"|"reload"|"reconnect"|"drift"|"sweep"|"retry"|"requeue"|"approved"|"plan"
---@field type? string of the event
---@field status? string of the job in the event
---@field detail? string "backup-example changed"

---@class operator.Block
---@field private host table
---@field private policy string
---@field private key? string nil: a timer's
---@field private cause operator.Cause
---@field private fields? table of its records, once there is one
---@field private lines? string[] of the text, once there is one
local Block = {}
Block.__index = Block

local NAMES = {
  start = "Start",
  resync = "Resync",
  reload = "Reload",
  reconnect = "Reconnect",
  drift = "Drift",
  sweep = "Sweep",
  retry = "Retry",
  requeue = "Requeue",
  approved = "Approved",
  plan = "Plan",
}

--- A cause in one word or two, for logs: "JobRegistered", "resync".
---@param cause operator.Cause
---@return string
function transcript.cause(cause)
  return cause.kind == "event" and cause.type or cause.kind
end

local function title_of(cause, key)
  local what = cause.kind == "event" and cause.type or NAMES[cause.kind]
  local note = cause.detail or cause.status
  return ("%s: %s%s..."):format(
    what,
    marks.show(key),
    note and note ~= "" and (" (" .. note .. ")") or ""
  )
end

--- Opens a block. Nothing is written for a block in which nothing is said, and most say nothing: so its title and the
--- fields of its records are made when something is.
---@param host table
---@param policy string
---@param key? string nil: a timer's, whose name is the cause's detail
---@param cause operator.Cause
---@return operator.Block
function transcript.open(host, policy, key, cause)
  return setmetatable(
    { host = host, policy = policy, key = key, cause = cause, fields = nil, lines = nil },
    Block
  )
end

local function title(self)
  if not self.key then
    return ("Timer: %s %s..."):format(self.policy, self.cause.detail)
  end
  return title_of(self.cause, self.key)
end

local function fields(self)
  self.fields = self.fields
    or {
      policy = self.policy,
      key = self.key,
      cause = self.key and transcript.cause(self.cause) or self.cause.detail,
    }
  return self.fields
end

--- One line. A message of several lines (a traceback) is indented whole.
---@param level "error"|"warn"|"info"|"debug"
---@param message string
---@param more? table<string, any> fields of this line alone
function Block:say(level, message, more)
  if RANK[level] > RANK[self.host.options.log_level] then
    return
  elseif self.host.options.log_format ~= "text" then
    self.host.log(level, message, fields(self), more)
    return
  end
  self.lines = self.lines or {}
  local first = true
  for line in (message:gsub("\t", "  ") .. "\n"):gmatch("(.-)\n") do
    self.lines[#self.lines + 1] = "    "
      .. (first and PREFIX[level] or "  ")
      .. self.host.escape(line)
    first = false
  end
end

--- Closes the block: in text format, writes it in one go.
---@param footer string "Done"
function Block:close(footer)
  if self.lines then
    self.host.block(
      ("==> %s\n%s\n--> %s\n"):format(
        self.host.escape(title(self)),
        table.concat(self.lines, "\n"),
        self.host.escape(footer)
      )
    )
    self.lines = nil
  end
end

return transcript
