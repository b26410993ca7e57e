--- Which values a placeholder may have, and how they are written into HCL and JSON text.
---
--- A value that holds {{, ${ or %{ would be evaluated by Nomad with the rights of the job, and a control character
--- could end a line of a script: so they are refused, unless the placeholder says `| raw`.

local functions = require "template.functions"
local json = require "host.json"

local values = {}

local function fail(placeholder, message, ...)
  error({ line = placeholder.line, message = message:format(...) }, 0)
end

--- How a placeholder is called in messages.
local function shown(placeholder)
  return ("[[ %s ]]"):format(placeholder.source)
end

local function harmful(text)
  return text:match("{{") or text:match("[$%%]{") or text:match("%c") and "a control character"
end

--- Where none of these and no control character is in a text, nothing can be found that would be evaluated.
values.EVALUATED = "{"

local function check_text(placeholder, text)
  local found = not placeholder.raw and harmful(text)
  if found then
    if found ~= "a control character" then
      found = ("%q"):format(found)
    end
    fail(
      placeholder,
      "the value of %s, %q, holds %s, which Nomad or a shell would evaluate; "
        .. "if that is meant, write %s",
      shown(placeholder),
      text:sub(1, 100),
      found,
      shown({ source = placeholder.source .. " | raw" })
    )
  end
end

local function check_table(placeholder, value)
  for key, element in pairs(value) do
    if type(key) == "string" then
      check_text(placeholder, key)
    end
    if type(element) == "table" then
      check_table(placeholder, element)
    elseif type(element) == "string" then
      check_text(placeholder, element)
    end
  end
end

--- Raises { line=, message= } for a value that may not be filled in.
---@param value any
---@param placeholder template.Placeholder
---@param tables_allowed boolean
function values.check(value, placeholder, tables_allowed)
  local kind = type(value)
  if kind == "string" then
    check_text(placeholder, value)
  elseif kind == "number" then
    if value ~= value or value == math.huge or value == -math.huge then
      fail(placeholder, "the value of %s is no finite number", shown(placeholder))
    end
  elseif kind == "table" and tables_allowed then
    check_table(placeholder, value)
  elseif kind ~= "boolean" then
    fail(
      placeholder,
      "the value of %s is %s, expected a string, a number or a boolean%s",
      shown(placeholder),
      functions.describe(value),
      kind == "table" and " (or | toJson)" or ""
    )
  end
end

--- Notices what only two neighbours make together: "{" before a value that begins with "{". Not even `raw` allows it,
--- because nobody wrote it.
---@param last string the last byte of what stands before
---@param text string
---@param placeholder template.Placeholder whose value touches
function values.check_seam(last, text, placeholder)
  if text:sub(1, 1) == "{" and last:find("[{$%%]") then
    fail(
      placeholder,
      "%s and its neighbour make %q together, which would be evaluated",
      shown(placeholder),
      last .. "{"
    )
  end
end

---------------------------------------------------------------------------------------------------
-- Writing into text.

--- Text for the inside of a quoted HCL string.
local function in_string(text)
  text = json.encode(text):sub(2, -2):gsub("\\/", "/")
  return (text:gsub("([$%%]){", "%1%1{"))
end

local function in_heredoc(text)
  return (text:gsub("([$%%]){", "%1%1{"))
end

local function is_name(text)
  return text:find("^[%a_][%w_-]*$") ~= nil
end

--- Outside strings: a literal, so that a value stays one value whatever it holds; or a name where one is expected.
local function bare(value, placeholder, scanner)
  if type(value) ~= "string" then
    return functions.text(value)
  elseif placeholder.raw then
    return value
  elseif not scanner:expects_value() and is_name(value) then
    return value
  end
  local literal = json.decode(value)
  if literal == nil or not scanner:expects_value() and type(literal) ~= "string" then
    fail(
      placeholder,
      "the value of %s, %q, stands outside a string, expected %s; put the "
        .. "placeholder in double quotes",
      shown(placeholder),
      value:sub(1, 100),
      scanner:expects_value() and "a number, true, false or JSON" or "a name"
    )
  end
  return value
end

--- The value of a placeholder that stands outside the strings of a JSON template: text is read as JSON.
---@param value any checked
---@param placeholder template.Placeholder
---@return any
function values.literal(value, placeholder)
  if type(value) ~= "string" then
    return value
  end
  local literal = json.decode(value)
  if literal == nil then
    fail(
      placeholder,
      "the value of %s, %q, stands outside a string, expected a number, true, "
        .. "false or JSON; put the placeholder in double quotes",
      shown(placeholder),
      value:sub(1, 100)
    )
  end
  return literal
end

--- The text for a value at the place where `scanner` is. The value has been checked.
---@param value any
---@param placeholder template.Placeholder
---@param scanner hcl.Scanner|jsontext.Scanner
---@return string
function values.written(value, placeholder, scanner)
  local context = scanner:context()
  if context == "comment" then
    return ""
  elseif context == "bare" or context == "interpolation" then
    return bare(value, placeholder, scanner)
  elseif scanner:after_backslash() then
    fail(placeholder, "%s stands right after a backslash", shown(placeholder))
  elseif context == "heredoc" then
    return in_heredoc(functions.text(value))
  end
  return in_string(functions.text(value))
end

--- The same for JSON.
---@param value any
---@param placeholder template.Placeholder
---@param scanner jsontext.Scanner
---@return string
function values.written_json(value, placeholder, scanner)
  if scanner:context() == "bare" then
    return bare(value, placeholder, scanner)
  elseif scanner:after_backslash() then
    fail(placeholder, "%s stands right after a backslash", shown(placeholder))
  end
  return json.encode(functions.text(value)):sub(2, -2)
end

values.shown = shown

return values
