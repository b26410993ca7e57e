--- ordered: `pairs` in the order of the keys. Lua's own order differs from run to run, and a run that cannot be
--- repeated explains nothing.

local json = require "host.json"

local ordered = {}

-- Those that see what is in a lazy table.
local next, getmetatable = json.raw.next, json.raw.getmetatable

local function before(a, b)
  local kind, other = type(a), type(b)
  if kind ~= other then
    return kind < other
  elseif kind == "number" or kind == "string" then
    return a < b
  end
  return false
end

local function sorted_keys(table_)
  local keys, count, plain = {}, 0, true
  for key in next, table_ do
    count = count + 1
    keys[count] = key
    plain = plain and type(key) == "string"
  end
  if count > 1 then
    table.sort(keys, not plain and before or nil)
  end
  return keys
end

--- As `pairs`: keys that are taken away meanwhile are passed over. Keys that are neither text nor numbers come in no
--- particular order.
---@param table_ table
---@return function, table
function ordered.pairs(table_)
  local meta = getmetatable(table_)
  if type(table_) ~= "table" or type(meta) == "table" and meta.__pairs then
    return pairs(table_)
  end
  local keys, i = sorted_keys(table_), 0
  return function()
    while true do
      i = i + 1
      local key = keys[i]
      if key == nil then
        return nil
      end
      local value = table_[key]
      if value ~= nil then
        return key, value
      end
    end
  end,
    table_
end

return ordered
