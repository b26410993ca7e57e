--- The schema of the JSON job specification: every object and field, its type, default, bounds, since which Nomad, and
--- a line of text. Validator, canonicalizer, builder types and docs/jobspec.md come from it.
---
--- The parts (schema/*.lua) are data in a short notation, maintained by hand: objects of { name, doc, and for each
--- field a line of doc and then a row }, a row being { "Region", "string?", "region", default = "global", … }:
---   1. the name in JSON;
---   2. the type: string, bool, float, duration, bytes, any, an integer of Go's (int, int8 … uint64), or an object;
---      behind it [] for a list, {} for a map by name, and ? where Go has a pointer, list or map (null is "not given");
---   3. the name in HCL: cpu (attribute), update{} (block), group{}* (blocks), (name) (label); none: HCL cannot say it.
--- `since` is the first release of Nomad whose api package has the field, where that is after 1.4.0: found by reading
--- the package's structures at every release from 1.4.0 to 2.0.5 and at the commit that is `newest`.

local schema = {
  --- The newest Nomad that this schema knows; a field that it does not have may exist in a later one.
  newest = "2.0.6",
  --- The names of the objects, a Job first, each before those that it alone uses.
  order = {},
  ---@type table<string, jobspec.schema.Object>
  objects = {},
}

---@alias jobspec.schema.Row { [1]: string, [2]: string, [3]: string?, [string]: any }
---@alias jobspec.schema.Source (string|jobspec.schema.Row)[]

---@class jobspec.schema.Object
---@field name string "TaskGroup"
---@field doc string
---@field fields jobspec.schema.Field[] in Nomad's order
---@field exact table<string, jobspec.schema.Field> by the name as it is written
---@field by_name table<string, jobspec.schema.Field> by the lower-case name: keys match without regard to case
---@field by_hcl table<string, jobspec.schema.Field>

---@alias jobspec.schema.Type "string"|"int"|"uint"|"bool"|"float"|"duration"|"bytes"|"any"|"object"|"list"|"map"

---@class jobspec.schema.Field
---@field name string in JSON
---@field hcl? string name in HCL; nil: HCL cannot say it
---@field kind? "attr"|"block"|"blocks"|"label"
---@field type jobspec.schema.Type
---@field of? string an object's name or a type, for object, list and map; "string[]" for a map of lists
---@field bits? integer of an int or uint
---@field null boolean null means "not given" (a pointer, list or map of Go's)
---@field default? any what an absent field becomes, where that does not depend on others; durations in nanoseconds
---@field required? boolean
---@field enum? string[] what is allowed; "" is, where it is the default
---@field min? number
---@field max? number
---@field lax? boolean enum, min and max hold only under conditions that the rules know
---@field since? string the release of Nomad that brought it, when later than 1.4.0
---@field runtime? boolean made by the server
---@field deprecated? boolean
---@field hcl_only? boolean not in JSON
---@field doc string

local PARTS = { "job", "group", "task", "resources", "service", "consul" }

local UNITS = { ms = 1000000, s = 1000000000, m = 60000000000, h = 3600000000000 }

local SCALARS = {
  string = true,
  bool = true,
  float = true,
  duration = true,
  bytes = true,
  any = true,
}

--- "30s" → nanoseconds.
local function nanoseconds(text)
  local number, unit = text:match("^(%d+)(%a+)$")
  return tonumber(number) * UNITS[unit]
end

--- "int8" → "int", 8; "int" → "int", 64.
local function integer(name)
  local sign, bits = name:match("^(u?int)(%d*)$")
  return sign, sign and (tonumber(bits) or 64)
end

--- The type of a row, put into its field.
local function read_type(field, text)
  local base, shape, null = text:match("^(%w+)([%[%]{}]*)(%??)$")
  field.null = null == "?"
  local sign, bits = integer(base)
  local scalar = sign or SCALARS[base] and base
  if shape == "[]" or shape == "{}" then
    field.type, field.of = shape == "[]" and "list" or "map", scalar or base
  elseif shape == "[]{}" then
    field.type, field.of = "map", base .. "[]"
  else
    field.type, field.of = scalar or "object", not scalar and base or nil
  end
  field.bits = bits
end

--- The name in HCL of a row, put into its field.
local function read_hcl(field, text)
  if not text then
    return
  end
  local label = text:match("^%((.+)%)$")
  local name, marks = text:match("^([%w_]+)(.*)$")
  field.hcl = label or name
  field.kind = label and "label"
    or marks == "{}*" and "blocks"
    or marks == "{}" and "block"
    or "attr"
end

local function field_of(doc, row)
  local field = { name = row[1], doc = doc }
  for key, value in pairs(row) do
    if type(key) == "string" then
      field[key] = value
    end
  end
  read_type(field, row[2])
  read_hcl(field, row[3])
  if field.type == "duration" and type(field.default) == "string" then
    field.default = nanoseconds(field.default)
  end
  return field
end

local function object_of(source)
  local object =
    { name = source[1], doc = source[2], fields = {}, exact = {}, by_name = {}, by_hcl = {} }
  for at = 3, #source, 2 do
    local field = field_of(source[at], source[at + 1])
    object.fields[#object.fields + 1] = field
    if not field.hcl_only then
      object.by_name[field.name:lower()] = field
      object.exact[field.name] = field
    end
    if field.hcl then
      object.by_hcl[field.hcl] = field
    end
  end
  return object
end

for _, part in ipairs(PARTS) do
  for _, source in ipairs(require("nomad.jobspec.schema." .. part)) do
    local object = object_of(source)
    schema.objects[object.name] = object
    schema.order[#schema.order + 1] = object.name
  end
end

return schema
