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

--- 2^63 nanoseconds, which fit only with a sign before them: as Go does, all is counted without signs up to here.
local LIMIT = math.mininteger

-- Digits as a number; nil when that is above the limit.
local function whole_of(digits)
  local number = 0
  for i = 1, #digits do
    if math.ult(math.maxinteger // 10, number) then
      return nil
    end
    number = number * 10 + digits:byte(i) - 48
    if math.ult(LIMIT, number) then
      return nil
    end
  end
  return number
end

-- Digits behind the point, as many as fit, as a number and what it is to be divided by.
local function fraction_of(digits)
  local number, scale = 0, 1.0
  for i = 1, #digits do
    local longer = number * 10 + digits:byte(i) - 48
    if math.ult(math.maxinteger // 10, number) or math.ult(LIMIT, longer) then
      break
    end
    number, scale = longer, scale * 10
  end
  return number == LIMIT and 2.0 ^ 63 or number + 0.0, scale
end

-- One number with its unit in nanoseconds; nil when that is above the limit.
local function scaled(whole, broken, unit)
  local number = whole_of(whole)
  if not number or math.ult(unit == 1 and LIMIT or math.maxinteger // unit, number) then
    return nil
  end
  local fraction, scale = fraction_of(broken)
  local total = number * unit + math.floor(fraction * (unit / scale))
  return not math.ult(LIMIT, total) and total or nil
end

local function bad(text)
  return nil, ('"%s" is not a length of time; write it like "30s", "10m" or "1h30m"'):format(text)
end

local function too_long(text)
  return nil, ('"%s" is longer than Nomad can count, which is 292 years'):format(text)
end

--- Reads a length of time, as Go reads it to the nanosecond.
---@param text string "1h30m"
---@return integer? nanoseconds
---@return string? error a sentence
function duration.parse(text)
  local sign, rest = text:match("^([+-]?)(.*)$")
  if rest == "0" then
    return 0
  elseif rest == "" then
    return bad(text)
  end
  local total = 0
  while rest ~= "" do
    local whole, broken, unit, tail = rest:match("^(%d*)%.?(%d*)([^%d%.]+)(.*)$")
    if not whole or whole .. broken == "" or not UNITS[unit] then
      return bad(text)
    end
    local part = scaled(whole, broken, UNITS[unit])
    if not part or math.ult(LIMIT, total + part) then
      return too_long(text)
    end
    total, rest = total + part, tail
  end
  if sign == "-" then
    return -total
  elseif total == LIMIT then
    return too_long(text)
  end
  return total
end

local function fraction(value, digits)
  local text = ("%0" .. digits .. "d"):format(value):gsub("0+$", "")
  return text ~= "" and ("." .. text) or ""
end

--- The text that Go's Duration.String gives: "1h30m0s", "1.5s", "250ms", "0s".
---@param nanoseconds integer
---@return string
function duration.text(nanoseconds)
  if nanoseconds == LIMIT then
    return "-2562047h47m16.854775808s"
  end
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

--- The same for a person, without zeros at its end: "1h30m", "10m".
---@param nanoseconds integer
---@return string
function duration.short(nanoseconds)
  return (duration.text(nanoseconds):gsub("m0s$", "m"):gsub("h0m$", "h"))
end

return duration
