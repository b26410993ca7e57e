--- escape: foreign text made safe for a terminal, by the rules of the host's escape.c.

local escape = {}

local NAMED = { ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r" }

local function hex(text)
  return (text:gsub(".", function(c)
    return ("\\x%02x"):format(c:byte())
  end))
end

local function ascii(text, keep_newlines)
  return (text:gsub("[\0-\31\127]", function(c)
    if c == "\n" and keep_newlines then
      return nil
    end
    return NAMED[c] or hex(c)
  end))
end

--- Valid UTF-8 stays, except the C1 controls.
---@param text string
---@param keep_newlines? boolean
---@return string
function escape.text(text, keep_newlines)
  if not text:find "[\128-\255]" then
    return ascii(text, keep_newlines)
  end
  local out, at = {}, 1
  while at <= #text do
    local _, bad = utf8.len(text, at)
    local valid = text:sub(at, bad and bad - 1 or #text)
    out[#out + 1] = ascii(valid, keep_newlines):gsub("\xc2[\x80-\x9f]", hex)
    if not bad then
      break
    end
    out[#out + 1] = hex(text:sub(bad, bad))
    at = bad + 1
  end
  return table.concat(out)
end

return escape
