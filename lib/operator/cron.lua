--- cron: cron expressions exactly as Nomad reads them (its cronexpr library): what it accepts, what it refuses, and
--- when they fire, in UTC. Its oddities are kept, since a schedule has to mean here what it means there:
--- "0 22-2 * * *" is accepted and never fires; "5-7" as days of the week is Friday and Saturday.

local cron = {}

--- What is allowed, for messages.
cron.FORMS = "five to seven fields ([second] minute hour day-of-month month day-of-week [year]; "
  .. "*, lists, ranges, steps, names, L, W, #) or one of "
  .. "@yearly @annually @monthly @weekly @daily @hourly"

local ALIASES = {
  { "@yearly", "0 0 0 1 1 * *" },
  { "@annually", "0 0 0 1 1 * *" },
  { "@monthly", "0 0 0 1 * * *" },
  { "@weekly", "0 0 0 * * 0 *" },
  { "@daily", "0 0 0 * * * *" },
  { "@hourly", "0 0 * * * * *" },
}
local MONTHS = {
  "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
  "november", "december",
}
local DAYS = { [0] = "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday" }
local LAST_YEAR = 2099
local DAY = 86400

---@class operator.cron.Field
---@field name string
---@field min integer
---@field max integer
---@field value fun(text: string): integer? nil: not a value of this field

--- Numbers of at most two digits, with or without a leading zero.
local function two_digits(min, max)
  return function(text)
    local number = text:find("^%d%d?$") and tonumber(text)
    return number and number >= min and number <= max and number or nil
  end
end

--- Names in full or by their first three letters, otherwise what `number` says.
local function named(names, first, number)
  local values = {}
  for i = first, #names do
    values[names[i]], values[names[i]:sub(1, 3)] = i, i
  end
  return function(text)
    return values[text] or number(text)
  end
end

--- 0 to 7, both ends Sunday. "05" is taken, and means Sunday: so does cronexpr.
local function weekday(text)
  if text:find("^[0-7]$") then
    return tonumber(text) % 7
  end
  return text:find("^0[0-7]$") and 0 or nil
end

local function year(text)
  local number = text:find("^%d%d%d%d$") and tonumber(text)
  return number and number >= 1970 and number <= LAST_YEAR and number or nil
end

local SECOND = { name = "second", min = 0, max = 59, value = two_digits(0, 59) }
local MINUTE = { name = "minute", min = 0, max = 59, value = two_digits(0, 59) }
local HOUR = { name = "hour", min = 0, max = 23, value = two_digits(0, 23) }
local DAY_OF_MONTH = { name = "day-of-month", min = 1, max = 31, value = two_digits(1, 31) }
local MONTH = { name = "month", min = 1, max = 12, value = named(MONTHS, 1, two_digits(1, 12)) }
local DAY_OF_WEEK = { name = "day-of-week", min = 0, max = 6, value = named(DAYS, 0, weekday) }
local YEAR = { name = "year", min = 1970, max = LAST_YEAR, value = year }

---------------------------------------------------------------------------------------------------
-- Parsing.

--- A step: cronexpr knows the numbers that are minutes or years, and no others.
local function step_of(text, field)
  local step = text:find("^%d%d?$") and tonumber(text) or year(text)
  if not step or step < 1 or step > field.max or (step > 59 and step < 1970) then
    return nil
  end
  return step
end

--- What stands before a step, or alone: *, 5, 5-20.
---@return { first: integer, last: integer, single: boolean? }? nil: none of these
local function span(text, field)
  if text == "*" then
    return { first = field.min, last = field.max }
  end
  local value = field.value(text)
  if value then
    return { first = value, last = value, single = true }
  end
  local from, to = text:match("^([^-]+)-([^-]+)$")
  local first, last = field.value(from or ""), field.value(to or "")
  return first and last and { first = first, last = last }
end

--- One entry of a list that every field understands: *, 5, 5-20, */2, 5/2, 5-20/2.
---@return { first: integer, last: integer, step: integer, single: boolean?, all: boolean? }? nil: none of these
---@return string? error a step that is out of bounds
local function directive(text, field)
  if text == "*" or text == "?" then
    return { first = field.min, last = field.max, step = 1, all = true }
  end
  local head, step = text:match("^(.+)/(%d+)$")
  local range = span(head or text, field)
  if not range or not step then
    if range then
      range.step = 1
    end
    return range
  end
  range.step = step_of(step, field)
  if not range.step then
    return nil, ("the step in %q is out of bounds"):format(text)
  elseif range.single then
    -- 5/2: from 5 on.
    range.last, range.single = field.max, nil
  end
  return range
end

--- The entries of a field, each a directive or the text that is none.
local function directives(text, field)
  local list = {}
  for entry in text:gmatch("[^,]+") do
    local lowered = entry:lower()
    local range, err = directive(lowered, field)
    if err then
      return nil, err
    end
    list[#list + 1] = range or lowered
  end
  if #list == 0 then
    return nil, ("the %s field is empty"):format(field.name)
  end
  return list
end

local function misread(field, entry)
  return ("%q is no %s"):format(entry, field.name)
end

local function add(set, range)
  for value = range.first, range.last, range.step do
    set[value] = true
  end
end

local function sorted(set)
  local list = {}
  for value in pairs(set) do
    list[#list + 1] = value
  end
  table.sort(list)
  return list
end

--- Second, minute, hour, month, year: a sorted list of values. It is empty for a range that runs backwards.
local function plain_field(text, field)
  local list, err = directives(text, field)
  if not list then
    return nil, err
  end
  local set = {}
  for _, range in ipairs(list) do
    if type(range) == "string" then
      return nil, misread(field, range)
    end
    add(set, range)
    if range.all then
      -- What stands after a * is not looked at.
      break
    end
  end
  return sorted(set)
end

---@class operator.cron.Days
---@field restricted boolean no * is among the entries
---@field set table<integer, boolean>
---@field workdays table<integer, boolean> "15W"
---@field last boolean "L"
---@field last_workday boolean "LW"
---@field last_week table<integer, boolean> "5L"
---@field nth { day: integer, week: integer }[] "5#3"

local function month_special(days, entry)
  local day = DAY_OF_MONTH.value(entry:match("^(.+)w$") or "")
  if entry == "l" then
    days.last = true
  elseif entry == "lw" then
    days.last_workday = true
  elseif day then
    days.workdays[day] = true
  else
    return false
  end
  return true
end

local function week_special(days, entry)
  local last = DAY_OF_WEEK.value(entry:match("^(.+)l$") or "")
  local name, week = entry:match("^(.+)#([1-5])$")
  local nth = DAY_OF_WEEK.value(name or "")
  if last then
    days.last_week[last] = true
  elseif nth then
    days.nth[#days.nth + 1] = { day = nth, week = tonumber(week) }
  else
    return false
  end
  return true
end

--- Day of month or day of week.
local function day_field(text, field, special)
  local list, err = directives(text, field)
  if not list then
    return nil, err
  end
  local days = { restricted = true, set = {}, workdays = {}, last_week = {}, nth = {} }
  for _, range in ipairs(list) do
    if type(range) == "string" then
      if not special(days, range) then
        return nil, misread(field, range)
      end
    else
      if field == DAY_OF_WEEK and not range.single and range.last == 0 then
        range.last = 6
      end
      add(days.set, range)
      days.restricted = days.restricted and not range.all
    end
  end
  return days
end

---------------------------------------------------------------------------------------------------
-- The calendar, UTC.

--- Days from 1970-01-01 to a date (proleptic Gregorian).
local function days_from_date(y, m, d)
  y = m <= 2 and y - 1 or y
  local era = y // 400
  local year_of_era = y - era * 400
  local day_of_year = (153 * (m + (m > 2 and -3 or 9)) + 2) // 5 + d - 1
  return era * 146097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    - 719468
end

local function date_from_days(days)
  days = days + 719468
  local era = days // 146097
  local day_of_era = days - era * 146097
  local leap_days = day_of_era // 1460 - day_of_era // 36524 + day_of_era // 146096
  local year_of_era = (day_of_era - leap_days) // 365
  local year_start = 365 * year_of_era + year_of_era // 4 - year_of_era // 100
  local day_of_year = day_of_era - year_start
  local shifted = (5 * day_of_year + 2) // 153
  local month = shifted + (shifted < 10 and 3 or -9)
  return year_of_era + era * 400 + (month <= 2 and 1 or 0), month,
    day_of_year - (153 * shifted + 2) // 5 + 1
end

local function month_length(y, m)
  if m == 12 then
    return 31
  end
  return days_from_date(y, m + 1, 1) - days_from_date(y, m, 1)
end

--- 0 is Sunday.
local function weekday_of(y, m, d)
  return (days_from_date(y, m, d) + 4) % 7
end

--- The working day nearest to a day, without leaving the month.
local function workday(y, m, d, length)
  local on = weekday_of(y, m, d)
  if on == 6 then
    return d > 1 and d - 1 or d + 2
  elseif on == 0 then
    return d < length and d + 1 or d - 2
  end
  return d
end

local function add_month_days(found, days, y, m, length)
  if days.last then
    found[length] = true
  end
  if days.last_workday then
    found[workday(y, m, length, length)] = true
  end
  for d in pairs(days.set) do
    found[d] = d <= length or nil
  end
  for d in pairs(days.workdays) do
    if d <= length then
      found[workday(y, m, d, length)] = true
    end
  end
end

local function add_week_days(found, days, y, m, length)
  local first = weekday_of(y, m, 1)
  for d = 1, length do
    local on = (first + d - 1) % 7
    if days.set[on] or days.last_week[on] and d > length - 7 then
      found[d] = true
    end
  end
  for _, nth in ipairs(days.nth) do
    local d = 1 + (nth.day - first) % 7 + 7 * (nth.week - 1)
    if d <= length then
      found[d] = true
    end
  end
end

---------------------------------------------------------------------------------------------------

---@class operator.cron.Schedule
---@field spec string as it was written
---@field private seconds integer[]
---@field private minutes integer[]
---@field private hours integer[]
---@field private months integer[]
---@field private years integer[]
---@field private month_days operator.cron.Days
---@field private week_days operator.cron.Days
local Schedule = {}
Schedule.__index = Schedule

--- The days of a month on which it fires, sorted. Where both day fields say something, either will do.
function Schedule:days(y, m)
  local length, found = month_length(y, m), {}
  if not self.month_days.restricted and not self.week_days.restricted then
    add(found, { first = 1, last = length, step = 1 })
  end
  if self.month_days.restricted then
    add_month_days(found, self.month_days, y, m, length)
  end
  if self.week_days.restricted then
    add_week_days(found, self.week_days, y, m, length)
  end
  return sorted(found)
end

--- The first time of day that is not before `from` (seconds of the day).
function Schedule:time_of_day(from)
  for _, hour in ipairs(self.hours) do
    for _, minute in ipairs(hour * 3600 + 3599 >= from and self.minutes or {}) do
      local base = hour * 3600 + minute * 60
      for _, second in ipairs(base + 59 >= from and self.seconds or {}) do
        if base + second >= from then
          return base + second
        end
      end
    end
  end
end

--- The first time in a month that is not before `from`.
function Schedule:time_in_month(y, m, from)
  local from_day = from // DAY
  for _, d in ipairs(self:days(y, m)) do
    local day = days_from_date(y, m, d)
    local time = day > from_day and self:time_of_day(0)
      or day == from_day and self:time_of_day(from - from_day * DAY)
    if time then
      return day * DAY + time
    end
  end
end

--- The first time after `after`; nil when there is none up to the end of 2099.
---@param after number seconds since the epoch
---@return integer? seconds since the epoch
function Schedule:next(after)
  if not self:time_of_day(0) then
    return nil
  end
  local from = math.floor(after) + 1
  local from_year, from_month = date_from_days(from // DAY)
  for _, y in ipairs(self.years) do
    for _, m in ipairs(y >= from_year and self.months or {}) do
      local reached = y > from_year or m >= from_month
      local time = reached and self:time_in_month(y, m, from)
      if time then
        return time
      end
    end
  end
end

local function fields_of(spec)
  for _, alias in ipairs(ALIASES) do
    spec = spec:gsub(alias[1], alias[2])
  end
  local fields = {}
  for text in spec:gmatch("[^ \t\n\f\r]+") do
    fields[#fields + 1] = text
  end
  return fields
end

local function refused(spec, reason)
  return nil, ("%q is no schedule that Nomad accepts (%s); allowed are %s"):format(spec, reason,
    cron.FORMS)
end

local function parse_anew(spec)
  local fields = fields_of(spec)
  if #fields < 5 then
    local odd = spec:match("@%w+")
    return refused(spec, odd and odd .. " is not known" or "there are fewer than five fields")
  end
  local self, at = { spec = spec, seconds = { 0 } }, 1
  local err
  local function read(into, parse, ...)
    if not err then
      self[into], err = parse(fields[at], ...)
      at = at + 1
    end
  end
  if #fields >= 7 then
    read("seconds", plain_field, SECOND)
  end
  read("minutes", plain_field, MINUTE)
  read("hours", plain_field, HOUR)
  read("month_days", day_field, DAY_OF_MONTH, month_special)
  read("months", plain_field, MONTH)
  read("week_days", day_field, DAY_OF_WEEK, week_special)
  if not err then
    self.years, err = plain_field(fields[at] or "*", YEAR)
  end
  if err then
    return refused(spec, err)
  end
  return setmetatable(self, Schedule)
end

-- A cluster has few schedules and many jobs: those that were read last are kept.
local KEPT = 200
local kept, kept_count = {}, 0

---@param spec string
---@return operator.cron.Schedule? schedule one and the same for a spec; nil and a sentence that names the allowed forms
---@return string? error
function cron.parse(spec)
  if type(spec) ~= "string" then
    return nil, ("a schedule is a string, found a %s; allowed are %s"):format(type(spec),
      cron.FORMS)
  elseif kept[spec] then
    return kept[spec]
  end
  local schedule, err = parse_anew(spec)
  if schedule then
    if kept_count == KEPT then
      kept, kept_count = {}, 0
    end
    kept[spec], kept_count = schedule, kept_count + 1
  end
  return schedule, err
end

return cron
