--- Lengths of time as Nomad's job specifications have them: integers of nanoseconds, or text as Go's
--- time.ParseDuration reads it ("1h30m", "1.5s", "250ms"; there are no days).

local duration = {}

local UNITS = {
  ns = 1,
  us = 1000,
  ["µs"] = 1000, -- U+00B5, the micro sign
  ["μs"] = 1000, -- U+03BC, the Greek letter
  ms = 1000000,
  s = 1000000000,
  m = 60000000000,
  h = 3600000000000,
}

-- Whole and broken part of a number in nanoseconds; nil when it does not fit 64 bits.
local function scaled(whole, broken, unit)
  if #whole > 19 then
    return nil
  end
  local number = math.tointeger(tonumber(whole ~= "" and whole or "0"))
  if not number or number > math.maxinteger // unit then
    return nil
  end
  local total = number * unit
  if broken ~= "" then
    -- As Go does: what does not fit 18 digits is dropped, and so is what is below a nanosecond.
    broken = broken:sub(1, 18)
    total = total + math.floor(tonumber(broken) * (unit / 10.0 ^ #broken))
  end
  return total >= 0 and total or nil
end

local function bad(text)
  return nil, ('"%s" is not a length of time; write it like "30s", "10m" or "1h30m"'):format(text)
end

--- Reads a length of time.
---@param text string "1h30m"
---@return integer? nanoseconds
---@return string? error a sentence
function duration.parse(text)
  local sign, rest = text:match("^([+-]?)(.*)$")
  if rest == "" then
    return bad(text)
  end
  local total = 0
  while rest ~= "" and rest ~= "0" do
    local whole, broken, unit, tail = rest:match("^(%d*)%.?(%d*)([^%d%.]+)(.*)$")
    if not whole or whole .. broken == "" or not UNITS[unit] or tail == "0" then
      return bad(text)
    end
    local part = scaled(whole, broken, UNITS[unit])
    if not part or total + part < total then
      return nil, ('"%s" is longer than Nomad can count, which is 292 years'):format(text)
    end
    total, rest = total + part, tail
  end
  return sign == "-" and -total or total
end

local function fraction(value, digits)
  local text = ("%0" .. digits .. "d"):format(value):gsub("0+$", "")
  return text ~= "" and ("." .. text) or ""
end

--- The text that Go's Duration.String gives: "1h30m0s", "1.5s", "250ms", "0s".
---@param nanoseconds integer
---@return string
function duration.text(nanoseconds)
  local sign = nanoseconds < 0 and "-" or ""
  local rest = math.abs(nanoseconds)
  if rest == 0 then
    return "0s"
  elseif rest < 1000 then
    return ("%s%dns"):format(sign, rest)
  elseif rest < 1000000 then
    return ("%s%d%sµs"):format(sign, rest // 1000, fraction(rest % 1000, 3))
  elseif rest < 1000000000 then
    return ("%s%d%sms"):format(sign, rest // 1000000, fraction(rest % 1000000, 6))
  end
  local seconds = rest // 1000000000
  local tail = ("%d%ss"):format(seconds % 60, fraction(rest % 1000000000, 9))
  if seconds < 60 then
    return sign .. tail
  elseif seconds < 3600 then
    return ("%s%dm%s"):format(sign, seconds // 60, tail)
  end
  return ("%s%dh%dm%s"):format(sign, seconds // 3600, seconds // 60 % 60, tail)
end

return duration
