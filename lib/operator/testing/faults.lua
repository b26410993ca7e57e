--- faults: the troubles that the served model can be told to have, by name, and which requests each one is for.

local faults = {}

---@class operator.testing.Fault
---@field name string
---@field path? string only requests whose path begins so
---@field method? string
---@field times? integer so many requests; without it until it is cleared
---@field seconds? number clears itself after that long
---@field status? integer of `html`, 200
---@field body? string of 403, 429, 500 and html
---@field retry_after? integer seconds, of 429: 1
---@field token? string of `token`: what requests must carry
---@field tail? string of eof: text that comes before the end
---@field text? string of garbage
---@field bytes? integer of oversized: how long the line is; of slow: so many bytes at once
---@field ms? integer of slow and delay
---@field lines? integer of gap: so many lines get lost

local STREAM = "/v1/event/stream"

-- answer: instead of an answer. lines: what becomes of the lines of streams. pace: how bytes are written.
-- act: done at once to the streams that are open; with a path, to the answers of such requests.
-- listen: nobody is there at all.
local KINDS = {
  ["403"] = "answer",
  ["429"] = "answer",
  ["500"] = "answer",
  html = "answer",
  half_open = "answer",
  http00 = "answer",
  token = "answer",
  stall = "lines",
  gap = "lines",
  duplicate = "lines",
  reorder = "lines",
  slow = "pace",
  delay = "pace",
  eof = "act",
  rst = "act",
  garbage = "act",
  oversized = "act",
  down = "listen",
}

local OPTIONS = {
  path = "string",
  method = "string",
  times = "number",
  seconds = "number",
  status = "number",
  body = "string",
  retry_after = "number",
  token = "string",
  tail = "string",
  text = "string",
  bytes = "number",
  ms = "number",
  lines = "number",
}

---@class operator.testing.Faults
---@field list operator.testing.Fault[] in the order they were set
local Faults = {}
Faults.__index = Faults

---@return operator.testing.Faults
function faults.new()
  return setmetatable({ list = {} }, Faults)
end

local function names()
  local out = {}
  for name in pairs(KINDS) do
    out[#out + 1] = name
  end
  table.sort(out)
  return table.concat(out, " ")
end

--- A fault from a name and options; nil and a sentence for what is none.
---@param name string|integer
---@param options? table
---@return operator.testing.Fault?
---@return string?
function faults.make(name, options)
  name = tostring(name)
  if not KINDS[name] then
    return nil, ("no fault is called %s; there are: %s"):format(name, names())
  end
  local fault = { name = name, kind = KINDS[name] }
  for key, value in pairs(options or {}) do
    if OPTIONS[key] ~= type(value) then
      return nil, ("fault %s: no option %s with a %s"):format(name, key, type(value))
    end
    fault[key] = value
  end
  if name == "token" and not fault.token then
    return nil, "fault token: the option token is missing"
  end
  if name == "http00" then
    fault.path = fault.path or STREAM
  end
  return fault
end

---@param fault operator.testing.Fault
function Faults:add(fault)
  self.list[#self.list + 1] = fault
end

--- Takes away one fault, those of a name, or all.
---@param which? operator.testing.Fault|string
---@return operator.testing.Fault[] gone
function Faults:remove(which)
  local kept, gone = {}, {}
  for _, fault in ipairs(self.list) do
    local fits = which == nil or which == fault or which == fault.name
    table.insert(fits and gone or kept, fault)
  end
  self.list = kept
  return gone
end

local function fits(fault, request)
  return (not fault.path or request.path:sub(1, #fault.path) == fault.path)
    and (not fault.method or request.method == fault.method)
end

--- The fault of some kinds that is for a request, the oldest; counts it.
---@param kinds table<string, boolean>
---@param request operator.testing.Request
---@return operator.testing.Fault?
function Faults:take(kinds, request)
  for _, fault in ipairs(self.list) do
    if kinds[fault.kind] and fits(fault, request) then
      if fault.times then
        fault.times = fault.times - 1
        if fault.times <= 0 then
          self:remove(fault)
        end
      end
      return fault
    end
  end
end

--- The fault of a name that is for a request, not counted.
---@param name string
---@param request operator.testing.Request
---@return operator.testing.Fault?
function Faults:get(name, request)
  for _, fault in ipairs(self.list) do
    if fault.name == name and fits(fault, request) then
      return fault
    end
  end
end

return faults
