--- The shape of a job: every field known, of the right type, inside its bounds; nothing that JSON cannot say.
---
--- It walks the job once along the schema, and hands back what Nomad's decoder would make of it: names in their proper
--- case, durations as numbers, nulls gone. Tables that are so already are handed back as they are, not copied.

local any = require "nomad.jobspec.validate.any"
local common = require "nomad.jobspec.validate.common"
local json = require "host.json"
local nearest = require "operator.nearest"
local scalars = require "nomad.jobspec.validate.scalars"
local schema = require "nomad.jobspec.schema"
local text = require "nomad.jobspec.validate.text"
local version = require "nomad.jobspec.version"

local shape = {}

local math_type, type, next, null = math.type, type, next, json.null

local fail, wrong_type = scalars.fail, scalars.wrong_type

local object

--- What checks a value of each type: given the walk, key, value and field it returns the clean value; nil: none.
local CHECKS = {}
for kind, check in pairs(scalars.checks) do
  CHECKS[kind] = check
end

--- What null is as an element: nothing where Go has a pointer, else the zero value.
local ZERO = { string = "", bool = false, int = 0, uint = 0, duration = 0 }

local function object_value(walk, key, value, field)
  -- A list that is not empty is found by its first element; an empty one by `object`.
  if type(value) ~= "table" or value[1] ~= nil and json.is_array(value) then
    return wrong_type(walk, key, "object", value)
  end
  local depth = walk.depth + 1
  walk.keys[depth], walk.depth = key, depth
  local clean = object(walk, field.object, value)
  walk.depth = depth - 1
  return clean
end

--- An element of a list or map.
local function element(walk, key, value, field)
  if type(value) == "userdata" then
    if field.object then
      if field.holes == "zero" then
        return {}
      elseif not field.holes then
        fail(walk, key, "is null, an object is needed")
      end
      return nil
    end
    return ZERO[field.element]
  elseif field.object then
    return object_value(walk, key, value, field)
  end
  return CHECKS[field.element](walk, key, value, field.item)
end

local function copied(t)
  local copy = {}
  for key, value in next, t do
    copy[key] = value
  end
  return copy
end

local function strings(walk, key, value)
  if type(value) ~= "table" or not json.is_array(value) then
    return wrong_type(walk, key, "list", value)
  end
  for i, item in next, value do
    if math_type(i) ~= "integer" then
      return fail(walk, key, "has keys of a list and of an object")
    elseif type(item) ~= "string" and type(item) ~= "userdata" then
      wrong_type(walk, key, "a list of strings", item)
    end
  end
  return value
end
CHECKS["string[]"] = strings

--- A copy of a list, with another element.
local function with_element(out, value, i, clean, field)
  out = out or copied(value)
  -- A hole, or what was refused, leaves something: the places of the others do not change.
  out[i] = clean
  if clean == nil then
    out[i] = field.empty
  end
  return out
end

--- The elements of a list that is not plain.
local function elements(walk, value, field)
  local out
  local inner, keys, depth = field.object, walk.keys, walk.depth
  for i = 1, #value do
    local item = value[i]
    local clean
    if inner and type(item) == "table" and item[1] == nil then
      keys[depth + 1], walk.depth = i, depth + 1
      clean = object(walk, inner, item)
      walk.depth = depth
    else
      clean = element(walk, i, item, field)
    end
    if clean ~= item then
      out = with_element(out, value, i, clean, field)
    end
  end
  return out or value
end

--- A list has the keys 1, 2, 3 … and no others.
local function check_keys(walk, value)
  local count, seen = #value, 0
  for i in next, value do
    seen = seen + 1
    if i ~= seen and (math_type(i) ~= "integer" or i < 1 or i > count) then
      fail(walk, nil, "has keys of a list and of an object, or holes")
      return
    end
  end
end

--- Whether a list has nothing but values of one plain type, as most have.
local function plain_list(value, plain)
  local count = 0
  for i, item in next, value do
    count = count + 1
    if i ~= count or type(item) ~= plain then
      return false
    end
  end
  return true
end

local function list(walk, key, value, field)
  if type(value) ~= "table" or value[1] == nil and not json.is_array(value) then
    return wrong_type(walk, key, "list", value)
  elseif field.of == "string" and plain_list(value, "string") then
    return value
  end
  local depth = walk.depth + 1
  walk.keys[depth], walk.depth = key, depth
  local clean = elements(walk, value, field)
  check_keys(walk, value)
  walk.depth = depth - 1
  return clean
end
CHECKS.list = list

function CHECKS.map(walk, key, value, field)
  if type(value) ~= "table" or json.is_array(value) then
    return wrong_type(walk, key, "map", value)
  elseif field.element == "any" then
    return CHECKS.any(walk, key, value)
  end
  local depth = walk.depth + 1
  walk.keys[depth], walk.depth = key, depth
  local out
  local plain = field.of == "string" and "string"
  for name, item in next, value do
    if type(name) ~= "string" then
      fail(walk, nil, "has a key that is no string")
    elseif type(item) ~= plain then
      local clean = element(walk, name, item, field)
      if clean ~= item then
        out = out or copied(value)
        out[name] = clean
      end
    end
  end
  walk.depth = depth - 1
  return out or value
end

CHECKS.object = object_value

--- A value that Nomad would drop: an older server does not know the field.
local function check_since(walk, key, value, field)
  local empty = value == field.default
    or value == ""
    or value == false
    or value == 0
    or type(value) == "table" and next(value) == nil
  if not empty then
    fail(walk, key, "is known from Nomad %s on; the server would drop it in silence", field.since)
  end
end

local function check_bounds(walk, key, value, field)
  if field.min and value < field.min then
    fail(walk, key, "%d is too small, at least %d is allowed", value, field.min)
  elseif field.max and value > field.max then
    fail(walk, key, "%d is too big, at most %d is allowed", value, field.max)
  elseif field.allowed and value ~= "" and not field.allowed[value] then
    fail(
      walk,
      key,
      "%q is not allowed, only %s%s",
      value,
      table.concat(field.enum, ", "),
      nearest.hint(value, field.enum):gsub(",", ";", 1)
    )
  end
end

--- The nearest name of a field. A mistake is often made again and again.
local function hint(walk, of, key)
  local known = walk.hints[of.name .. "." .. key]
  if not known then
    local names = {}
    for i, field in ipairs(of.fields) do
      names[i] = field.name
    end
    known = nearest.hint(key, names)
    walk.hints[of.name .. "." .. key] = known
  end
  return known
end

--- A key that is no field's name as it is written: the field, or nil.
local function find_field(walk, of, key)
  if type(key) ~= "string" then
    fail(walk, nil, "has a key that is no string: %s", tostring(key))
    return nil
  end
  local field = of.by_name[text.fold(key)]
  if not field then
    local named = walk.pass and "" or hint(walk, of, key)
    walk.report:add(walk.unknown, scalars.place(walk), key, "unknown field%s", named)
  end
  return field
end

--- The same field twice: only their order in the text, which is lost, says which one Nomad takes.
local function check_twice(walk, key, field, value)
  if value[field.name] ~= nil and key ~= field.name then
    fail(walk, key, "is there also as %s: keys match without regard to case", field.name)
  end
end

--- What else there is to ask of a value of the right type: bounds, and whether the server knows the field.
local function check_more(walk, key, clean, field)
  if field.bounded then
    check_bounds(walk, key, clean, field)
  end
  if walk.server and field.since_number and field.since_number > walk.server then
    check_since(walk, key, clean, field)
  end
end

--- A key that is not written as the schema writes it: the field and its name; nil: unknown.
local function odd_field(walk, of, key, value)
  local field = find_field(walk, of, key)
  if field then
    check_twice(walk, key, field, value)
    return field, field.name
  end
  return nil, key
end

--- A copy without nulls: they say nothing.
local function without_nulls(value)
  local copy = {}
  for key, item in next, value do
    if item ~= null and type(item) ~= "userdata" then
      copy[key] = item
    end
  end
  return copy
end

--- A field that is not plain: its clean value, and the name under which it belongs.
local function field_of(walk, of, key, item, value)
  local field, name = of.exact[key], key
  if not field then
    field, name = odd_field(walk, of, key, value)
  end
  if not field and walk.pass then
    return item, name -- a newer server may know it
  elseif not field or type(item) == "userdata" then
    return nil, name
  elseif field.words and field.words[item] then
    return item, name
  end
  local clean = field.check(walk, key, item, field)
  if field.more and clean ~= nil then
    check_more(walk, key, clean, field)
  end
  return clean, name
end

--- The walk asks the least that it can of each field: a known name and a plain value are most of a job.
---@param walk jobspec.validate.Walk
---@param of jobspec.schema.Object
---@param value table
---@return table?
function object(walk, of, value)
  local out, some
  local plain = of[walk.plain]
  for key, item in next, value do
    local kind = type(item)
    some = key
    if kind == "number" then
      kind = math_type(item)
    end
    if kind ~= plain[key] then
      local clean, name = field_of(walk, of, key, item, value)
      if clean ~= item or name ~= key then
        out = out or without_nulls(value)
        out[key] = nil
        out[name] = clean
      end
    end
  end
  if some == nil and json.is_array(value) then
    return wrong_type(walk, nil, "object", value)
  end
  return out or value
end

--- Lists where null is no mistake for Nomad: it is left out, or taken for an object without fields.
local HOLES = {
  ["Task.Identities"] = "skip",
  ["SidecarTask.Identities"] = "skip",
  ["NetworkResource.ReservedPorts"] = "zero",
  ["NetworkResource.DynamicPorts"] = "zero",
  ["Service.Checks"] = "zero",
  ["TaskGroup.Volumes"] = "skip",
  ["ConsulTerminatingConfigEntry.Services"] = "skip",
  ["ConsulIngressListener.Services"] = "skip",
  ["ConsulIngressConfigEntry.Listeners"] = "skip",
  ["ConsulExposeConfig.Paths"] = "skip",
}

--- Types whose values need nothing but a look: their kind in Lua, integers told apart.
local PLAIN = {
  string = "string",
  bool = "boolean",
  int64 = "integer",
  duration = "integer",
}

local function is_bounded(field)
  return not field.lax and (field.min or field.max or field.enum) ~= nil
end

--- Puts into a field what the walk needs at hand.
local function prepare_field(field, of, number)
  field.number = number
  field.check = CHECKS[field.type]
  field.object = schema.objects[field.of]
  field.element = field.of
  field.empty = not field.object and ZERO[field.of] or false
  field.item = { type = field.of, bits = field.bits }
  field.holes = HOLES[of.name .. "." .. field.name]
  field.since_number = field.since and version.number(field.since)
  field.bounded = is_bounded(field)
  field.more = field.bounded or field.since ~= nil
  field.allowed = field.bounded and field.enum and common.set(table.unpack(field.enum))
  -- Most words are allowed ones.
  field.words = field.type == "string" and not field.since and field.allowed or nil
end

--- The kind of value that needs nothing but a look; nil: none does.
local function plain_kind(field)
  return not field.hcl_only and PLAIN[field.type .. (field.bits or "")] or nil
end

--- Which kinds of values are plain: `plain` on a server that may not know each field, `plain_all` on one that does.
local function prepare(of)
  of.plain, of.plain_all = {}, {}
  for number, field in ipairs(of.fields) do
    prepare_field(field, of, number)
    if not field.bounded then
      of.plain_all[field.name] = plain_kind(field)
      of.plain[field.name] = not field.since and plain_kind(field) or nil
    end
  end
end

for _, of in pairs(schema.objects) do
  prepare(of)
end

---@param report jobspec.Report
---@param job any
---@param opts { nomad: string?, lenient: boolean?, floats: boolean? }
---@return table? clean nil: not even an object
function shape.check(report, job, opts)
  local server = opts.nomad and version.number(opts.nomad)
  local pass = server ~= nil and server > version.number(schema.newest)
  local walk = {
    report = report,
    server = server,
    pass = pass,
    floats = opts.floats or false,
    keys = {},
    depth = 0,
    hints = {},
    plain = (not server or pass) and "plain_all" or "plain",
    unknown = (pass or opts.lenient) and "warning" or "error",
  }
  if type(job) ~= "table" or json.is_array(job) then
    report:err(nil, nil, "a job is an object, found %s", any.describe(job))
    return nil
  end
  return object(walk, schema.objects.Job, job)
end

return shape
