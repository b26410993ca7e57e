--- A text made from a template, which knows from which of the template's lines each of its lines came.

local source = {}

---@class jobspec.Source
---@field scanner hcl.Scanner|jsontext.Scanner is fed what is added
---@field text string once `finish` was called
---@field private parts string[]
---@field private line integer of the text
---@field private lines table<integer, integer> line of the text → line of the template
local Source = {}
Source.__index = Source

---@param scanner hcl.Scanner|jsontext.Scanner
---@return jobspec.Source
function source.new(scanner)
  return setmetatable({ scanner = scanner, parts = {}, line = 1, lines = {} }, Source)
end

--- Plain text of the template, which begins at its line `line`.
---@param text string
---@param line integer
function Source:add(text, line)
  self.parts[#self.parts + 1] = text
  self.scanner:feed(text)
  self.lines[self.line] = self.lines[self.line] or line
  for _ in text:gmatch("\n") do
    self.line, line = self.line + 1, line + 1
    self.lines[self.line] = line
  end
end

--- What stands for a placeholder.
---@param text string
---@param placeholder template.Placeholder
function Source:add_value(text, placeholder)
  self.parts[#self.parts + 1] = text
  self.scanner:feed(text)
  self.lines[self.line] = self.lines[self.line] or placeholder.line
  for _ in text:gmatch("\n") do
    self.line = self.line + 1
    self.lines[self.line] = placeholder.line
  end
end

---@return jobspec.Source self
function Source:finish()
  self.text = table.concat(self.parts)
  return self
end

--- The template's line for a line of the text.
---@param line integer
---@return integer
function Source:line_of(line)
  return self.lines[line] or self.lines[self.line] or 1
end

return source
