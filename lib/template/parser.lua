--- Builds the tree of a template from its items: nested blocks, with every expression resolved to calls and slots.

local lexer = require "template.lexer"

local parser = {}

--- Blocks and parentheses may be nested this deep.
local MAX_DEPTH = 100

---@class template.Expr
---@field op "const"|"dot"|"field"|"slot"|"call"
---@field value? any of a const
---@field slot? integer of a variable
---@field base? template.Expr of a field
---@field path? string[] of a field
---@field name? string of a call
---@field args? template.Expr[] of a call
---@field line integer

---@class template.Placeholder
---@field index integer counts from 1, in the order of the text
---@field line integer
---@field source string ".JobID | upper", as it was written
---@field raw boolean the last thing it says is `raw`
---@field inside boolean it stands in an if, with or range

---@class template.Node
---@field kind "text"|"output"|"set"|"if"|"with"|"range"|"break"|"continue"
---@field line integer
---@field text? string
---@field expr? template.Expr of output, set, if, with, range
---@field placeholder? template.Placeholder of output
---@field slot? integer of set, and of a variable that if or with declare
---@field key_slot? integer of range
---@field value_slot? integer of range
---@field body? template.Node[]
---@field otherwise? template.Node[]

local BLOCKS = { ["if"] = true, with = true, range = true }
local NOT_HERE = { define = true, template = true, block = true }

---@class template.Parser
---@field items template.Item[]
---@field at integer
---@field functions table<string, function>
---@field placeholders template.Placeholder[]
---@field slots integer
---@field scopes table<string, integer>[]
---@field structured boolean
---@field depth integer
---@field loops integer
local Parser = {}
Parser.__index = Parser

local function fail(line, message, ...)
  error({ line = line, message = message:format(...) }, 0)
end

local function shown(token)
  return token.kind == "end" and "the end of the action" or ("%q"):format(token.text)
end

---------------------------------------------------------------------------------------------------
-- Expressions. `tokens` is consumed through `tokens.at`.

local function peek(tokens)
  return tokens[tokens.at]
end

local function take(tokens)
  local token = tokens[tokens.at]
  tokens.at = tokens.at + 1
  return token
end

local function is_punct(token, sign)
  return token.kind == "punct" and token.value == sign
end

function Parser:slot_of(token)
  for level = #self.scopes, 1, -1 do
    local slot = self.scopes[level][token.value]
    if slot then
      return slot
    end
  end
  fail(token.line, "the variable %s is not declared here, expected $%s := … before it",
    token.text, token.value)
end

function Parser:declare(token)
  self.slots = self.slots + 1
  self.scopes[#self.scopes][token.value] = self.slots
  return self.slots
end

--- The fields that follow directly: .A.B after a value.
local function read_path(tokens, base)
  local path
  while peek(tokens).kind == "field" and not peek(tokens).spaced do
    path = path or {}
    path[#path + 1] = take(tokens).value
  end
  return path and { op = "field", base = base, path = path, line = base.line } or base
end

--- One value: what may stand as an argument. nil when none begins here.
function Parser:operand(tokens)
  local token = peek(tokens)
  local kind, line = token.kind, token.line
  if kind == "string" or kind == "number" or kind == "bool" or kind == "nil" then
    take(tokens)
    return { op = "const", value = token.value, line = line }
  elseif kind == "dot" then
    take(tokens)
    return { op = "dot", line = line }
  elseif kind == "field" then
    -- The first field belongs to the dot, whatever stands before it.
    take(tokens)
    local first = { op = "field", base = { op = "dot", line = line }, path = { token.value },
      line = line }
    return read_path(tokens, first)
  elseif kind == "variable" then
    take(tokens)
    return read_path(tokens, { op = "slot", slot = self:slot_of(token), line = line })
  elseif is_punct(token, "(") then
    take(tokens)
    local inner = self:pipeline(tokens)
    if not is_punct(peek(tokens), ")") then
      fail(peek(tokens).line, "expected \")\" for the \"(\" of line %d, found %s", line,
        shown(peek(tokens)))
    end
    take(tokens)
    return read_path(tokens, inner)
  end
end

--- A function with its arguments, or one value.
function Parser:command(tokens, piped)
  local token = peek(tokens)
  if token.kind == "ident" then
    if not self.functions[token.value] then
      fail(token.line, "there is no function %q", token.value)
    end
    take(tokens)
    local call = { op = "call", name = token.value, args = {}, line = token.line }
    local operand = self:operand(tokens)
    while operand do
      call.args[#call.args + 1] = operand
      operand = self:operand(tokens)
    end
    if peek(tokens).kind == "ident" then
      fail(peek(tokens).line, "%q stands as an argument of %s, expected it in ( )",
        peek(tokens).text, call.name)
    end
    call.args[#call.args + 1] = piped
    return call
  end
  local operand = self:operand(tokens)
  if not operand then
    fail(token.line, "expected a value, found %s", shown(token))
  elseif piped then
    fail(token.line, "expected a function after \"|\", found %s", shown(token))
  end
  return operand
end

function Parser:pipeline(tokens)
  self.depth = self.depth + 1
  if self.depth > MAX_DEPTH then
    fail(peek(tokens).line, "nested deeper than %d", MAX_DEPTH)
  end
  local expr = self:command(tokens)
  while is_punct(peek(tokens), "|") do
    take(tokens)
    expr = self:command(tokens, expr)
  end
  self.depth = self.depth - 1
  return expr
end

local function expect_end(tokens)
  local token = peek(tokens)
  if token.kind ~= "end" then
    fail(token.line, "expected \"|\" or the end of the action, found %s", shown(token))
  end
end

--- `$x := pipeline` or a bare pipeline, to the end of the action.
---@return template.Expr expr, template.Token? variable, string? sign
function Parser:declaration(tokens)
  local variable, sign = tokens[tokens.at], tokens[tokens.at + 1]
  if variable.kind == "variable" and (is_punct(sign, ":=") or is_punct(sign, "=")) then
    if variable.value == "" then
      fail(variable.line, "$ is the root of the values, expected a name: $x := …")
    end
    tokens.at = tokens.at + 2
    local expr = self:pipeline(tokens)
    expect_end(tokens)
    return expr, variable, sign.value
  end
  local expr = self:pipeline(tokens)
  expect_end(tokens)
  return expr
end

---------------------------------------------------------------------------------------------------
-- Nodes.

function Parser:open_scope()
  self.scopes[#self.scopes + 1] = {}
end

function Parser:close_scope()
  self.scopes[#self.scopes] = nil
end

--- An action that is no block: a placeholder or an assignment.
function Parser:simple(item)
  local tokens = item.tokens
  local expr, variable, sign = self:declaration(tokens)
  if variable then
    local slot = sign == ":=" and self:declare(variable) or self:slot_of(variable)
    return { kind = "set", line = item.line, expr = expr, slot = slot }
  end
  local placeholder = {
    index = #self.placeholders + 1,
    line = tokens[1].line,
    source = item.text,
    raw = expr.op == "call" and expr.name == "raw",
    inside = #self.scopes > 1,
  }
  self.placeholders[placeholder.index] = placeholder
  return { kind = "output", line = placeholder.line, expr = expr, placeholder = placeholder }
end

--- `range $i, $v := .List`, `range $v := .List`, `range .List`: the part after the word.
function Parser:range_head(tokens, node)
  local first, comma, second, sign = table.unpack(tokens, tokens.at, tokens.at + 3)
  local key, value
  if first.kind == "variable" and is_punct(comma, ",") then
    if not second or second.kind ~= "variable" or not is_punct(sign, ":=") then
      fail(first.line, "expected: range $key, $value := …")
    end
    key, value, tokens.at = first, second, tokens.at + 4
  elseif first.kind == "variable" and is_punct(comma, ":=") then
    value, tokens.at = first, tokens.at + 2
  end
  node.expr = self:pipeline(tokens)
  expect_end(tokens)
  node.key_slot = key and self:declare(key)
  node.value_slot = value and self:declare(value)
end

--- What closes a list of nodes: the action whose first word is one of these.
local CLOSERS = { ["end"] = true, ["else"] = true }

local function first_word(item)
  local token = item.kind == "action" and item.tokens[1]
  return token and token.kind == "ident" and token.value or nil
end

--- `else`, `else if …` or `else with …` of `node`, whose action has been taken already.
function Parser:otherwise(node, item)
  local tokens = item.tokens
  local next_token = tokens[2]
  if next_token.kind == "end" then
    self:open_scope()
    node.otherwise = self:nodes(node)
    self:close_scope()
    local closer = self.items[self.at - 1]
    if first_word(closer) ~= "end" then
      fail(closer.line, "a second else, expected end for the %s of line %d", node.kind, node.line)
    end
  elseif next_token.kind == "ident" and next_token.value == node.kind and node.kind ~= "range" then
    tokens.at = 2
    -- The inner block takes the one `end` that closes both.
    node.otherwise = { self:block(item) }
  else
    fail(next_token.line, "expected the end of the action or %q after else, found %s",
      node.kind == "range" and "end" or node.kind, shown(next_token))
  end
end

--- if, with or range, up to and with its end. `item.tokens.at` is at the word.
function Parser:block(item)
  local tokens = item.tokens
  local node = { kind = take(tokens).value, line = item.line }
  self.structured = true
  self.depth = self.depth + 1
  if self.depth > MAX_DEPTH then
    fail(item.line, "nested deeper than %d", MAX_DEPTH)
  end
  self:open_scope()
  if peek(tokens).kind == "end" then
    fail(item.line, "%s without a value, expected: %s .Name", node.kind, node.kind)
  elseif node.kind == "range" then
    self:range_head(tokens, node)
    self.loops = self.loops + 1
  else
    local expr, variable, sign = self:declaration(tokens)
    if variable and sign == "=" then
      fail(variable.line, "expected := in %s, found =", node.kind)
    end
    node.expr, node.slot = expr, variable and self:declare(variable)
  end
  node.body = self:nodes(node)
  if node.kind == "range" then
    self.loops = self.loops - 1
  end
  local closer = self.items[self.at - 1]
  if first_word(closer) == "else" then
    self:otherwise(node, closer)
  end
  self:close_scope()
  self.depth = self.depth - 1
  return node
end

--- Nodes up to an `end` or `else`, which is consumed and then stands at self.at - 1; up to the end of the
--- text when no block is open.
function Parser:nodes(owner)
  local nodes = {}
  while true do
    local item = self.items[self.at]
    if not item then
      if owner then
        fail(owner.line, "the %s is not closed, expected 'end' before the end of the text",
          owner.kind)
      end
      return nodes
    end
    self.at = self.at + 1
    local word = first_word(item)
    if item.kind == "text" then
      nodes[#nodes + 1] = { kind = "text", line = item.line, text = item.text }
    elseif CLOSERS[word] then
      if not owner then
        fail(item.line, "%s without an if, with or range before it", word)
      elseif word == "end" then
        item.tokens.at = 2
        expect_end(item.tokens)
      end
      return nodes
    else
      nodes[#nodes + 1] = self:action(item, word)
    end
  end
end

function Parser:action(item, word)
  item.tokens.at = 1
  if item.tokens[1].kind == "end" then
    fail(item.line, "an empty action, expected a value such as .Name")
  elseif BLOCKS[word] then
    return self:block(item)
  elseif NOT_HERE[word] then
    fail(item.line, "%s is not supported: a template is one file", word)
  elseif word == "break" or word == "continue" then
    if self.loops == 0 then
      fail(item.line, "%s outside a range", word)
    end
    item.tokens.at = 2
    expect_end(item.tokens)
    return { kind = word, line = item.line }
  end
  return self:simple(item)
end

---@class template.Tree
---@field nodes template.Node[]
---@field placeholders template.Placeholder[]
---@field structured boolean there are if, with or range in it

--- Raises { line=, message= }.
---@param text string
---@param open string
---@param close string
---@param functions table<string, function>
---@return template.Tree
function parser.parse(text, open, close, functions)
  local self = setmetatable({
    items = lexer.items(text, open, close), at = 1, functions = functions,
    placeholders = {}, slots = 1, scopes = { { [""] = 1 } },
    structured = false, depth = 0, loops = 0,
  }, Parser)
  local nodes = self:nodes()
  return { nodes = nodes, placeholders = self.placeholders, structured = self.structured }
end

return parser
