--- filter: what `watch.where` means. It mirrors the object: a scalar must be equal, a list means any of its items, a
--- table goes into the object; where the object holds a list, one element that matches is enough.
--- A match against a list's stub has three answers: true, false, and nil for "the stub cannot tell".

local json = require "host.json"
local topics = require "operator.topics"

local filter = {}

---@class operator.Condition
---@field kind "present"|"prefix"|"mentions"
---@field text? string
local Condition = {}
Condition.__index = Condition
Condition.__name = "operator.Condition"

--- The field exists and is neither empty nor false.
filter.present = setmetatable({ kind = "present" }, Condition)

---@param text string
---@return operator.Condition
function filter.prefix(text)
  if type(text) ~= "string" or text == "" then
    error("operator.prefix takes the text that the value has to start with", 2)
  end
  return setmetatable({ kind = "prefix", text = text }, Condition)
end

--- The text occurs anywhere in the object's JSON, as a key or in a value.
---@param text string
---@return operator.Condition
function filter.mentions(text)
  if type(text) ~= "string" or text == "" then
    error("operator.mentions takes the text to look for", 2)
  end
  return setmetatable({ kind = "mentions", text = text }, Condition)
end

local function is_condition(value)
  return getmetatable(value) == Condition
end

local function empty(value)
  return value == nil
    or value == json.null
    or value == ""
    or value == false
    or (type(value) == "table" and next(value) == nil)
end

local match

-- Any item of the list `where`; nil when none is true and one cannot tell.
local function match_any(where, value, text)
  local answer = false
  for _, item in ipairs(where) do
    local one = match(item, value, text)
    if one then
      return true
    elseif one == nil then
      answer = nil
    end
  end
  return answer
end

local function match_condition(where, value, text)
  if where.kind == "present" then
    return not empty(value)
  elseif where.kind == "prefix" then
    return type(value) == "string" and value:sub(1, #where.text) == where.text
  end
  if text() then
    return text():find(where.text, 1, true) ~= nil
  end
  return nil
end

local function match_fields(where, value, text)
  for name, want in pairs(where) do
    local one = match(want, value[name], text)
    if not one then
      return one
    end
  end
  return true
end

-- One element of the object's list is enough.
local function match_element(where, list, text)
  for _, element in ipairs(list) do
    if match(where, element, text) then
      return true
    end
  end
  return false
end

--- `text` gives the JSON of the whole object, or nil where only a stub is known.
function match(where, value, text)
  local condition = is_condition(where)
  if condition and where.kind ~= "prefix" then
    return match_condition(where, value, text)
  elseif not condition and type(where) == "table" and where[1] ~= nil then
    return match_any(where, value, text)
  elseif json.is_array(value) then
    return match_element(where, value, text)
  elseif condition then
    return match_condition(where, value, text)
  elseif type(where) == "table" then
    return type(value) == "table" and match_fields(where, value, text)
  elseif where == false then
    return value == nil or value == false
  end
  return value == where
end

local function complain(path, fmt, ...)
  error("watch.where" .. path .. fmt:format(...), 0)
end

local function check_scalar(where, path, inside_meta)
  local kind = type(where)
  if kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
    complain(path, ": expected a value, a list, a table or an operator.… condition, got %s", kind)
  elseif inside_meta and kind ~= "string" then
    complain(path, ': values of Meta are strings, write "%s"', tostring(where))
  end
end

-- Every mistake is an error that names its path.
local function check(where, path, inside_meta)
  if is_condition(where) then
    return
  elseif type(where) ~= "table" then
    check_scalar(where, path, inside_meta)
    return
  elseif next(where) == nil then
    complain(path, " is an empty table, which says nothing; use operator.present, or leave it out")
  end
  for name, value in pairs(where) do
    if where[1] ~= nil and math.type(name) ~= "integer" then
      complain(path, " mixes a list with named fields (%s)", tostring(name))
    elseif where[1] ~= nil then
      check(value, ("%s[%d]"):format(path, name), inside_meta)
    elseif type(name) ~= "string" then
      complain(path, ": expected a field's name, got %s", tostring(name))
    else
      check(value, path .. "." .. name, inside_meta or name == "Meta")
    end
  end
end

---@class operator.Filter
---@field where any
---@field stub true|table<string, true> fields of a list's stub that are as in the object; true: it is the object
local Filter = {}
Filter.__index = Filter

--- Checks `where` (raises a sentence naming the path) and makes it a filter. nil matches everything.
---@param where any
---@param topic? operator.Topic whose objects it is for; nil: Job
---@return operator.Filter
function filter.new(where, topic)
  if where ~= nil then
    check(where, "", false)
  end
  return setmetatable({ where = where, stub = (topic or topics.Job).stub }, Filter)
end

--- Does the whole object match?
---@param object table as decoded from Nomad
---@param raw? string its JSON, if at hand; else it is encoded when a condition needs it
---@return boolean
function Filter:match(object, raw)
  if self.where == nil then
    return true
  end
  return match(self.where, object, function()
    raw = raw or json.encode(object)
    return raw
  end) == true
end

--- Does the object of this stub match?
---@param stub table an element of a list
---@return boolean? nil: the stub cannot tell, the object has to be read
function Filter:match_stub(stub)
  local where = self.where
  if where == nil then
    return true
  elseif self.stub == true then
    return self:match(stub)
  elseif is_condition(where) or where[1] ~= nil then
    -- Conditions on the whole object: what the stub mentions the object mentions, the reverse does not hold.
    local raw = json.encode(stub)
    local answer = match(where, stub, function()
      return raw
    end)
    return answer or nil
  end
  local answer = true
  for name, want in pairs(where) do
    local one = nil
    if self.stub[name] then
      one = match(want, stub[name], function()
        return nil
      end)
    end
    if one == false then
      return false
    elseif one == nil then
      answer = nil
    end
  end
  return answer
end

return filter
