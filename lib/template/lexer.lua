--- Cuts a template into plain text and actions, and each action into tokens.

local lexer = {}

---@class template.Token
---@field kind "string"|"number"|"bool"|"nil"|"ident"|"field"|"dot"|"variable"|"punct"|"end"
---@field value any the string, number or boolean; the name of a field, variable or word; the sign
---@field text string as it was written, for messages
---@field line integer
---@field spaced boolean white space stands before it

---@class template.Item
---@field kind "text"|"action"
---@field line integer where it begins
---@field text string the plain text, or the action's source without its delimiters
---@field tokens? template.Token[]

local KEYWORD_VALUES = { ["true"] = true, ["false"] = false }
local ESCAPES = {
  a = "\a", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", v = "\v",
  ["\\"] = "\\", ['"'] = '"', ["'"] = "'",
}
local ALLOWED_ESCAPES = [[\n \t \r \" \\ \xHH \uHHHH]]

local function fail(line, message, ...)
  error({ line = line, message = message:format(...) }, 0)
end

local function count_newlines(text)
  return select(2, text:gsub("\n", ""))
end

--- Reads the escape that begins after the backslash at `at - 1`.
---@return string replacement, integer after
local function read_escape(source, at, line)
  local letter = source:sub(at, at)
  if ESCAPES[letter] then
    return ESCAPES[letter], at + 1
  end
  local width = ({ x = 2, u = 4, U = 8 })[letter]
  local digits = width and source:match("^%x+", at + 1)
  if width and digits and #digits >= width then
    local code = tonumber(digits:sub(1, width), 16)
    if letter == "x" then
      return string.char(code), at + 1 + width
    elseif code <= 0x10FFFF then
      return utf8.char(code), at + 1 + width
    end
  end
  fail(line, "\\%s is no escape in a string; allowed are %s", letter, ALLOWED_ESCAPES)
end

--- A string in double quotes, from its opening quote on.
---@return string value, integer after
local function read_string(source, at, line)
  local parts, from = {}, at + 1
  while true do
    local stop = source:find('["\\\n]', from)
    local sign = stop and source:sub(stop, stop)
    if not stop or sign == "\n" then
      fail(line, "a string is not closed, expected '\"' before the end of the line")
    end
    parts[#parts + 1] = source:sub(from, stop - 1)
    if sign == '"' then
      return table.concat(parts), stop + 1
    end
    parts[#parts + 1], from = read_escape(source, stop + 1, line)
  end
end

local function read_number(source, at, line)
  local text = source:match("^[+-]?[%w_.]+", at)
  -- 1e-3: the sign belongs to the number.
  local exponent = not text:find("^[+-]?0[xX]") and source:match("^[+-]?[%d_.]+[eE][+-]%d+", at)
  text = exponent or text
  local value = tonumber((text:gsub("_", "")))
  if not value then
    fail(line, "%q is no number", text)
  end
  return value, at + #text
end

--- A string or a number at `at`; nil where neither begins.
local function read_literal(source, at, line)
  local sign = source:sub(at, at)
  if sign == '"' then
    return "string", read_string(source, at, line)
  elseif sign == "`" then
    local stop = source:find("`", at + 1, true)
    if not stop then
      fail(line, "a string is not closed, expected '`'")
    end
    return "string", source:sub(at + 1, stop - 1), stop + 1
  elseif source:find("^[+-]?%.?%d", at) then
    return "number", read_number(source, at, line)
  end
end

--- .Name, $name or a word at `at`; nil where none begins.
local function read_name(source, at)
  local name = source:match("^%.([%a_][%w_]*)", at)
  if name then
    return "field", name, at + 1 + #name
  end
  name = source:match("^%$([%w_]*)", at)
  if name then
    return "variable", name, at + 1 + #name
  end
  name = source:match("^[%a_][%w_]*", at)
  if name == "nil" then
    return "nil", nil, at + 3
  elseif name and KEYWORD_VALUES[name] ~= nil then
    return "bool", KEYWORD_VALUES[name], at + #name
  elseif name then
    return "ident", name, at + #name
  end
end

--- One token at `at`, which is no white space.
local function read_token(source, at, line)
  local kind, value, after = read_literal(source, at, line)
  if not kind then
    kind, value, after = read_name(source, at)
  end
  if kind then
    return kind, value, after
  end
  local punct = source:match("^:=", at) or source:match("^[|(),=.]", at)
  if punct then
    return punct == "." and "dot" or "punct", punct, at + #punct
  end
  local sign = source:sub(at, at)
  local hint = sign == "-" and '; a name with "-" is read with index: index .Meta "auto-backup"'
    or sign == "'" and "; strings stand in double quotes" or ""
  fail(line, "unexpected %q in an action%s", sign, hint)
end

--- Reads the tokens of the action that begins at `at` up to its closing delimiter.
---@return template.Token[] tokens, integer stop the last byte of the source
---@return integer after, boolean trim, integer line
local function read_action(text, at, line, close)
  local tokens, opened = {}, line
  while true do
    local blank = text:match("^%s*", at)
    local begin = at
    at, line = at + #blank, line + count_newlines(blank)
    if text:sub(at, at + #close - 1) == close then
      tokens[#tokens + 1] = { kind = "end", text = close, line = line, spaced = blank ~= "" }
      return tokens, begin - 1, at + #close, false, line
    elseif blank ~= "" and text:sub(at, at + #close) == "-" .. close then
      tokens[#tokens + 1] = { kind = "end", text = close, line = line, spaced = true }
      return tokens, begin - 1, at + #close + 1, true, line
    elseif at > #text then
      fail(opened, "an action is not closed, expected %q", close)
    end
    local kind, value, after = read_token(text, at, line)
    local source = text:sub(at, after - 1)
    tokens[#tokens + 1] =
      { kind = kind, value = value, text = source, line = line, spaced = blank ~= "" }
    at, line = after, line + count_newlines(source)
  end
end

--- Skips the comment that begins at `at`.
---@return integer after, boolean trim, integer line
local function read_comment(text, at, line, close)
  local stop = text:find("*/", at + 2, true)
  if not stop then
    fail(line, "a comment is not closed, expected %q", "*/" .. close)
  end
  local last = line + count_newlines(text:sub(at, stop))
  local blank = text:match("^%s*", stop + 2)
  local after = stop + 2 + #blank
  if blank == "" and text:sub(after, after + #close - 1) == close then
    return after + #close, false, last
  elseif blank ~= "" and text:sub(after, after + #close) == "-" .. close then
    return after + #close + 1, true, last + count_newlines(blank)
  end
  fail(last, "expected %q right after the comment's */", close)
end

--- Cuts `text` into items. Trim marks are carried out here: the texts come out trimmed.
---@param text string
---@param open string
---@param close string
---@return template.Item[]
function lexer.items(text, open, close)
  local items, at, line, trim = {}, 1, 1, false
  while true do
    local stop = text:find(open, at, true)
    local plain = text:sub(at, (stop or #text + 1) - 1)
    local first = line
    line = line + count_newlines(plain)
    if trim then
      local blank = plain:match("^%s*")
      plain, first = plain:sub(#blank + 1), first + count_newlines(blank)
    end
    local inside = stop and stop + #open
    if stop and text:find("^%-%s", inside) then
      plain, inside = plain:gsub("%s+$", ""), inside + 1
    end
    if plain ~= "" then
      items[#items + 1] = { kind = "text", text = plain, line = first }
    end
    if not stop then
      return items
    end
    local comment = text:match("^%s*()/%*", inside)
    if comment then
      line = line + count_newlines(text:sub(inside, comment - 1))
      at, trim, line = read_comment(text, comment, line, close)
    else
      local begin = text:find("%S", inside) or inside
      local item = { kind = "action", line = line }
      local last
      item.tokens, last, at, trim, line = read_action(text, inside, line, close)
      item.text = text:sub(begin, last)
      items[#items + 1] = item
    end
  end
end

return lexer
