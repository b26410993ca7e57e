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
---@field private title string
---@field private fields table
---@field private lines string[]
---@field private live boolean written line by line (logfmt, json)
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

---@param cause operator.Cause
---@param key string
---@return string
function transcript.title(cause, key)
  local what = cause.kind == "event" and cause.type or NAMES[cause.kind]
  local note = cause.detail or cause.status
  return ("%s: %s%s..."):format(
    what,
    marks.show(key),
    note and note ~= "" and (" (" .. note .. ")") or ""
  )
end

--- Opens a block. Nothing is written for a block in which nothing is said.
---@param host table
---@param title string
---@param fields table<string, any> policy, key, cause: for the records of logfmt and json
---@return operator.Block
function transcript.open(host, title, fields)
  return setmetatable({
    host = host,
    title = title,
    fields = fields,
    lines = {},
    live = host.options.log_format ~= "text",
  }, Block)
end

--- One line. A message of several lines (a traceback) is indented whole.
---@param level "error"|"warn"|"info"|"debug"
---@param message string
---@param more? table<string, any> fields of this line alone
function Block:say(level, message, more)
  if RANK[level] > RANK[self.host.options.log_level] then
    return
  elseif self.live then
    local fields = {}
    for name, value in pairs(self.fields) do
      fields[name] = value
    end
    for name, value in pairs(more or {}) do
      fields[name] = value
    end
    self.host.log(level, message, fields)
    return
  end
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
  if #self.lines > 0 then
    self.host.block(
      ("==> %s\n%s\n--> %s\n"):format(
        self.host.escape(self.title),
        table.concat(self.lines, "\n"),
        self.host.escape(footer)
      )
    )
    self.lines = {}
  end
end

return transcript
