--- Values as HCL2 writes them: strings, heredocs, numbers, lists and objects. What is written here evaluates to the
--- very value, whatever bytes a string holds.

local json = require "host.json"

local literal = {}

--- A list stands on one line while it is no longer than this.
local LINE = 60

--- Strings of one line break are written as heredocs when they are longer than this; those of more always.
local SHORT = 40

--- What a reference may not begin with: HCL would evaluate it, not hand it on.
local EVALUATED = {
  var = true,
  ["local"] = true,
  ["true"] = true,
  ["false"] = true,
  ["null"] = true,
  ["for"] = true,
  ["in"] = true,
  ["if"] = true,
  ["else"] = true,
  endif = true,
  endfor = true,
}

--- Names that an object expression would not take for a key.
local KEYWORDS = { ["for"] = true, ["true"] = true, ["false"] = true, null = true }

local ESCAPES = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ['"'] = '\\"', ["\\"] = "\\\\" }

---@param text string
---@return boolean
function literal.is_identifier(text)
  return text:find("^[%a_][%w_-]*$") ~= nil
end

--- Whether "${" at `at` begins a reference that Nomad's parser hands on as it stands: ${attr.kernel.name}. Behind it
--- may be no further brace: the parser would count it twice.
local function is_reference(text, at)
  if text:sub(at - 1, at - 1) == "$" then
    return false
  end
  local inside, after = text:match("^%${([%a_][%w_%.-]*)}()", at)
  if not inside or text:find("^ *}", after) or inside:find("%.%f[%z%.%d-]") then
    return false
  end
  return not EVALUATED[inside:match("^[^.]+")]
end

--- Doubles the $ and % of what would be evaluated.
local function without_templates(text)
  text = text:gsub("%%{", "%%%%{")
  return (
    text:gsub("()%${", function(at)
      return is_reference(text, at) and "${" or "$${"
    end)
  )
end

local function escaped(text)
  return (
    text:gsub('[%c"\\]', function(byte)
      return ESCAPES[byte] or ("\\u%04x"):format(byte:byte())
    end)
  )
end

--- A string in quotes.
---@param text string
---@return string
function literal.quoted(text)
  return '"' .. escaped(without_templates(text)) .. '"'
end

--- The label of a block, where nothing is evaluated, and ${ must be no reference.
---@param text string
---@return string
function literal.label(text)
  return '"' .. escaped((text:gsub("([$%%]){", "%1%1{"))) .. '"'
end

-- A word that is no line of the text.
local function delimiter(text)
  local word, number = "EOF", 1
  while ("\n" .. text .. "\n"):find("\n%s*" .. word .. "%s*\n") do
    number = number + 1
    word = "EOF" .. number
  end
  return word
end

local function wants_heredoc(text)
  local _, breaks = text:gsub("\n", "")
  return (breaks > 1 or breaks == 1 and #text > SHORT) and not text:find("[^\n\t%C]")
end

local function indent(depth)
  return ("  "):rep(depth)
end

-- A heredoc ends in a line break; chomp takes away the one that is not the text's own.
local function heredoc(text, depth)
  local word = delimiter(text)
  local body = without_templates(text)
  if text:sub(-1) == "\n" then
    return ("<<%s\n%s%s"):format(word, body, word), true
  end
  return ("chomp(<<%s\n%s\n%s\n%s)"):format(word, body, word, indent(depth))
end

--- A string, in quotes or as a heredoc.
---@param text string
---@param depth integer of the line on which it begins
---@return string
---@return boolean? open it ends in a heredoc's last line, where nothing more may stand
function literal.string(text, depth)
  if wants_heredoc(text) then
    return heredoc(text, depth)
  end
  return literal.quoted(text)
end

local function number(value)
  -- 4.1e17 would come back as the integer of just these digits, not as the float's.
  local integer = math.tointeger(value)
  if integer then
    return ("%d"):format(integer)
  end
  for digits = 15, 17 do
    local text = ("%." .. digits .. "g"):format(value)
    if tonumber(text) == value then
      return text
    end
  end
end

local function sorted_keys(value)
  local keys = {}
  for key in pairs(value) do
    keys[#keys + 1] = tostring(key)
  end
  table.sort(keys)
  return keys
end

literal.sorted_keys = sorted_keys

local function key_of(text)
  return literal.is_identifier(text) and not KEYWORDS[text] and text or literal.quoted(text)
end

-- Is it one line? A heredoc counts as such, as it does to nomad fmt.
local function is_line(pair)
  return pair ~= nil and (pair[2]:sub(1, 2) == "<<" or not pair[2]:find("\n"))
end

--- `name = value` lines; neighbours of one line each have their = below each other. A list of { name, text }.
---@param pairs_of string[][]
---@param depth integer
---@return string[] lines
function literal.aligned(pairs_of, depth)
  local lines, from = {}, 1
  while from <= #pairs_of do
    local to, width = from, #pairs_of[from][1]
    while is_line(pairs_of[to]) and is_line(pairs_of[to + 1]) do
      to = to + 1
      width = math.max(width, #pairs_of[to][1])
    end
    for at = from, to do
      local name, text = pairs_of[at][1], pairs_of[at][2]
      lines[at] = ("%s%s%s = %s"):format(indent(depth), name, (" "):rep(width - #name), text)
    end
    from = to + 1
  end
  return lines
end

local function list(value, depth)
  local parts, length, long = {}, 0, false
  for i = 1, #value do
    local text, open = literal.of(value[i], depth + 1)
    parts[i] = open and text .. "\n" .. indent(depth + 1) or text
    length = length + #text + 2
    long = long or text:find("\n") ~= nil
  end
  if not long and length <= LINE or #parts == 0 then
    return "[" .. table.concat(parts, ", ") .. "]"
  end
  for i, text in ipairs(parts) do
    parts[i] = ("%s%s,\n"):format(indent(depth + 1), text)
  end
  return ("[\n%s%s]"):format(table.concat(parts), indent(depth))
end

--- An object expression: { a = 1 }.
---@param value table
---@param depth integer
---@return string
function literal.object(value, depth)
  local rows = {}
  for i, key in ipairs(sorted_keys(value)) do
    rows[i] = { key_of(key), (literal.of(value[key], depth + 1)) }
  end
  if #rows == 0 then
    return "{}"
  end
  return ("{\n%s\n%s}"):format(table.concat(literal.aligned(rows, depth + 1), "\n"), indent(depth))
end

--- Any value of JSON's.
---@param value any
---@param depth integer
---@return string
---@return boolean? open
function literal.of(value, depth)
  local kind = type(value)
  if kind == "string" then
    return literal.string(value, depth)
  elseif kind == "number" then
    return number(value)
  elseif kind == "table" then
    return json.is_array(value) and list(value, depth) or literal.object(value, depth)
  elseif kind == "boolean" then
    return tostring(value)
  end
  return "null"
end

return literal
