-- fixtures: the valid bases, and from them jobs with one change each: a field missing, of another type, outside its
-- bounds, null, an element null. The verdicts that a real Nomad gave lie in spec/fixtures/jobspec/verdicts.txt; what is
-- made here must not change without asking it again (tools/jobspec_verdicts.lua).
local json = require "host.json"
local arrays = require "support.jobspec.arrays"
local bases = require "support.jobspec.bases"
local schema = require "nomad.jobspec.schema"

local fixtures = {}

-- Of another type than the field's.
local OTHER = {
  string = 7,
  bool = "true",
  int = "7",
  uint = "7",
  duration = true,
  bytes = 7,
  any = nil,
  object = "text",
  list = "text",
  map = "text",
}

local function all_null(map)
  local result = {}
  for key in pairs(map) do
    result[key] = json.null
  end
  return result
end

-- Changes of a field's value: kind of change, then the new value (nil: the change says nothing about such a field).
local CHANGES = {
  {
    "type",
    function(field)
      return OTHER[field.type]
    end,
  },
  {
    "enum",
    function(field)
      return field.enum and "bogus"
    end,
  },
  {
    "empty",
    function(field)
      return field.type == "string" and "" or nil
    end,
  },
  {
    "low",
    function(field)
      local number = field.type == "int" or field.type == "duration"
      return number and (field.min or 0) - 1 or nil
    end,
  },
  {
    "high",
    function(field)
      return field.max and field.max + 1 or field.type == "duration" and 1 << 60 or nil
    end,
  },
  {
    "fraction",
    function(field)
      return (field.type == "int" or field.type == "uint") and 1.5 or nil
    end,
  },
  {
    "hole",
    function(field, value)
      return field.type == "list" and #value > 0 and json.array { json.null }
        or field.type == "map" and all_null(value)
        or nil
    end,
  },
  {
    "twice",
    function(field, value)
      return field.type == "list"
          and schema.objects[field.of]
          and #value > 0
          and json.array { value[1], value[1] }
        or nil
    end,
  },
  {
    "none",
    function(field)
      return (field.type == "list" and json.array()) or field.type == "object" and {} or nil
    end,
  },
}

local function visit(object, value, found)
  for _, field in ipairs(object.fields) do
    local item = value[field.name]
    if item ~= nil and not field.hcl_only then
      found(object, field, value)
      local inner = schema.objects[field.of]
      if inner and field.type == "object" then
        visit(inner, item, found)
      elseif inner then
        -- Maps in the bases have one key.
        for _, element in pairs(item) do
          visit(inner, element, found)
        end
      end
    end
  end
end

-- Changes the holder, writes the job, and puts back what was there.
local function changed(job, holder, key, value)
  local before = holder[key]
  holder[key] = value
  local text = json.encode(job, { sorted = true })
  holder[key] = before
  return text
end

local function mutants(list, base, job, done)
  visit(schema.objects.Job, job, function(object, field, holder)
    local where = object.name .. "." .. field.name
    -- Nomad 1.11.3 would not look at what 2.0 brought.
    if done[where] or (field.since or ""):find("^2") then
      return
    end
    done[where] = true
    local function add(kind, key, value)
      list[#list + 1] = {
        name = ("%s %s %s"):format(base, where, kind),
        text = changed(job, holder, key, value),
      }
    end
    add("gone", field.name, nil)
    for _, change in ipairs(CHANGES) do
      local value = change[2](field, holder[field.name])
      if value then
        add(change[1], field.name, value)
      end
    end
  end)
end

-- { name = "full Task.Name gone", text = JSON } in a fixed order.
function fixtures.all()
  local list, done = {}, {}
  for _, base in ipairs(bases.names) do
    local job = arrays.mark(bases[base]())
    list[#list + 1] = { name = base, text = json.encode(job, { sorted = true }) }
    mutants(list, base, job, done)
  end
  return list
end

-- A job with a misspelt field in each kind of object: only we refuse these. { name=, text=, object= }
function fixtures.typos()
  local list, done = {}, {}
  for _, base in ipairs(bases.names) do
    local job = arrays.mark(bases[base]())
    visit(schema.objects.Job, job, function(object, field, holder)
      if done[object.name] then
        return
      end
      done[object.name] = true
      list[#list + 1] = {
        object = object.name,
        field = field.name,
        typo = field.name .. "x",
        text = changed(job, holder, field.name .. "x", "value"),
      }
    end)
  end
  return list
end

-- Which objects and fields the bases have: "Object.Field" → true.
function fixtures.covered()
  local fields, objects = {}, {}
  for _, base in ipairs(bases.names) do
    visit(schema.objects.Job, arrays.mark(bases[base]()), function(object, field)
      fields[object.name .. "." .. field.name] = true
      objects[object.name] = true
      if schema.objects[field.of] then
        objects[field.of] = true
      end
    end)
  end
  return fields, objects
end

-- The recorded verdicts: name → "accepted" or "refused".
function fixtures.verdicts()
  local verdicts = {}
  for line in io.lines("spec/fixtures/jobspec/verdicts.txt") do
    local verdict, name = line:match("^(%a+) (.+)$")
    if verdict then
      verdicts[name] = verdict
    end
  end
  return verdicts
end

-- "accepted" or "refused" by our own rules.
function fixtures.ours(text, opts)
  local job, err = json.decode(text, { nulls = true })
  if not job then
    return "refused", err
  end
  for _, problem in ipairs(require("nomad.jobspec.validate").job(job, opts)) do
    if problem.level == "error" then
      return "refused", problem.path .. ": " .. problem.message
    end
  end
  return "accepted"
end

return fixtures
