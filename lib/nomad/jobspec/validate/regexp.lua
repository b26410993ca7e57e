--- Whether a regular expression is one that Nomad's engine (RE2's syntax, as Go has it) compiles. Nothing is matched.

local regexp = {}

--- The most that a repetition, or repetitions inside each other, may ask for.
local MOST_REPEATS = 1000
local DEEPEST = 1000

---@class jobspec.regexp.Reader
---@field text string
---@field at integer
---@field depth integer
---@field names table<string, boolean>

local CLASSES = {}
for name in
  ("alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit"):gmatch(
    "%a+"
  )
do
  CLASSES[name] = true
end

--- Escapes that stand for one sign, beside punctuation.
local SINGLE = "^[aftnrv]"
local SPECIAL = "^[dDsSwW]"

local function fail(text, ...)
  error({ why = text:format(...) }, 0)
end

local function peek(reader)
  return reader.text:sub(reader.at, reader.at)
end

local function take(reader, pattern)
  local first, last, capture = reader.text:find(pattern, reader.at)
  if first then
    reader.at = last + 1
    return capture or reader.text:sub(first, last)
  end
end

--- One sign of UTF-8.
local function rune(reader)
  local sign = take(reader, "^[^\x80-\xff]") or take(reader, "^[\xc2-\xf4][\x80-\xbf]+")
  if not sign then
    fail("invalid UTF-8")
  end
  return utf8.codepoint(sign, 1, 1, true)
end

--- Behind \x.
local function hexadecimal(reader)
  local digits = take(reader, "^(%x%x)") or take(reader, "^{(%x+)}")
  local code = digits and #digits < 9 and tonumber(digits, 16)
  if not code or code > 0x10ffff then
    fail("invalid escape sequence")
  end
  return code
end

--- Behind \p or \P: a name of one letter, or in braces.
local function property(reader)
  local name = take(reader, "^{%^?([%a_]+)}") or take(reader, "^%u")
  if not name or #name == 1 and not name:find("[CLMNPSZ]") or name:find("^%l") then
    fail("invalid character class range")
  end
end

--- Behind a backslash: the code of the sign, or nil for a class.
local function escape(reader)
  if take(reader, "^[pP]") then
    return property(reader)
  elseif take(reader, SPECIAL) then
    return nil
  elseif take(reader, "^x") then
    return hexadecimal(reader)
  end
  local octal = take(reader, "^0[0-7]?[0-7]?") or take(reader, "^[1-7][0-7][0-7]?")
  if octal then
    return tonumber(octal, 8)
  end
  local sign = take(reader, SINGLE) or take(reader, "^%p")
  if not sign then
    fail(
      peek(reader) == "" and "trailing backslash at end of expression" or "invalid escape sequence"
    )
  end
  return sign:byte()
end

--- A member of [ ]: its code, or nil for a class.
local function member(reader)
  local name = take(reader, "^%[:%^?(%a+):%]")
  if name then
    if not CLASSES[name] then
      fail("invalid character class range")
    end
    return nil
  elseif take(reader, "^\\") then
    return escape(reader)
  elseif peek(reader) == "" then
    fail("missing closing ]")
  end
  return rune(reader)
end

--- Behind [.
local function class(reader)
  take(reader, "^%^")
  local first = true
  while first or peek(reader) ~= "]" do
    if peek(reader) == "-" and not first and not reader.text:find("^%-%]", reader.at) then
      -- Go takes a bare - only at the ends.
      fail("invalid character class range")
    end
    first = false
    local from = member(reader)
    if from and reader.text:find("^%-[^%]]", reader.at) then
      reader.at = reader.at + 1
      local to = member(reader)
      if not to or to < from then
        fail("invalid character class range")
      end
    end
  end
  reader.at = reader.at + 1
end

local alternatives

--- Behind (: returns how often what is inside repeats at most.
local function group(reader)
  if take(reader, "^%?") then
    local name = take(reader, "^P?<([%w_]+)>")
    if name then
      if reader.names[name] then
        fail("duplicate capture group name")
      end
      reader.names[name] = true
    else
      local flags, stop = reader.text:match("^([imsU]*%-?[imsU]*)([:)])", reader.at)
      if not flags or flags:find("%-$") or flags == "" and stop == ")" then
        fail("invalid or unsupported Perl syntax")
      end
      reader.at = reader.at + #flags + 1
      if stop == ")" then
        return nil
      end
    end
  end
  reader.depth = reader.depth + 1
  if reader.depth > DEEPEST then
    fail("expression nests too deeply")
  end
  local repeats = alternatives(reader)
  reader.depth = reader.depth - 1
  if not take(reader, "^%)") then
    fail("missing closing )")
  end
  return repeats
end

--- What can be repeated: returns how often it repeats inside at most; nil: nothing to repeat.
local function atom(reader)
  if take(reader, "^%(") then
    return group(reader)
  elseif take(reader, "^%[") then
    class(reader)
  elseif take(reader, "^\\Q") then
    local _, last = reader.text:find("\\E", reader.at, true)
    reader.at = (last or #reader.text) + 1
  elseif take(reader, "^\\[AbBz]") then
    return 1
  elseif take(reader, "^\\") then
    escape(reader)
  else
    rune(reader)
  end
  return 1
end

--- {2,5}: its bounds; nil for a brace that is only a brace.
local function braces(reader, look)
  local from, comma, to = reader.text:match("^{(%d+)(,?)(%d*)}", reader.at)
  if not from or comma == "" and to ~= "" or from:find("^0%d") or to:find("^0%d") then
    return nil
  end
  local low, high = tonumber(from), tonumber(to)
  if low > MOST_REPEATS or high and (high > MOST_REPEATS or high < low) then
    fail("invalid repeat count")
  end
  if not look then
    take(reader, "^{[%d,]+}")
  end
  return math.max(low, high or low)
end

--- What stands behind an atom, or false.
local function operator(reader)
  if take(reader, "^[*+?]") then
    return 1
  end
  return braces(reader) or false
end

--- An atom with its repetitions. A group of flags alone is no atom: what repeats behind it is the piece before.
local function piece(reader, before)
  local repeats
  if reader.text:find("^[*+?]", reader.at) or braces(reader, true) then
    fail("missing argument to repetition operator")
  end
  repeats = atom(reader) or before
  local times = operator(reader)
  if not times then
    return repeats
  elseif not repeats then
    fail("missing argument to repetition operator")
  end
  take(reader, "^%?")
  if operator(reader) then
    fail("invalid nested repetition operator")
  end
  repeats = math.max(repeats, 1) * math.max(times, 1)
  if repeats > MOST_REPEATS then
    fail("invalid repeat count")
  end
  return repeats
end

function alternatives(reader)
  local most, before = 1, nil
  while reader.at <= #reader.text and peek(reader) ~= ")" do
    if take(reader, "^|") then
      before = nil
    else
      before = piece(reader, before)
      most = math.max(most, before or 1)
    end
  end
  return most
end

---@param value string
---@return boolean ok
---@return string? why
function regexp.check(value)
  local reader = { text = value, at = 1, depth = 0, names = {} }
  local ok, err = pcall(function()
    alternatives(reader)
    if reader.at <= #value then
      fail("unexpected )")
    end
  end)
  if ok then
    return true
  elseif type(err) == "table" then
    return false, err.why
  end
  return false, "it cannot be read"
end

return regexp
