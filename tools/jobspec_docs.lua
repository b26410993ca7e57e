-- jobspec_docs: writes docs/jobspec.md from the schema to standard output (`lua5.4 tools/jobspec_docs.lua`).
package.path = "lib/?.lua;lib/?/init.lua;" .. package.path

local schema = require "nomad.jobspec.schema"

local function link(name) return ("[%s](#%s)"):format(name, name:lower()) end

-- The type of a field as a reader wants it, with links to objects.
local function type_of(field)
  local inner = field.of and (schema.objects[field.of] and link(field.of) or field.of)
  if field.type == "list" then
    return "list of " .. inner
  elseif field.type == "map" then
    return "map to " .. (field.of == "string[]" and "list of string" or inner)
  elseif field.type == "object" then
    return inner
  elseif field.bits and field.bits < 64 then
    return field.type .. field.bits
  end
  return field.type
end

local units = { { "h", 3600000000000 }, { "m", 60000000000 }, { "s", 1000000000 } }

local function default_of(field)
  local value = field.default
  if value == nil then
    return ""
  elseif field.type == "duration" and value ~= 0 then
    for _, unit in ipairs(units) do
      if value % unit[2] == 0 then return ("`%d%s`"):format(value // unit[2], unit[1]) end
    end
  elseif field.type == "string" then
    return value == "" and '`""`' or ("`%s`"):format(value)
  end
  return ("`%s`"):format(value)
end

-- What the line of doc does not say: bounds, choices, who sets it.
local function notes_of(field)
  local notes = { field.doc }
  if field.required then notes[#notes + 1] = "Required." end
  if field.enum then
    notes[#notes + 1] = ("One of `%s`."):format(table.concat(field.enum, "`, `"))
  end
  if field.min and field.max then
    notes[#notes + 1] = ("%d to %d."):format(field.min, field.max)
  elseif field.min then
    notes[#notes + 1] = ("At least %d."):format(field.min)
  end
  if field.runtime then notes[#notes + 1] = "Made by the server." end
  if field.deprecated then notes[#notes + 1] = "Deprecated." end
  return (table.concat(notes, " "):gsub("|", "\\|"))
end

print(([[
# The JSON job specification

Made from the schema (`lib/nomad/jobspec/schema.lua`) by `tools/jobspec_docs.lua`; a spec fails
when it is stale. It knows Nomad up to %s. Names in JSON match without regard to case; a
field that is `null` is as good as absent. A duration is a number of nanoseconds; where this
project reads a job, `"30s"` will do. "Since" is the release of Nomad that brought a field, where
that is after 1.4.0. Where the default depends on other fields, the text says so.]])
  :format(schema.newest))

for _, name in ipairs(schema.order) do
  local object = schema.objects[name]
  print(("\n## %s\n\n%s"):format(name, object.doc))
  if #object.fields > 0 then
    print("\n| Field | HCL | Type | Default | Since | |\n|---|---|---|---|---|---|")
  end
  for _, field in ipairs(object.fields) do
    print(("| %s | %s | %s | %s | %s | %s |"):format(field.name,
      field.hcl and ("`%s`"):format(field.hcl) or "", type_of(field), default_of(field),
      field.since or "", notes_of(field)))
  end
end
