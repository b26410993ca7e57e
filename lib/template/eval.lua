--- Walks the tree of a template: with values (run), or without (outline).

local functions = require "template.functions"

local eval = {}

--- A range over a number may count this far.
local MAX_COUNT = 100000

local function fail(line, message, ...)
  error({ line = line, message = message:format(...) }, 0)
end

---@class template.Run
---@field slots any[] the variables; slot 1 is $
---@field functions table<string, function>
---@field on_text fun(text: string, line: integer)
---@field on_value fun(value: any, placeholder: template.Placeholder)

local evaluate

local function field(value, path, line)
  for i = 1, #path do
    if value == nil then
      return nil
    elseif type(value) ~= "table" then
      fail(line, "cannot read .%s of %s", path[i], functions.describe(value))
    end
    value = value[path[i]]
  end
  return value
end

--- and, or: the arguments after the one that decides are not evaluated.
local function short_circuit(run, expr, dot)
  local stop_at = expr.name == "or"
  if #expr.args == 0 then
    fail(expr.line, "%s: expected at least one argument", expr.name)
  end
  local value
  for _, arg in ipairs(expr.args) do
    value = evaluate(run, arg, dot)
    if functions.truth(value) == stop_at then
      break
    end
  end
  return value
end

local function call(run, expr, dot)
  if expr.name == "and" or expr.name == "or" then
    return short_circuit(run, expr, dot)
  end
  local count, args = #expr.args, {}
  for i, arg in ipairs(expr.args) do
    args[i] = evaluate(run, arg, dot)
  end
  local ok, value = pcall(run.functions[expr.name], table.unpack(args, 1, count))
  if not ok then
    local reason = type(value) == "table" and value.message or tostring(value)
    fail(expr.line, "%s: %s", expr.name, reason)
  end
  return value
end

---@param run template.Run
---@param expr template.Expr
function evaluate(run, expr, dot)
  local op = expr.op
  if op == "const" then
    return expr.value
  elseif op == "dot" then
    return dot
  elseif op == "slot" then
    return run.slots[expr.slot]
  elseif op == "field" then
    return field(evaluate(run, expr.base, dot), expr.path, expr.line)
  end
  return call(run, expr, dot)
end

--- What a range goes over: a list of { key, value }, in order.
local function pairs_of(value, line)
  local kind = type(value)
  local entries = {}
  if kind == "nil" then
    return entries
  elseif kind == "number" then
    if math.type(value) ~= "integer" or value > MAX_COUNT then
      fail(line, "range goes over a whole number up to %d, found %s", MAX_COUNT, value)
    end
    for i = 0, value - 1 do
      entries[i + 1] = { i, i }
    end
  elseif kind ~= "table" then
    fail(line, "range goes over a list or a map, found %s", functions.describe(value))
  elseif functions.is_list(value) then
    for i, element in ipairs(value) do
      entries[i] = { i - 1, element }
    end
  else
    for _, key in ipairs(functions.sorted_keys(value)) do
      entries[#entries + 1] = { key, value[key] }
    end
  end
  return entries
end

local walk

local function run_range(run, node, dot)
  local entries = pairs_of(evaluate(run, node.expr, dot), node.line)
  if #entries == 0 then
    return walk(run, node.otherwise or {}, dot)
  end
  for _, entry in ipairs(entries) do
    if node.key_slot then
      run.slots[node.key_slot] = entry[1]
    end
    if node.value_slot then
      run.slots[node.value_slot] = entry[2]
    end
    if walk(run, node.body, entry[2]) == "break" then
      break
    end
  end
end

local function run_block(run, node, dot)
  if node.kind == "range" then
    return run_range(run, node, dot)
  end
  local value = evaluate(run, node.expr, dot)
  if node.slot then
    run.slots[node.slot] = value
  end
  if functions.truth(value) then
    return walk(run, node.body, node.kind == "with" and value or dot)
  end
  return walk(run, node.otherwise or {}, dot)
end

local function run_output(run, node, dot)
  local value = evaluate(run, node.expr, dot)
  if value == nil then
    fail(node.line, '%s has no value; expected one, or: … | default "x"', node.placeholder.source)
  end
  run.on_value(value, node.placeholder)
end

--- Walks a list of nodes. Returns "break" or "continue" when one of these ended it.
function walk(run, nodes, dot)
  for _, node in ipairs(nodes) do
    local kind, signal = node.kind, nil
    if kind == "text" then
      run.on_text(node.text, node.line)
    elseif kind == "output" then
      run_output(run, node, dot)
    elseif kind == "set" then
      run.slots[node.slot] = evaluate(run, node.expr, dot)
    elseif kind == "break" or kind == "continue" then
      return kind
    else
      signal = run_block(run, node, dot)
    end
    if signal then
      return signal
    end
  end
end

--- Evaluates the placeholders of a tree without blocks, in order. Raises { line=, message= }.
---@param tree template.Tree
---@param values any
---@param known table<string, function>
---@param on_value fun(value: any, placeholder: template.Placeholder)
function eval.visit(tree, values, known, on_value)
  local run = { slots = { values }, functions = known, on_value = on_value }
  for i = 1, #tree.nodes do
    local node = tree.nodes[i]
    if node.kind == "output" then
      run_output(run, node, values)
    elseif node.kind == "set" then
      run.slots[node.slot] = evaluate(run, node.expr, values)
    end
  end
end

--- Renders: `on_text` and `on_value` get the pieces in order. Raises { line=, message= }.
---@param tree template.Tree
---@param values any
---@param known table<string, function>
---@param on_text fun(text: string, line: integer)
---@param on_value fun(value: any, placeholder: template.Placeholder)
function eval.run(tree, values, known, on_text, on_value)
  local run = { slots = { values }, functions = known, on_text = on_text, on_value = on_value }
  walk(run, tree.nodes, values)
end

--- The text with every block decided by `choose` instead of values: a range is its body once or its else.
---@param nodes template.Node[]
---@param choose fun(node: template.Node): boolean the body, or what stands after else
---@param on_text fun(text: string, line: integer)
---@param on_value fun(placeholder: template.Placeholder)
function eval.outline(nodes, choose, on_text, on_value)
  for _, node in ipairs(nodes) do
    if node.kind == "text" then
      on_text(node.text, node.line)
    elseif node.kind == "output" then
      on_value(node.placeholder)
    elseif node.body then
      eval.outline(choose(node) and node.body or node.otherwise or {}, choose, on_text, on_value)
    end
  end
end

return eval
