--- Looks at JSON text while it is being written: is what comes next inside a string? The same interface as hcl.scanner.

local jsontext = {}

---@class jsontext.Scanner
---@field computes boolean never: JSON has no expressions
---@field private inside boolean
---@field private escaped boolean
local Scanner = {}
Scanner.__index = Scanner

---@return jsontext.Scanner
function jsontext.scanner()
  return setmetatable({ computes = false, inside = false, escaped = false }, Scanner)
end

---@return "string"|"bare"
function Scanner:context()
  return self.inside and "string" or "bare"
end

---@return boolean
function Scanner:after_backslash()
  return self.escaped
end

---@return boolean
function Scanner:expects_value()
  return not self.inside
end

---@param text string
function Scanner:feed(text)
  local at = 1
  while at <= #text do
    if self.escaped then
      self.escaped, at = false, at + 1
    else
      local stop = text:find(self.inside and '["\\]' or '"', at)
      if not stop then
        return
      elseif text:sub(stop, stop) == "\\" then
        self.escaped = true
      else
        self.inside = not self.inside
      end
      at = stop + 1
    end
  end
end

return jsontext
