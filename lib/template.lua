--- A subset of Go's text/template, with the delimiters [[ ]] so that Nomad's own {{ }} is plain text.
---
---     local t = assert(template.compile("job [[ .ID ]]\n", "x.hcl"))
---     t:render { ID = "web" }                              --> "job web\n"
---
--- Fields (.A.B), variables ($x := …, $x = …), pipelines, if / else if / else, with, range (lists, numbers, and maps
--- in the order of their keys), break, continue, comments, trim marks, and the functions of template.functions.
--- A field that does not exist is no value: if and default take it, printing it is an error.

local eval = require "template.eval"
local functions = require "template.functions"
local parser = require "template.parser"

local template = {}

--- A rendered text may be this long.
local MAX_OUTPUT = 4 * 1024 * 1024

---@class template.Options
---@field open? string "[["
---@field close? string "]]"
---@field functions? table<string, function> more functions, or others for the known names

---@class template.RenderOptions
---@field escape? fun(value: any, placeholder: template.Placeholder): string the text for a placeholder's value
---@field text? fun(text: string, line: integer) sees each piece of plain text before the next value is escaped

---@class template.Template
---@field name string
---@field private tree template.Tree
---@field private functions table<string, function>
local Template = {}
Template.__index = Template
Template.__name = "template"

local function merged(more)
  if not more then
    return functions.known
  end
  return setmetatable(more, { __index = functions.known })
end

--- Errors inside are tables with a line; what a caller sees is "name:line: message".
local function located(name, err)
  if type(err) == "table" and err.line then
    return ("%s:%d: %s"):format(name, err.line, err.message)
  end
  return err
end

---@param text string
---@param name string for messages
---@param options? template.Options
---@return template.Template?
---@return string? error "name:line: …"
function template.compile(text, name, options)
  options = options or {}
  local known = merged(options.functions)
  local ok, tree = pcall(parser.parse, text, options.open or "[[", options.close or "]]", known)
  if not ok then
    return nil, located(name, tree)
  end
  return setmetatable({ name = name, tree = tree, functions = known }, Template)
end

--- Only placeholders (and assignments): each is rendered exactly once, in the order of the text.
---@return boolean
function Template:is_plain()
  return not self.tree.structured
end

-- Can a value make something with what stands before it that neither is by itself?
local function touches(node, last)
  if not last then
    return false
  elseif node.kind == "output" then
    return last.kind == "output" or last.text:find("[{$%%]$") ~= nil
  end
  return last.kind == "output" and node.text:find("^{") ~= nil
end

--- Does plain text stand between any two values, and none of it where it could make "{{", "${" or "%{" of a value that
--- does not hold these?
---@return boolean
function Template:is_apart()
  local last
  for _, node in ipairs(self.tree.nodes) do
    if node.kind == "output" or (node.kind == "text" and node.text ~= "") then
      if touches(node, last) then
        return false
      end
      last = node
    end
  end
  return self:is_plain()
end

--- Evaluates a plain template's placeholders without writing anything. Raises { line=, message= } for one without a
--- value, and what `on_value` raises.
---@param values any
---@param on_value fun(value: any, placeholder: template.Placeholder)
function Template:visit(values, on_value)
  eval.visit(self.tree, values, self.functions, on_value)
end

--- The fields of the values that a template names, in order, where it does nothing else: [[ .Name ]].
---@return string[]? nil: there is more to evaluate
function Template:fields()
  local fields = {}
  for _, node in ipairs(self.tree.nodes) do
    local expr = node.expr
    if
      node.kind == "output"
      and expr.op == "field"
      and expr.base.op == "dot"
      and #expr.path == 1
    then
      fields[#fields + 1] = expr.path[1]
    elseif node.kind ~= "text" then
      return nil
    end
  end
  return fields
end

---@return template.Placeholder[]
function Template:placeholders()
  return self.tree.placeholders
end

--- Raises "name:line: …", also for a placeholder without a value, and what `escape` raises.
---@param values any
---@param options? template.RenderOptions
---@return string
function Template:render(values, options)
  options = options or {}
  local escape, parts, size = options.escape or functions.text, {}, 0
  local function add(text, line)
    parts[#parts + 1], size = text, size + #text
    if size > MAX_OUTPUT then
      local message = ("the rendered text is longer than %d bytes"):format(MAX_OUTPUT)
      error({ line = line, message = message }, 0)
    end
  end
  local function on_text(text, line)
    add(text, line)
    if options.text then
      options.text(text, line)
    end
  end
  local function on_value(value, placeholder)
    add(escape(value, placeholder), placeholder.line)
  end
  local ok, err = pcall(eval.run, self.tree, values, self.functions, on_text, on_value)
  if not ok then
    error(located(self.name, err), 0)
  end
  return table.concat(parts)
end

--- The text without values: `sample` says what stands for a placeholder, `choose` whether an if, with or range shows
--- its body (a range once) or what stands after its else.
---@param sample fun(placeholder: template.Placeholder): string
---@param choose? fun(node: template.Node): boolean
---@param on_text? fun(text: string, line: integer) as in render
---@return string
function Template:outline(sample, choose, on_text)
  local parts = {}
  local function add_text(text, line)
    parts[#parts + 1] = text
    if on_text then
      on_text(text, line)
    end
  end
  local function add_value(placeholder)
    parts[#parts + 1] = sample(placeholder)
  end
  eval.outline(self.tree.nodes, choose or function()
    return true
  end, add_text, add_value)
  return table.concat(parts)
end

--- The blocks of the template, outer ones first.
---@return template.Node[]
function Template:blocks()
  local found = {}
  local function visit(nodes)
    for _, node in ipairs(nodes) do
      if node.body then
        found[#found + 1] = node
        visit(node.body)
        visit(node.otherwise or {})
      end
    end
  end
  visit(self.tree.nodes)
  return found
end

return template
