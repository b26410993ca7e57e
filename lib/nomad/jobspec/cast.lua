--- cast: the jobs of a mould as JSON text. What no placeholder touches is text already, so a job that nobody wants as a
--- table costs little more than the writing of its values. The text is what json.encode makes of the job, sorted.

local functions = require "template.functions"
local json = require "host.json"
local mould = require "nomad.jobspec.mould"

local cast = {}

--- Layouts that are remembered, one for each set of fields that renderings bring along.
local MAX_LAYOUTS = 16
local SORTED = { sorted = true }
--- Fields by which it is decided what becomes of a job.
local DECIDING = {
  ID = true,
  Name = true,
  Namespace = true,
  Region = true,
  Multiregion = true,
  Meta = true,
  Periodic = true,
  ParameterizedJob = true,
  TaskGroups = true,
}

-- Of a block in a job's head nothing counts but that it is there.
local BLOCK = { static = {} }

---@class cast.Layout of the jobs whose renderings bring the same fields along
---@field slots table<string, integer> where the values of these fields stand
---@field count integer of them
---@field namespace integer the slot of Namespace
---@field more integer the slot of what is added to Meta
---@field plain cast.Piece[] the job
---@field marked cast.Piece[] the job with more in its Meta

---@alias cast.Piece string|integer text; or a value in a string, or (negative) as a whole: see json.fill

---@class jobspec.Cast
---@field private fields table<string, cast.Piece[]> of the job
---@field private head table<string, any> nodes of the fields of a CastJob's head
---@field private alone table<string, integer> fields of it that are a placeholder and nothing else; 0: it is not so
---@field private mould mould.Mould
---@field private strings integer[] placeholders in strings
---@field private wholes integer[] placeholders that are whole values
---@field private last integer the highest of them
---@field private layouts cast.Layout[] newest last
local Cast = {}
Cast.__index = Cast

---@class jobspec.CastJob
---@field cast jobspec.Cast
---@field head table<string, any> ID, Name, Namespace, Region; Multiregion, Periodic, ParameterizedJob: {} for any block
---@field private layout cast.Layout
---@field private values table<integer, string> of placeholders and slots
local CastJob = {}
CastJob.__index = CastJob

local function quoted(text)
  return json.encode(text)
end

-- A string as it stands between quotes.
local function inside(text)
  return json.encode(text):sub(2, -2)
end

local add

-- Text that follows text is one piece.
local function put(pieces, piece)
  local last = pieces[#pieces]
  if type(piece) == "string" and type(last) == "string" then
    pieces[#pieces] = last .. piece
  else
    pieces[#pieces + 1] = piece
  end
end

local function add_string(pieces, parts)
  put(pieces, '"')
  for _, part in ipairs(parts) do
    put(pieces, type(part) == "string" and inside(part) or part)
  end
  put(pieces, '"')
end

local function add_items(pieces, items)
  put(pieces, "[")
  for i, item in ipairs(items) do
    put(pieces, i > 1 and "," or "")
    add(pieces, item)
  end
  put(pieces, "]")
end

local function add_fields(pieces, node)
  if #node.gaps > 0 then
    error({ uncast = true }, 0) -- keys that change change their order
  end
  put(pieces, "{")
  for i, name in ipairs(functions.sorted_keys(node.fields)) do
    put(pieces, (i > 1 and "," or "") .. quoted(name) .. ":")
    add(pieces, node.fields[name])
  end
  put(pieces, "}")
end

---@param pieces cast.Piece[]
---@param node any of a mould
function add(pieces, node)
  if type(node) ~= "table" then
    put(pieces, json.encode(node, SORTED))
  elseif node.static ~= nil then
    put(pieces, json.encode(node.static, SORTED))
  elseif node.parts then
    add_string(pieces, node.parts)
  elseif node.whole then
    put(pieces, -node.whole)
  elseif node.items then
    add_items(pieces, node.items)
  else
    add_fields(pieces, node)
  end
end

-- The text of each field, in pieces; nil where that cannot be.
local function write_fields(top)
  local fields = {}
  for name, node in pairs(top) do
    local pieces = {}
    local ok, err = pcall(add, pieces, node)
    if not ok and type(err) == "table" and err.uncast then
      return nil
    elseif not ok then
      error(err, 0)
    end
    fields[name] = pieces
  end
  -- Meta is added to.
  local meta = fields.Meta and fields.Meta[1]
  if meta and not (type(meta) == "string" and meta:find("^{")) then
    return nil
  end
  return fields
end

local function find_placeholders(self)
  local strings, wholes = {}, {}
  for _, pieces in pairs(self.fields) do
    for _, piece in ipairs(pieces) do
      if type(piece) == "number" then
        (piece > 0 and strings or wholes)[math.abs(piece)] = true
        self.last = math.max(self.last, math.abs(piece))
      end
    end
  end
  self.strings, self.wholes = functions.sorted_keys(strings), functions.sorted_keys(wholes)
end

---@param made mould.Mould
---@return jobspec.Cast? nil: its jobs are made as tables only
function cast.new(made)
  local top = made:fields()
  local fields = top and write_fields(top)
  if not fields then
    return nil
  end
  local self = setmetatable(
    { mould = made, fields = fields, head = {}, alone = {}, last = 0, layouts = {} },
    Cast
  )
  for name in pairs(DECIDING) do
    self.head[name] = mould.is_block(top[name]) and BLOCK or top[name]
  end
  for _, name in ipairs { "ID", "Name", "Namespace" } do
    self.alone[name] = mould.only_placeholder(top[name]) or 0
  end
  find_placeholders(self)
  return self
end

--- Which placeholders does it have?
---@return integer[] strings those that stand in strings
---@return integer[] wholes those that are values of any type
function Cast:placeholders()
  return self.strings, self.wholes
end

--- The names in the job's own meta.
---@return table<string, any>
function Cast:meta()
  local node = self.mould:fields().Meta
  return node and (node.static or node.fields) or {}
end

--- The job as a table.
---@param fills any[] the values of the placeholders
---@return table
function Cast:job(fills)
  return self.mould:fill(fills, true)
end

-- `more` is added to a Meta that is there, or is one.
local function with_meta(pieces, meta, more)
  put(pieces, ',"Meta":{')
  if meta then
    put(pieces, meta[1]:sub(2))
    for i = 2, #meta do
      put(pieces, meta[i])
    end
    pieces[#pieces] = pieces[#pieces]:sub(1, -2)
    if #meta > 1 or meta[1] ~= "{}" then
      put(pieces, ",")
    end
  end
  put(pieces, -more)
  put(pieces, "}")
end

-- The fields in order. The job has an ID, which comes before Meta.
local function join(self, names, layout, marked)
  local pieces, first = {}, true
  for _, name in ipairs(names) do
    local value = self.fields[name]
    if name == "Namespace" then
      value = { '"', layout.namespace, '"' }
    elseif layout.slots[name] then
      value = { -layout.slots[name] }
    end
    if name == "Meta" and marked then
      with_meta(pieces, value, layout.more)
    elseif value then
      put(pieces, (first and "{" or ",") .. quoted(name) .. ":")
      for _, piece in ipairs(value) do
        put(pieces, piece)
      end
    end
    first = false
  end
  put(pieces, "}")
  return pieces
end

local function lay_out(self, overrides)
  local names, slots, last = { Meta = true, Namespace = true }, {}, self.last
  for name in pairs(self.fields) do
    names[name] = true
  end
  for name in pairs(overrides) do
    last = last + 1
    names[name], slots[name] = true, last
  end
  names = functions.sorted_keys(names)
  local layout = { slots = slots, count = last - self.last, namespace = last + 1, more = last + 2 }
  layout.plain = join(self, names, layout, false)
  layout.marked = join(self, names, layout, true)
  return layout
end

-- The slots of the overrides, for which their values are set; nil where the layout is not of these fields.
local function put_overrides(layout, overrides, values)
  local count = 0
  for name, value in pairs(overrides) do
    local slot = layout.slots[name]
    if not slot then
      return false
    end
    values[slot], count = json.encode(value, SORTED), count + 1
  end
  return count == layout.count
end

local function decides(overrides)
  for name in pairs(overrides) do
    if DECIDING[name] then
      return true
    end
  end
  return false
end

-- nil: these fields cannot stand before the template's here.
local function layout_for(self, overrides, values)
  for i = #self.layouts, 1, -1 do
    if put_overrides(self.layouts[i], overrides, values) then
      return self.layouts[i]
    end
  end
  if decides(overrides) then
    return nil
  elseif #self.layouts >= MAX_LAYOUTS then
    table.remove(self.layouts, 1)
  end
  local layout = lay_out(self, overrides)
  self.layouts[#self.layouts + 1] = layout
  put_overrides(layout, overrides, values)
  return layout
end

local function texts_of(self, fills)
  local values = {}
  for _, index in ipairs(self.strings) do
    values[index] = functions.text(fills[index])
  end
  for _, index in ipairs(self.wholes) do
    values[index] = json.encode(fills[index], SORTED)
  end
  return values
end

local function head_of(self, fills, values)
  local value, nodes, alone = mould.value, self.head, self.alone
  return {
    ID = values[alone.ID] or value(nodes.ID, fills),
    Name = values[alone.Name] or nodes.Name and value(nodes.Name, fills),
    Namespace = values[alone.Namespace] or nodes.Namespace and value(nodes.Namespace, fills),
    Region = nodes.Region and value(nodes.Region, fills),
    Multiregion = nodes.Multiregion and value(nodes.Multiregion, fills),
    Periodic = nodes.Periodic and value(nodes.Periodic, fills),
    ParameterizedJob = nodes.ParameterizedJob and value(nodes.ParameterizedJob, fills),
  }
end

local NONE = {}

--- A job of these values, to be written.
---@param fills any[] the values of the placeholders; what follows them is the job's own
---@param overrides? table<string, any> fields of the job that stand before the template's
---@param texts? boolean true: the values are strings, and are used as they are
---@return jobspec.CastJob? nil: the overrides are such that it is made as a table
function Cast:fill(fills, overrides, texts)
  local values = texts and #self.wholes == 0 and fills or texts_of(self, fills)
  local layout = layout_for(self, overrides or NONE, values)
  local head = layout and head_of(self, fills, values)
  return layout
    and setmetatable({ cast = self, head = head, layout = layout, values = values }, CastJob)
end

--- What tells the job from others of the template, besides its head and what stands in the other placeholders.
---@param placeholders integer[] negative: wholes
---@return string
function CastJob:key(placeholders)
  local layout = self.layout
  if layout.placeholders ~= placeholders then
    local pieces = {}
    for _, piece in ipairs(placeholders) do
      put(pieces, "\0")
      put(pieces, piece)
    end
    for _, name in ipairs(functions.sorted_keys(layout.slots)) do
      put(pieces, "\0" .. name .. "\0")
      put(pieces, -layout.slots[name])
    end
    layout.placeholders, layout.key = placeholders, pieces
  end
  return json.fill(layout.key, self.values)
end

--- json.digest of the job.
---@param namespace string
---@return string
function CastJob:digest(namespace)
  self.values[self.layout.namespace] = namespace
  return json.fill_digest(self.layout.plain, self.values)
end

--- The job with more in its Meta. Its digest was asked for before.
---@param more string '"operator-self":"default/x"'
---@return string
function CastJob:text(more)
  self.values[self.layout.more] = more
  return json.fill(self.layout.marked, self.values)
end

return cast
