--- Small languages inside a job's strings: constraints of versions, host names, paths. Each takes what Nomad takes.

local text = {}

--- A key as Go compares it: without regard to case, with the two letters of Unicode that fold into ASCII.
---@param key string
---@return string
function text.fold(key)
  if key:find("[\xc5\xe2]") then
    key = key:gsub("\xc5\xbf", "s"):gsub("\xe2\x84\xaa", "k")
  end
  return key:lower()
end

--- Standard base64 with its padding; line ends are not looked at.
---@param value string
---@return boolean
function text.base64(value)
  local bare = value:gsub("[\r\n]", "")
  return #bare % 4 == 0 and bare:find("^[%w+/]*=?=?$") ~= nil
end

--- Digits parted by single dots, none too long for 64 bits.
local function segments_ok(digits)
  if digits:find("^%.") or digits:find("%.%.") or digits:find("%.$") then
    return false
  end
  for part in digits:gmatch("%d+") do
    if not math.tointeger(tonumber(part)) then
      return false
    end
  end
  return true
end

--- Words parted by single dots.
local function words_ok(words)
  return words:find("^[%w~%.-]+$") ~= nil
    and not words:find("%.%.")
    and not words:find("^%.")
    and not words:find("%.$")
end

--- One constraint of versions, without its operator: digits, then a pre-release, then metadata.
local function version_like(rest, semver)
  local digits, tail = rest:match("^v?([%d%.]+)(.*)$")
  if not digits or not segments_ok(digits) then
    return false
  end
  local pre, metadata = tail:match("^([^+]*)%+?(.*)$")
  local words = pre:match("^%-(.+)$") or not semver and pre or ""
  return (pre == "" or words_ok(words)) and (not tail:find("+", 1, true) or words_ok(metadata))
end

local OPERATORS = {
  [""] = true,
  ["="] = true,
  ["!="] = true,
  [">"] = true,
  ["<"] = true,
  [">="] = true,
  ["<="] = true,
}

--- ">= 1.2, < 2": what the operands version and semver compare with.
---@param value string
---@param semver boolean the stricter kind, without ~>
---@return boolean
function text.versions(value, semver)
  for single in (value .. ","):gmatch("([^,]*),") do
    local operator, rest = single:match("^%s*([=!<>~]*)%s*(.-)%s*$")
    local known = OPERATORS[operator] or operator == "~>" and not semver
    if not known or not version_like(rest, semver) then
      return false
    end
  end
  return true
end

--- How many bytes the last letter has.
local function last_width(name)
  local letter = name:match("[\xc2-\xf4][\x80-\xbf]+$")
  return letter and utf8.len(letter) == 1 and #letter or 1
end

--- The name with the dot at its end that a whole name has; a dot behind an odd number of backslashes is none. Nomad
--- counts the bytes of the letter before them, too.
local function whole_name(name)
  local head, slashes = name:match("^(.-)(\\*)%.$")
  if slashes == "" or slashes and (#slashes + last_width(head)) % 2 == 1 then
    return name
  end
  return name .. "."
end

--- Where a backslash and what it escapes end, and whether the name ends inside.
local function skip_escape(name, at, open)
  if name:find("^%d%d%d", at + 1) then
    return at + 3, not open
  end
  return at + 1, not open
end

local function label_ends(length, at, state)
  local label = at - 1 - state.begin
  state.total = state.total + 1 + label
  state.begin = at
  return label < 64 and state.total <= 256 and not state.dot and (at > 1 or length == 1)
end

--- A name of the domain name system, as it is counted on the wire.
---@param name string not empty
---@return boolean
function text.domain(name)
  name = whole_name(name)
  -- begin: bytes before this label, less those that escapes save; dot: the sign before was one.
  local state, at, open = { begin = 0, total = 0, dot = false }, 1, false
  while at <= #name do
    local sign = name:sub(at, at)
    if sign == "\\" then
      local last
      last, open = skip_escape(name, at, open)
      state.begin, at, state.dot = state.begin + last - at, last, false
    elseif sign == "." then
      if not label_ends(#name, at, state) then
        return false
      end
      open, state.dot = false, true
    else
      open, state.dot = false, false
    end
    at = at + 1
  end
  return not open
end

--- Parts like ${NOMAD_JOB_NAME}: what Nomad fills in later.
local VARIABLE = "%${[%w_%-%.]+}"

---@param value string
---@return boolean
function text.has_variable(value)
  return value:find(VARIABLE) ~= nil
end

--- Fills in what the server knows when it takes the job.
---@param value string
---@param known table<string, string>
---@return string
function text.fill(value, known)
  if not value:find("${", 1, true) then
    return value
  end
  return (value:gsub(VARIABLE, function(found)
    return known[found:sub(3, -2)]
  end))
end

--- A service's name, where variables stand for a word.
---@param name string
---@return boolean
function text.service_name(name)
  if name:find("$", 1, true) then
    name = name:gsub(VARIABLE, "ENV-VAR")
  end
  return #name <= 63 and name:find("^%w[%w-]*$") ~= nil and name:byte(-1) ~= 45
end

--- Whether a path, seen from `depth` directories inside the allocation's, leads out of it.
---@param depth integer
---@param path string
---@return boolean
function text.escapes(depth, path)
  -- The allocation's directory lies two levels below the root.
  local at = { "alloc-dir", "alloc-id" }
  for _ = 1, depth do
    at[#at + 1] = "in"
  end
  for part in path:gmatch("[^/]+") do
    if part == ".." then
      at[#at] = nil
    elseif part ~= "." then
      at[#at + 1] = part
    end
  end
  local outside = at[1] ~= "alloc-dir" or at[2] ~= "alloc-id"
  return outside or at[3] ~= nil and at[3]:find("^%.%.") ~= nil
end

local function ipv4(address)
  local count = 0
  for part in (address .. "."):gmatch("([^.]*)%.") do
    if not part:find("^%d%d?%d?$") or tonumber(part) > 255 or part:find("^0.") then
      return false
    end
    count = count + 1
  end
  return count == 4
end

local function groups_of(part)
  local count = 0
  if part == "" then
    return 0
  end
  for group in (part .. ":"):gmatch("([^:]*):") do
    if not group:find("^%x%x?%x?%x?$") then
      return nil
    end
    count = count + 1
  end
  return count
end

--- An address of IPv6, without a zone.
---@param address string
---@return boolean
function text.ipv6(address)
  local four = address:match("([%d.]+%.%d+)$")
  if four then
    if not ipv4(four) then
      return false
    end
    address = address:sub(1, -#four - 1) .. "0:0"
  end
  local head, tail = address:match("^(.-)::(.*)$")
  if head then
    local before, after = groups_of(head), groups_of(tail)
    return before ~= nil and after ~= nil and before + after < 8
  end
  return groups_of(address) == 8
end

--- "10.0.0.0/8" or "fd00::/8".
---@param value string
---@return boolean
function text.cidr(value)
  local address, bits = value:match("^([%x:.]+)/(%d+)$")
  if not address or bits:find("^0.") or #bits > 3 then
    return false
  end
  local six = address:find(":", 1, true)
  return tonumber(bits) <= (six and 128 or 32) and (six and text.ipv6 or ipv4)(address)
end

--- A decimal number without a sign that fits so many bits.
---@param value string
---@param bits integer
---@return boolean
function text.unsigned(value, bits)
  if not value:find("^%d+$") then
    return false
  end
  local digits = value:gsub("^0+", "")
  if bits < 64 then
    return #digits < 18 and (tonumber(digits) or 0) < 1 << bits
  end
  return #digits < 20 or #digits == 20 and digits <= "18446744073709551615"
end

--- A decimal number with or without a sign, as a port may be written.
---@param value string
---@return integer?
function text.integer(value)
  local sign, digits = value:match("^([+-]?)(%d+)$")
  local number = digits and math.tointeger(tonumber(digits))
  return number and (sign == "-" and -number or number)
end

return text
