--- Blocks whose keys are the author's own: meta, env, the driver's config, an autoscaler's policy.
---
--- Nomad reads an object that is written as `key = { … }` in such a block as a list of one object, as it does a block
--- `key { … }`. So lists of objects are written as blocks, and an object that stands in no list as `key = ({ … })`.

local json = require "host.json"
local literal = require "nomad.jobspec.hclout.literal"

local open = {}

local function all_identifiers(value)
  for key in pairs(value) do
    if not literal.is_identifier(tostring(key)) then
      return false
    end
  end
  return true
end

-- Can it be written as blocks: a list of nothing but objects whose keys are names?
local function is_blocks(key, value)
  -- Nomad takes a block of this name for a template of blocks.
  if key == "dynamic" or not json.is_array(value) or #value == 0 then
    return false
  end
  for i = 1, #value do
    local item = value[i]
    if type(item) ~= "table" or json.is_array(item) or not all_identifiers(item) then
      return false
    end
  end
  return true
end

local function entry(key, value, body)
  if type(value) ~= "table" then
    body:attribute(key, (literal.of(value, body.depth)))
  elseif is_blocks(key, value) then
    for i = 1, #value do
      local inner = body:block(key)
      for _, name in ipairs(literal.sorted_keys(value[i])) do
        entry(name, value[i][name], inner)
      end
    end
  elseif json.is_array(value) then
    body:attribute(key, (literal.of(value, body.depth)))
  else
    body:attribute(key, "(" .. literal.object(value, body.depth) .. ")")
  end
end

--- Writes a map of values of any shape; `lost` is called with each key that is no name, and each whose value is null:
--- HCL cannot say them, or Nomad refuses them there.
---@param value table<string, any>
---@param body hclout.Body
---@param lost fun(key: string)
function open.any(value, body, lost)
  for _, key in ipairs(literal.sorted_keys(value)) do
    if literal.is_identifier(key) and value[key] ~= json.null then
      entry(key, value[key], body)
    else
      lost(key)
    end
  end
end

--- A map of strings without nulls: Go reads one as the empty string.
---@param value table<string, string>
---@return table<string, string>
function open.filled(value)
  local result = {}
  for key, item in pairs(value) do
    result[key] = item == json.null and "" or item
  end
  return result
end

--- Writes a map of strings, of open.filled; `lost` is called with each key that is no name.
---@param value table<string, string>
---@param body hclout.Body
---@param lost fun(key: string)
function open.strings(value, body, lost)
  for _, key in ipairs(literal.sorted_keys(value)) do
    if literal.is_identifier(key) then
      body:attribute(key, (literal.of(value[key], body.depth)))
    else
      lost(key)
    end
  end
end

--- Whether all keys can be names of attributes.
---@param value table
---@return boolean
function open.has_names(value)
  return all_identifiers(value)
end

return open
