--- looks: what a spec looks at in a world: transcript, log, errors. Methods of operator.testing.World.

local escape = require "operator.testing.escape"

---@class operator.testing.World
local looks = {}

--- The transcript.
---@return string
function looks:blocks()
  return table.concat(self.transcript)
end

local RANK = { error = 1, warn = 2, info = 3, debug = 4 }

local function line_of(record)
  local names, parts = {}, {}
  for name in pairs(record.fields) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    parts[#parts + 1] = (" %s=%s"):format(name, escape.text(record.fields[name]))
  end
  return ("%-5s %s%s\n"):format(record.level, escape.text(record.message), table.concat(parts))
end

--- The log as text.
---@param level? "error"|"warn"|"info"|"debug" down to this one; what host.options says
---@return string
function looks:log_text(level)
  local most = RANK[level or self.host_options.log_level]
  local lines = {}
  for _, record in ipairs(self.log) do
    if RANK[record.level] <= most then
      lines[#lines + 1] = line_of(record)
    end
  end
  return table.concat(lines)
end

--- The first record whose message matches.
---@param pattern string
---@param level? "error"|"warn"|"info"|"debug"
---@return operator.testing.Record?
function looks:logged(pattern, level)
  for _, record in ipairs(self.log) do
    if (not level or record.level == level) and record.message:find(pattern) then
      return record
    end
  end
end

--- The errors in the log.
---@return operator.testing.Record[]
function looks:errors()
  local list = {}
  for _, record in ipairs(self.log) do
    if record.level == "error" then
      list[#list + 1] = record
    end
  end
  return list
end

return looks
