--- The body of an HCL block while it is being made: attributes first, then blocks, each behind an empty line.

local literal = require "nomad.jobspec.hclout.literal"

local body = {}

---@class hclout.Body
---@field depth integer of its lines
---@field private attributes string[][]
---@field private blocks { name: string, label?: string, body: hclout.Body }[]
local Body = {}
Body.__index = Body

---@param depth integer
---@return hclout.Body
function body.new(depth)
  return setmetatable({ depth = depth, attributes = {}, blocks = {} }, Body)
end

--- Adds `name = text`.
---@param name string
---@param text string an expression
function Body:attribute(name, text)
  self.attributes[#self.attributes + 1] = { name, text }
end

--- Adds a block, and returns its body, to be filled.
---@param name string
---@param label? string
---@return hclout.Body
function Body:block(name, label)
  local made = body.new(self.depth + 1)
  self.blocks[#self.blocks + 1] = { name = name, label = label, body = made }
  return made
end

local function is_empty(made)
  return #made.attributes == 0 and #made.blocks == 0
end

local function block_text(block, depth)
  local label = block.label and literal.label(block.label) .. " " or ""
  local indent = ("  "):rep(depth)
  if is_empty(block.body) then
    return ("%s%s %s{}"):format(indent, block.name, label)
  end
  return ("%s%s %s{\n%s\n%s}"):format(indent, block.name, label, block.body:text(), indent)
end

--- The lines, without a line break at the end.
---@return string
function Body:text()
  local parts = {}
  if #self.attributes > 0 then
    parts[1] = table.concat(literal.aligned(self.attributes, self.depth), "\n")
  end
  for _, block in ipairs(self.blocks) do
    parts[#parts + 1] = block_text(block, self.depth)
  end
  return table.concat(parts, "\n\n")
end

return body
