--- difftext: the changes of a diff for a person: one line for a transcript, or many with + - ~ for a terminal. Values
--- that may be secrets are not shown, long ones are cut.

local json = require "host.json"
local duration = require "nomad.jobspec.duration"
local identity = require "nomad.jobspec.identity"

local difftext = {}

--- A line names this many changes, and a value has this many bytes.
local MAX_CHANGES = 3
local MAX_VALUE = 40

--- Short names for what people change most.
local LABELS = { ["Periodic.Spec"] = "cron", ["Periodic.TimeZone"] = "time zone" }

--- Fields that are lengths of time.
local DURATION = {}
for name in
  ([[
  Delay Grace HealthTimeout HealthyDeadline Interval KillTimeout LostAfter MaxClientDisconnect
  MaxDelay Max Min MaxRunDuration MinHealthyTime ProgressDeadline ShutdownDelay Splay Stagger
  StopAfterClientDisconnect StopOnClientAfter TTL Timeout ConnectTimeout
]]):gmatch "%S+"
do
  DURATION[name] = true
end

local function cut(text)
  if #text <= MAX_VALUE then
    return text
  end
  local stop = MAX_VALUE - 3
  while stop > 0 and (text:byte(stop + 1) & 0xC0) == 0x80 do -- not inside a letter of UTF-8
    stop = stop - 1
  end
  return text:sub(1, stop) .. "…"
end

local function shown(value, name)
  if value == nil then
    return "nothing"
  elseif type(value) == "table" then
    value = json.encode(value, { sorted = true })
  elseif DURATION[name] and math.type(value) == "integer" and value >= 1000000 then
    value = duration.text(value):gsub("m0s$", "m"):gsub("h0m$", "h")
  end
  return cut((tostring(value):gsub("%c", " ")))
end

-- group "db" → "group db", anything else as it stands.
local function step_text(step)
  local noun = step.key and identity.noun(step.name)
  if noun and math.type(step.key) ~= "integer" then
    return ("%s %s"):format(noun, cut(step.key)), true
  end
  return step.key and ("%s[%s]"):format(step.name, step.key) or step.name, false
end

-- "group db: task dump", "Resources.MemoryMB": where it is, and what.
local function place(change)
  local blocks, rest = {}, {}
  for _, step in ipairs(change.steps) do
    local text, is_block = step_text(step)
    if is_block and #rest == 0 then
      blocks[#blocks + 1] = text
    else
      rest[#rest + 1] = text
    end
  end
  return blocks, table.concat(rest, ".")
end

local function what(change, label)
  if change.kind ~= "changed" and (change.secret or type(change.new or change.old) == "table") then
    return ("%s %s"):format(label, change.kind)
  elseif change.secret then
    return label .. " changed"
  end
  local name = change.steps[#change.steps].name
  return ("%s %s → %s"):format(label, shown(change.old, name), shown(change.new, name))
end

-- The blocks that have to be said after those of the change before: what both are in is not repeated.
local function fresh(blocks, before)
  local common = 0
  while blocks[common + 1] and blocks[common + 1] == before[common + 1] do
    common = common + 1
  end
  if common < #blocks or #blocks == #before then
    return table.concat(blocks, ": ", common + 1)
  end
  return table.concat(blocks, ": ")
end

local function piece(change, before)
  local blocks, label = place(change)
  label = LABELS[label] or label
  if label == "" then
    label = table.remove(blocks)
  end
  local where = fresh(blocks, before)
  return (where ~= "" and (where .. ": ") or "") .. what(change, label), blocks
end

--- One line: "Priority 50 → 60, group db: task dump: Resources.MemoryMB 256 → 512, and 3 more".
---@param changes jobspec.Change[]
---@return string "" for none
function difftext.line(changes)
  local parts, before = {}, {}
  for i = 1, math.min(#changes, MAX_CHANGES) do
    parts[i], before = piece(changes[i], before)
  end
  if #changes > MAX_CHANGES then
    parts[#parts + 1] = ("and %d more"):format(#changes - MAX_CHANGES)
  end
  return table.concat(parts, ", ")
end

local SIGNS = { added = "+", removed = "-", changed = "~" }

local function detail(change)
  if change.secret then
    return " (not shown)"
  end
  local name = change.steps[#change.steps].name
  if change.kind == "changed" then
    return (": %s → %s"):format(shown(change.old, name), shown(change.new, name))
  end
  local value = change.kind == "added" and change.new or change.old
  return type(value) == "table" and "" or (": %s"):format(shown(value, name))
end

-- Headings of blocks that the line before had not, one a line.
local function add_headings(lines, blocks, before)
  local same = true
  for depth, text in ipairs(blocks) do
    same = same and before[depth] == text
    if not same then
      lines[#lines + 1] = ("%s~ %s"):format(("  "):rep(depth - 1), text)
    end
  end
end

--- Many lines, indented by block: "~ group db", "  ~ Count: 1 → 2", "  + task extra".
---@param changes jobspec.Change[]
---@return string[]
function difftext.lines(changes)
  local lines, before = {}, {}
  for _, change in ipairs(changes) do
    local blocks, label = place(change)
    if label == "" then
      label = table.remove(blocks)
    end
    add_headings(lines, blocks, before)
    before = blocks
    local indent = ("  "):rep(#blocks)
    lines[#lines + 1] = ("%s%s %s%s"):format(indent, SIGNS[change.kind], label, detail(change))
  end
  return lines
end

return difftext
