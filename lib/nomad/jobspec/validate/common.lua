--- What several rules use: walking lists with holes, and sentences about choices.

local common = {}

local function nothing() end

--- Goes over a list (nil: none) without what the walk refused; gives index, element and its place.
---@param place jobspec.Place?
---@param key string the list's field
---@param list table?
---@return fun(): integer?, table?, jobspec.Place?
function common.each(place, key, list)
  if not list or list[1] == nil then
    return nothing
  end
  local at, i = { up = place, key = key }, 0
  return function()
    while true do
      i = i + 1
      local item = list[i]
      if item == nil then
        return nil
      elseif item then
        return i, item, { up = at, key = i }
      end
    end
  end
end

---@param list table?
---@return boolean
function common.some(list)
  return list ~= nil and next(list) ~= nil
end

---@param ... string
---@return table<string, boolean>
function common.set(...)
  local set = {}
  for _, value in ipairs { ... } do
    set[value] = true
  end
  return set
end

--- A duration for a person: nanoseconds as "1m30s".
---@param nanoseconds integer
---@return string
function common.duration(nanoseconds)
  if nanoseconds % 1000000000 ~= 0 then
    return ("%.10gs"):format(nanoseconds / 1e9)
  end
  local seconds, parts = nanoseconds // 1000000000, {}
  for _, unit in ipairs { { "h", 3600 }, { "m", 60 } } do
    if seconds >= unit[2] then
      parts[#parts + 1] = seconds // unit[2] .. unit[1]
      seconds = seconds % unit[2]
    end
  end
  if seconds ~= 0 or #parts == 0 then
    parts[#parts + 1] = seconds .. "s"
  end
  return table.concat(parts)
end

return common
