--- The functions that a template may call. Arguments stand as in Go's text/template and in sprig: what a pipe
--- brings comes last, so `replace "-" "_" .Name` and `.Name | replace "-" "_"` are the same.

local json = require "host.json"

local functions = {}

--- Text that a function makes may be this long.
local MAX_TEXT = 4 * 1024 * 1024

local function fail(message, ...)
  error({ message = message:format(...) }, 0)
end

---------------------------------------------------------------------------------------------------
-- Values.

---@param value any
---@return string description for an error
function functions.describe(value)
  local kind = type(value)
  if kind == "nil" then
    return "no value"
  elseif kind == "table" then
    return functions.is_list(value) and "a list" or "a map"
  elseif kind == "string" then
    local short = #value > 40 and value:sub(1, 40) .. "…" or value
    return ("the string %q"):format(short)
  end
  return ("the %s %s"):format(kind, tostring(value))
end

---@param value any
---@return boolean
function functions.is_list(value)
  return type(value) == "table" and json.is_array(value)
end

---@param map table
---@return any[]
function functions.sorted_keys(map)
  local keys = {}
  for key in pairs(map) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    return tostring(a) < tostring(b)
  end)
  return keys
end

--- What `if` asks: false for no value, false, 0, "" and anything empty.
---@param value any
---@return boolean
function functions.truth(value)
  return not (value == nil or value == false or value == 0 or value == ""
    or value == json.null or type(value) == "table" and next(value) == nil)
end

--- A value as the rendered text shows it.
---@param value any
---@return string
function functions.text(value)
  if math.type(value) == "float" then
    if value == math.floor(value) and math.abs(value) < 1e15 then
      return ("%d"):format(value)
    end
    return ("%.14g"):format(value)
  elseif type(value) == "table" then
    return json.encode(value, { sorted = true })
  end
  return tostring(value)
end

---------------------------------------------------------------------------------------------------
-- Checks of arguments.

local function a_string(value)
  if type(value) == "number" or type(value) == "boolean" then
    return functions.text(value)
  elseif type(value) ~= "string" then
    fail("expected a string, found %s", functions.describe(value))
  end
  return value
end

local function a_number(value)
  local number = type(value) == "string" and tonumber(value) or value
  if type(number) ~= "number" then
    fail("expected a number, found %s", functions.describe(value))
  end
  return number
end

local function a_list(value)
  if not functions.is_list(value) and not (type(value) == "table" and next(value) == nil) then
    fail("expected a list, found %s", functions.describe(value))
  end
  return value
end

local function bounded(size)
  if size > MAX_TEXT then
    fail("the text would be longer than %d bytes", MAX_TEXT)
  end
end

---------------------------------------------------------------------------------------------------
-- Comparisons.

local known = {}

function known.eq(first, ...)
  if select("#", ...) == 0 then
    fail("expected two values")
  end
  for i = 1, select("#", ...) do
    if first == (select(i, ...)) then
      return true
    end
  end
  return false
end

function known.ne(a, b)
  return a ~= b
end

local function ordered(a, b)
  if type(a) ~= type(b) or type(a) ~= "number" and type(a) ~= "string" then
    fail("expected two numbers or two strings, found %s and %s", functions.describe(a),
      functions.describe(b))
  end
end

function known.lt(a, b)
  ordered(a, b)
  return a < b
end

function known.le(a, b)
  ordered(a, b)
  return a <= b
end

function known.gt(a, b)
  ordered(a, b)
  return a > b
end

function known.ge(a, b)
  ordered(a, b)
  return a >= b
end

known["not"] = function(value)
  return not functions.truth(value)
end

-- The walk evaluates these two itself, because they stop early; here they have their names.
known["and"] = function() end
known["or"] = known["and"]

---------------------------------------------------------------------------------------------------
-- Lists and maps.

function known.len(value)
  if type(value) == "string" then
    return #value
  elseif functions.is_list(value) then
    return #value
  elseif type(value) == "table" then
    return #functions.sorted_keys(value)
  end
  fail("expected a string, a list or a map, found %s", functions.describe(value))
end

function known.index(value, ...)
  for i = 1, select("#", ...) do
    local key = select(i, ...)
    if type(value) ~= "table" then
      fail("cannot look up %s in %s", functions.describe(key), functions.describe(value))
    elseif functions.is_list(value) then
      local at = a_number(key)
      if value[at + 1] == nil then
        fail("there is no element %s in a list of %d; the first is 0", functions.text(at), #value)
      end
      value = value[at + 1]
    else
      value = value[key]
    end
  end
  return value
end

function known.list(...)
  return json.array({ ... })
end

function known.dict(...)
  local map = {}
  for i = 1, select("#", ...), 2 do
    map[a_string((select(i, ...)))] = select(i + 1, ...)
  end
  return map
end

function known.keys(map)
  if type(map) ~= "table" then
    fail("expected a map, found %s", functions.describe(map))
  end
  return json.array(functions.sorted_keys(map))
end

function known.first(list)
  return a_list(list)[1]
end

function known.last(list)
  return a_list(list)[#list]
end

function known.join(separator, list)
  local parts, size = {}, 0
  for i, element in ipairs(a_list(list)) do
    parts[i] = functions.text(element)
    size = size + #parts[i] + #a_string(separator)
  end
  bounded(size)
  return table.concat(parts, a_string(separator))
end

function known.split(separator, text)
  separator, text = a_string(separator), a_string(text)
  local parts, from = json.array({}), 1
  if separator == "" then
    fail("expected a separator, found an empty string")
  end
  while true do
    local first, last = text:find(separator, from, true)
    parts[#parts + 1] = text:sub(from, (first or #text + 1) - 1)
    if not first then
      return parts
    end
    from = last + 1
  end
end
known.splitList = known.split

---------------------------------------------------------------------------------------------------
-- Text.

function known.lower(text)
  return a_string(text):lower()
end

function known.upper(text)
  return a_string(text):upper()
end

function known.title(text)
  return (a_string(text):gsub("(%a)([%w_']*)", function(first, rest)
    return first:upper() .. rest
  end))
end

function known.trim(text)
  return a_string(text):match("^%s*(.-)%s*$")
end

function known.trimPrefix(prefix, text)
  prefix, text = a_string(prefix), a_string(text)
  return text:sub(1, #prefix) == prefix and text:sub(#prefix + 1) or text
end

function known.trimSuffix(suffix, text)
  suffix, text = a_string(suffix), a_string(text)
  if suffix ~= "" and text:sub(-#suffix) == suffix then
    return text:sub(1, -#suffix - 1)
  end
  return text
end

function known.hasPrefix(prefix, text)
  return a_string(text):sub(1, #a_string(prefix)) == a_string(prefix)
end

function known.hasSuffix(suffix, text)
  suffix = a_string(suffix)
  return suffix == "" or a_string(text):sub(-#suffix) == suffix
end

--- A part of a text, or an element of a list.
function known.contains(part, whole)
  if functions.is_list(whole) then
    for _, element in ipairs(whole) do
      if element == part then
        return true
      end
    end
    return false
  end
  return a_string(whole):find(a_string(part), 1, true) ~= nil
end

function known.replace(old, new, text)
  old, new, text = a_string(old), a_string(new), a_string(text)
  if old == "" then
    return text
  end
  return table.concat(known.split(old, text), new)
end

function known.indent(spaces, text)
  local pad = a_number(spaces)
  bounded(pad * (select(2, a_string(text):gsub("\n", "")) + 1))
  pad = (" "):rep(math.tointeger(pad) or 0)
  return pad .. a_string(text):gsub("\n", "\n" .. pad)
end

function known.nindent(spaces, text)
  return "\n" .. known.indent(spaces, text)
end

function known.quote(value)
  return json.encode(type(value) == "table" and functions.text(value) or a_string(value))
end

function known.squote(value)
  return "'" .. functions.text(value) .. "'"
end

function known.toString(value)
  return functions.text(value)
end

function known.toJson(value)
  if value == nil then
    return "null"
  end
  return json.encode(value, { sorted = true })
end

function known.print(...)
  local parts = {}
  for i = 1, select("#", ...) do
    parts[i] = functions.text((select(i, ...)))
  end
  return table.concat(parts)
end

local VERBS = {
  s = function(flags, value)
    return ("%" .. flags .. "s"):format(functions.text(value))
  end,
  d = function(flags, value)
    return ("%" .. flags .. "d"):format(a_number(value))
  end,
  f = function(flags, value)
    return ("%" .. flags .. "f"):format(a_number(value))
  end,
  x = function(flags, value)
    return ("%" .. flags .. "x"):format(a_number(value))
  end,
  q = function(_, value)
    return known.quote(value)
  end,
}
VERBS.v, VERBS.t = VERBS.s, VERBS.s

--- %s %v %t %d %f %x %q with a width, as Go's.
function known.printf(layout, ...)
  local args, used = table.pack(...), 0
  return (a_string(layout):gsub("%%([-+ 0#]*%d*%.?%d*)(.?)", function(flags, verb)
    if verb == "%" then
      return "%"
    elseif not VERBS[verb] then
      fail("%%%s is not known; there are %%s %%v %%t %%d %%f %%x %%q", verb)
    elseif used == args.n then
      fail("%q wants more values than the %d given", layout, args.n)
    end
    used = used + 1
    return VERBS[verb](flags, args[used])
  end))
end

---------------------------------------------------------------------------------------------------
-- Choices and numbers.

function known.default(fallback, value)
  return functions.truth(value) and value or fallback
end

function known.coalesce(...)
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    if functions.truth(value) then
      return value
    end
  end
end

function known.ternary(yes, no, condition)
  if functions.truth(condition) then
    return yes
  end
  return no
end

function known.empty(value)
  return not functions.truth(value)
end

function known.required(message, value)
  if value == nil or value == "" then
    fail("%s", a_string(message))
  end
  return value
end

function known.int(value)
  local number = a_number(value)
  return math.tointeger(number >= 0 and math.floor(number) or math.ceil(number))
    or fail("%s is too large", functions.text(number))
end
known.atoi = known.int

function known.add(...)
  local sum = 0
  for i = 1, select("#", ...) do
    sum = sum + a_number((select(i, ...)))
  end
  return sum
end

function known.sub(a, b)
  return a_number(a) - a_number(b)
end

function known.mul(...)
  local product = 1
  for i = 1, select("#", ...) do
    product = product * a_number((select(i, ...)))
  end
  return product
end

--- Whole numbers divide to whole numbers, towards zero, as Go's.
function known.div(a, b)
  a, b = a_number(a), a_number(b)
  if b == 0 then
    fail("division by zero")
  end
  local quotient = a / b
  return math.tointeger(quotient >= 0 and quotient // 1 or -(-quotient // 1)) or quotient
end

function known.mod(a, b)
  if a_number(b) == 0 then
    fail("division by zero")
  end
  return math.fmod(a_number(a), a_number(b))
end

function known.max(...)
  return math.max(...)
end

function known.min(...)
  return math.min(...)
end

--- As it is. What renders the template reads it as: this value is meant, whatever it holds.
function known.raw(value)
  return value
end

functions.known = known

return functions
