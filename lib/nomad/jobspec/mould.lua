--- A parsed job with gaps: tokens stand in it where a template's placeholders were, and values are filled in there. A
--- value goes into a string or a key that exists already, so it can never change the structure of the job.

local functions = require "template.functions"
local json = require "host.json"

local mould = {}

--- A token is an identifier, so that HCL takes it as a label and as a key too. None begins another.
---@param prefix string
---@param index integer of the placeholder
---@return string
function mould.token(prefix, index)
  return ("%s%04dx"):format(prefix, index)
end

--- A prefix that the text does not hold.
---@param text string
---@return string
function mould.prefix(text)
  local prefix = "nop"
  while text:find(prefix .. "%d") do
    prefix = prefix .. "p"
  end
  return prefix
end

---@class mould.Node
---@field static? any a value in which there is no token
---@field parts? (string|integer)[] a string: texts, and numbers of placeholders
---@field whole? integer a placeholder that is the whole value
---@field items? any[] an array
---@field fields? table<string, any> an object
---@field gaps? { key: (string|integer)[], value: any }[] fields whose keys have tokens

---@class mould.Maker
---@field prefix string
---@field typed table<integer, boolean> placeholders that keep the type of their value
---@field found table<integer, boolean>
---@field referenced table<integer, boolean> placeholders that came out as "${token}"

--- "a" .. token 1 .. "b" → { "a", 1, "b" }; nil when there is no token.
local function split(maker, text)
  if not text:find(maker.prefix, 1, true) then
    return nil
  end
  local parts, from = {}, 1
  for first, index, after in text:gmatch("()" .. maker.prefix .. "(%d%d%d%d)x()") do
    parts[#parts + 1] = first > from and text:sub(from, first - 1) or nil
    index = tonumber(index)
    parts[#parts + 1] = index
    maker.found[index] = true
    if text:sub(first - 2, first - 1) == "${" and text:sub(after, after) == "}" then
      maker.referenced[index] = true
    end
    from = after
  end
  parts[#parts + 1] = from <= #text and text:sub(from) or nil
  return parts
end

local function is_static(node)
  return type(node) ~= "table" or node.static ~= nil
end

local make

-- The elements of an array, and whether there is a token in any.
local function make_items(maker, list)
  local items, touched = {}, false
  for i, element in ipairs(list) do
    items[i] = make(maker, element)
    touched = touched or not is_static(items[i])
  end
  return { items = items }, touched
end

local function make_fields(maker, object)
  local fields, gaps, touched = {}, {}, false
  for key, element in pairs(object) do
    local parts, node = split(maker, key), make(maker, element)
    touched = touched or parts ~= nil or not is_static(node)
    if parts then
      gaps[#gaps + 1] = { key = parts, value = node }
    else
      fields[key] = node
    end
  end
  return { fields = fields, gaps = gaps }, touched
end

function make(maker, value)
  if type(value) == "string" then
    local parts = split(maker, value)
    if parts and #parts == 1 and maker.typed[parts[1]] then
      return { whole = parts[1] }
    end
    return parts and { parts = parts } or value
  elseif type(value) ~= "table" then
    return value
  end
  local node, touched = (json.is_array(value) and make_items or make_fields)(maker, value)
  return touched and node or { static = value }
end

---@class mould.Mould
---@field found table<integer, boolean> placeholders whose token came out of the parser
---@field referenced table<integer, boolean> placeholders that HCL took for the name of a variable
---@field private root any
local Mould = {}
Mould.__index = Mould

---@param job table parsed
---@param prefix string of the tokens
---@param typed? table<integer, boolean>
---@return mould.Mould
function mould.new(job, prefix, typed)
  local maker = { prefix = prefix, typed = typed or {}, found = {}, referenced = {} }
  local root = make(maker, job)
  return setmetatable({ root = root, found = maker.found, referenced = maker.referenced }, Mould)
end

--- A copy that shares nothing.
---@generic T
---@param value T
---@return T
function mould.copy(value)
  if type(value) ~= "table" then
    return value
  end
  local copy = {}
  for key, element in pairs(value) do
    copy[key] = mould.copy(element)
  end
  return json.is_array(value) and json.array(copy) or copy
end

local function joined(parts, fills)
  if #parts == 1 and type(fills[parts[1]]) == "string" then
    return fills[parts[1]]
  end
  local texts = {}
  for i, part in ipairs(parts) do
    texts[i] = type(part) == "string" and part or functions.text(fills[part])
  end
  return table.concat(texts)
end

local function build(node, fills, shared)
  if type(node) ~= "table" then
    return node
  elseif node.static ~= nil then
    return shared and node.static or mould.copy(node.static)
  elseif node.parts then
    return joined(node.parts, fills)
  elseif node.whole then
    return mould.copy(fills[node.whole])
  elseif node.items then
    local items = {}
    for i, item in ipairs(node.items) do
      items[i] = build(item, fills, shared)
    end
    return json.array(items)
  end
  local object = {}
  for key, field in pairs(node.fields) do
    object[key] = build(field, fills, shared)
  end
  for _, gap in ipairs(node.gaps) do
    local key = joined(gap.key, fills)
    if object[key] ~= nil then
      error({ message = ("two placeholders make the same key %q"):format(key) }, 0)
    end
    object[key] = build(gap.value, fills, shared)
  end
  return object
end

--- A new job. Raises { message= } when two keys become equal.
---@param fills any[] the values of the placeholders
---@param shared? boolean what no value touches is the mould's own, not to be changed
---@return table
function Mould:fill(fills, shared)
  return build(self.root, fills, shared)
end

--- What stands at a node.
---@param node any of `fields`
---@param fills any[] the values of the placeholders
---@return any shared with the mould as far as no value touches it
function mould.value(node, fills)
  return build(node, fills, true)
end

--- The placeholder that is all of the string at the node.
---@param node any
---@return integer? nil: there is something else
function mould.only_placeholder(node)
  local parts = type(node) == "table" and node.parts
  return parts and #parts == 1 and parts[1] or nil
end

--- Is an object or an array at the node, whatever the values are?
---@param node any
---@return boolean
function mould.is_block(node)
  return type(node) == "table"
    and (node.fields ~= nil or node.items ~= nil or type(node.static) == "table")
end

--- The nodes of the job's own fields; nil where a placeholder stands in the name of one.
---@return table<string, any>?
function Mould:fields()
  local root = self.root
  if root.static then
    local fields = {}
    for name, value in pairs(root.static) do
      fields[name] = { static = value }
    end
    return fields
  end
  return root.fields and #root.gaps == 0 and root.fields or nil
end

return mould
