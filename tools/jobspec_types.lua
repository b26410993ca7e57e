-- jobspec_types: writes types/jobspec.lua, the types of jobs for editors, from the schema.
--
--   lua5.4 tools/jobspec_types.lua > types/jobspec.lua
package.path = "lib/?.lua;lib/?/init.lua;" .. package.path

local schema = require "nomad.jobspec.schema"

local HEAD = [[
---@meta nomad.jobspec
--- Jobs as editors know them. Made by tools/jobspec_types.lua from the schema: change that.
---
--- jobspec.X is an object of the JSON job specification; jobspec.build.X is what jobspec.job and
--- jobspec.patch take in its place, with the names of JSON and those of HCL, "30s" for lengths of
--- time, and maps by label for lists of blocks.
]]

local SCALARS = {
  string = "string",
  bool = "boolean",
  int = "integer",
  uint = "integer",
  float = "number",
  duration = "integer",
  bytes = "string",
  any = "any",
  ["string[]"] = "string[]",
}

local function element(of, prefix)
  return SCALARS[of] or prefix .. of
end

local function has_label(of)
  for _, field in ipairs(schema.objects[of] and schema.objects[of].fields or {}) do
    if field.kind == "label" then
      return true
    end
  end
  return false
end

-- The type of a field in JSON.
local function plain(field, prefix)
  if field.type == "list" then
    return element(field.of, prefix) .. "[]"
  elseif field.type == "map" then
    return ("table<string, %s>"):format(element(field.of, prefix))
  elseif field.type == "object" then
    return prefix .. field.of
  elseif field.enum then
    local values = {}
    for _, value in ipairs(field.enum) do
      values[#values + 1] = ("%q"):format(value)
    end
    return table.concat(values, "|")
  end
  return SCALARS[field.type]
end

-- What the builder takes besides.
local function built(field)
  local base = plain(field, "jobspec.build.")
  if field.type == "duration" then
    return base .. "|string"
  elseif field.type == "list" and schema.objects[field.of] then
    local one = "jobspec.build." .. field.of
    return has_label(field.of) and ("%s|table<string, %s>"):format(base, one)
      or ("%s|%s"):format(base, one)
  end
  return base
end

local function since(field)
  return (field.since and (" (since %s)"):format(field.since) or "")
    .. (field.deprecated and " (deprecated)" or "")
end

local function print_field(name, kind, field)
  print(("---@field %s? %s %s%s"):format(name, kind, field.doc, since(field)))
end

local function print_object(object)
  print(("\n--- %s"):format(object.doc))
  print("---@class jobspec." .. object.name)
  for _, field in ipairs(object.fields) do
    if not field.hcl_only then
      print_field(field.name, plain(field, "jobspec."), field)
    end
  end
end

local function print_builder(object)
  print(("\n--- %s"):format(object.doc))
  print("---@class jobspec.build." .. object.name)
  local seen = {}
  for _, field in ipairs(object.fields) do
    if not field.hcl_only then
      seen[field.name] = true
      print_field(field.name, built(field), field)
    end
  end
  for _, field in ipairs(object.fields) do
    if field.hcl and not field.hcl_only and not seen[field.hcl] then
      seen[field.hcl] = true
      print_field(field.hcl, built(field), field)
    end
    local plural = field.hcl and field.kind == "blocks" and field.hcl .. "s"
    if plural and field.type == "list" and not seen[plural] then
      seen[plural] = true
      print_field(plural, built(field), field)
    end
  end
end

io.write(HEAD)
for _, name in ipairs(schema.order) do
  print_object(schema.objects[name])
  print_builder(schema.objects[name])
end
