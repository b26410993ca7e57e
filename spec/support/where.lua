-- Generated objects and conditions that go together often enough, from a seed: texts of JSON with all the ways in
-- which one value can be written.
local json = require "host.json"

local generate = {}

local NAMES =
  { "Meta", "ID", "A", "TaskGroups", "auto-backup", "é", "", 'a"b', "Stop", "ModifyIndex" }
local TEXTS = {
  "true",
  "x",
  "auto-backup",
  "auto_backup",
  "",
  "é",
  "😀",
  "a/b",
  "a\nb",
  "\\",
  '"',
  "Nomad",
  "1",
}
local NUMBERS = {
  "0",
  "-0",
  "-0.0",
  "1",
  "1.0",
  "1e0",
  "10e-1",
  "1e3",
  "1000",
  "1.5",
  "-7",
  "9007199254740992",
  "9007199254740993",
  "9007199254740992.0",
  "9223372036854775807",
  "9223372036854775808",
  "-9223372036854775808",
  "-9223372036854775809",
  "1e308",
  "5e-324",
  "0.1",
  "123456789012345678901234567890",
}

local Generator = {}
Generator.__index = Generator

function generate.new(seed, filter)
  local self = setmetatable({ state = seed * 2654435761 + 1, filter = filter }, Generator)
  return self
end

-- 0 <= n < limit; xorshift, the same on every machine.
function Generator:below(limit)
  local x = self.state
  x = x ~ (x << 13)
  x = x ~ (x >> 7)
  x = x ~ (x << 17)
  self.state = x
  return (x >> 11) % limit
end

function Generator:one_of(list)
  return list[self:below(#list) + 1]
end

function Generator:chance(percent)
  return self:below(100) < percent
end

local SHORT = { ['"'] = '\\"', ["\\"] = "\\\\", ["/"] = "\\/", ["\n"] = "\\n" }

-- One character of a string, in one of the ways to write it.
function Generator:char(code)
  local char = utf8.char(code)
  if SHORT[char] and (char ~= "/" or self:chance(50)) and self:chance(70) then
    return SHORT[char]
  elseif code >= 0x10000 and self:chance(30) then
    local rest = code - 0x10000
    return ("\\ud%03x\\uD%03X"):format(0x800 + (rest >> 10), 0xC00 + (rest & 0x3FF))
  elseif
    code < 0x20
    or char == '"'
    or char == "\\"
    or (code < 0x10000 and self:chance(self.escapes))
  then
    return ("\\u%04x"):format(code)
  end
  return char
end

function Generator:string(text)
  local out = {}
  for _, code in utf8.codes(text) do
    out[#out + 1] = self:char(code)
  end
  if self:chance(1) then
    out[#out + 1] = self:one_of { "\\ud800", "\\udc00\\ud800", "\\ud800\\u0041", "\\\\u0061" }
  end
  return '"' .. table.concat(out) .. '"'
end

function Generator:space()
  return self.spaced and self:one_of { "", " ", "\t", "\n ", "" } or ""
end

function Generator:text()
  local text = self:one_of(TEXTS)
  return self:chance(15) and text .. self:one_of(TEXTS) or text
end

function Generator:value(depth)
  local kind = self:below(depth > 0 and 10 or 6)
  if kind <= 2 then
    return self:string(self:text())
  elseif kind == 3 then
    return self:one_of(NUMBERS)
  elseif kind <= 5 then
    return self:one_of { "true", "false", "null", '""', "{}", "[]" }
  elseif kind <= 7 then
    return self:object(depth - 1)
  end
  return self:list(depth - 1)
end

function Generator:list(depth)
  local out = {}
  for i = 1, self:below(4) do
    out[i] = self:space() .. self:value(depth) .. self:space()
  end
  return "[" .. table.concat(out, ",") .. "]"
end

function Generator:object(depth)
  local out = {}
  for i = 1, self:below(5) do
    out[i] = ("%s%s%s:%s%s%s"):format(
      self:space(),
      self:string(self:one_of(NAMES)),
      self:space(),
      self:space(),
      self:value(depth),
      self:space()
    )
  end
  return "{" .. table.concat(out, ",") .. "}"
end

-- A scalar that a policy may write.
function Generator:scalar()
  local kind = self:below(5)
  if kind <= 1 then
    return self:text()
  elseif kind == 2 then
    return self:chance(50)
  end
  return tonumber(self:one_of(NUMBERS))
end

function Generator:condition()
  local kind = self:below(3)
  if kind == 0 then
    return self.filter.present
  end
  local text = self:one_of(TEXTS)
  text = text == "" and "auto" or text
  return kind == 1 and self.filter.prefix(text) or self.filter.mentions(text)
end

-- watch.where, or a part of it.
function Generator:where(depth)
  local kind = self:below(depth > 0 and 10 or 5)
  if kind <= 2 then
    return self:scalar()
  elseif kind <= 4 then
    return self:condition()
  elseif kind == 5 then
    local any = {}
    for i = 1, self:below(3) + 1 do
      any[i] = self:where(depth - 1)
    end
    return any
  end
  local fields = {}
  for _ = 1, self:below(2) + 1 do
    fields[self:one_of(NAMES)] = self:where(depth - 1)
  end
  return fields
end

local function sorted_names(object)
  local names = {}
  for name in pairs(object) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

function Generator:fits_table(value, depth)
  if not json.is_array(value) then
    local name = self:one_of(sorted_names(value))
    return { [name] = self:fits(value[name], depth - 1) }
  end
  return self:fits(self:one_of(value), depth - 1)
end

-- Something that the decoded value fulfils, mostly.
function Generator:fits(value, depth)
  local kind = type(value)
  if kind == "table" and next(value) ~= nil and depth > 0 then
    return self:fits_table(value, depth)
  elseif kind == "string" and value ~= "" then
    local prefix = self.filter.prefix(value:sub(1, 2))
    return self:one_of { value, prefix, { "no", value }, self.filter.present }
  elseif kind == "number" or kind == "boolean" then
    return value
  end
  return self:where(math.max(depth, 0))
end

-- A condition that filter.new takes; half of them are made to fit.
function Generator:pattern(object)
  while true do
    local pattern = self:chance(50) and self:fits(object, 3) or self:where(3)
    if pcall(self.filter.new, pattern) then
      return pattern
    end
  end
end

-- Half have an exception, and a few of those nothing else.
function Generator:watch(object)
  local watch = { where = self:pattern(object) }
  if self:chance(50) then
    watch.except = self:pattern(object)
    watch.where = not self:chance(10) and watch.where or nil
  end
  return watch
end

--- An object, and conditions of several policies.
---@param count integer
---@return string text
---@return { where: any, except: any } ...
function Generator:case(count)
  self.escapes = self:one_of { 0, 0, 0, 2, 30 }
  self.spaced = self:chance(30)
  local text = self:object(3)
  local object = assert(json.decode(text))
  local watches = {}
  for i = 1, count do
    watches[i] = self:watch(object)
  end
  return text, table.unpack(watches)
end

--- Conditions of one policy, and an object.
---@return { where: any, except: any }
---@return string text
function Generator:pair()
  local text, watch = self:case(1)
  return watch, text
end

--- A condition as text, for a message.
function generate.show(where)
  if type(where) == "string" then
    return ("%q"):format(where)
  elseif type(where) ~= "table" then
    return tostring(where)
  elseif where.kind and getmetatable(where) then
    return ("operator.%s %q"):format(where.kind, where.text or "")
  end
  local parts = {}
  for name, want in pairs(where) do
    parts[#parts + 1] = ("[%s] = %s"):format(generate.show(name), generate.show(want))
  end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

--- Conditions as policies have them.
function generate.usual(filter)
  local m = filter.mentions
  return {
    { Meta = { ["auto-backup"] = "true" } },
    { m "auto-backup", m "auto_backup", m "autobackup" },
    { Meta = { ["operator-instance"] = "default" } },
    { Type = { "batch", "sysbatch" }, Stop = false },
    { TaskGroups = { Tasks = { Driver = "docker" } } },
    { TaskGroups = { Name = filter.prefix "w" }, Periodic = filter.present },
    { Priority = 50.0, Periodic = { Enabled = true } },
    { TaskGroups = { Count = 1, Services = false } },
  }
end

--- Watches as policies have them.
---@return { where: any, except: any }[]
function generate.watches(filter)
  local watches = {}
  for i, where in ipairs(generate.usual(filter)) do
    watches[i] = { where = where }
  end
  local marked, m = { Meta = { ["auto-backup"] = "true" } }, filter.mentions
  table.insert(watches, { where = { m "auto-backup", m "autobackup" }, except = marked })
  table.insert(watches, { where = marked, except = { m "backup-schedule", { Stop = true } } })
  table.insert(watches, { except = { { Type = "batch" }, { TaskGroups = { Count = 1 } } } })
  return watches
end

return generate
