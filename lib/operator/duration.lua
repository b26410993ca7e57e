--- duration: "10m", "1h30m", "500ms" as seconds, and seconds as text for a person.

local duration = {}

local UNITS = { ms = 0.001, s = 1, m = 60, h = 3600, d = 86400 }

--- Reads a length of time.
---@param value string|number "1h30m" (units ms s m h d), or a number of seconds
---@return number? seconds
---@return string? error
function duration.parse(value)
  if type(value) == "number" then
    if value >= 0 and value < math.huge then
      return value
    end
    return nil, ("a length of time cannot be %s"):format(value)
  end
  if type(value) ~= "string" then
    return nil,
      ('expected a length of time like "10m" or a number of seconds, got %s'):format(type(value))
  end
  local total, rest = 0, value
  while rest ~= "" do
    local number, unit, tail = rest:match("^(%d+%.?%d*)(%a+)(.*)$")
    if not number or not UNITS[unit] then
      return nil,
        ('"%s" is not a length of time; write it like "30s", "10m", "1h30m" or "1d"'):format(value)
    end
    total, rest = total + tonumber(number) * UNITS[unit], tail
  end
  if value == "" then
    return nil, 'a length of time is empty; write it like "30s" or "10m"'
  end
  return total
end

--- Seconds in the two largest units that matter: "1h30m", "4.2s", "350ms".
---@param seconds number
---@return string
function duration.format(seconds)
  if seconds < 1 then
    return ("%dms"):format(math.floor(seconds * 1000 + 0.5))
  elseif seconds < 60 then
    local text = ("%.1f"):format(seconds):gsub("%.0$", "")
    return text .. "s"
  end
  local whole = math.floor(seconds + 0.5)
  local names = { { "d", 86400 }, { "h", 3600 }, { "m", 60 }, { "s", 1 } }
  local parts = {}
  for _, unit in ipairs(names) do
    local count = whole // unit[2]
    if count > 0 and #parts < 2 then
      parts[#parts + 1] = count .. unit[1]
    end
    whole = whole % unit[2]
  end
  return table.concat(parts)
end

return duration
