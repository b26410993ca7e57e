--- filter: what `watch.where` and `watch.except` mean: an object matches that the first is true of, and the second not.
--- Both mirror the object: a scalar must be equal, a list means any of its items, a table goes into the object; where
--- the object holds a list, one element that matches is enough.
--- A match against a list's stub has three answers: true, false, and nil for "the stub cannot tell".
---
--- This is the meaning. The host runs the same over raw text, from the description that `program` gives: what it
--- leaves out is never decoded, what it cannot tell is asked here.

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

--- The text occurs anywhere in the object's JSON, as a key or in a value: as it came, or where escapes may spell it,
--- as it is written anew.
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

-- Is any item of the list what `ask` says yes to? nil when there is none and one cannot be told.
local function any_of(list, ask, ...)
  local answer = false
  for _, item in ipairs(list) do
    local one = ask(item, ...)
    if one then
      return true
    elseif one == nil then
      answer = nil
    end
  end
  return answer
end

local function match_condition(where, value, mentions)
  if where.kind == "present" then
    return not empty(value)
  elseif where.kind == "prefix" then
    return type(value) == "string" and value:sub(1, #where.text) == where.text
  end
  return mentions(where.text)
end

-- All fields; one that is false decides, whatever another cannot tell.
local function match_fields(where, value, mentions)
  local answer = true
  for name, want in pairs(where) do
    local one = match(want, value[name], mentions)
    if one == false then
      return false
    elseif one == nil then
      answer = nil
    end
  end
  return answer
end

-- One element of the object's list is enough.
local function match_element(where, list, mentions)
  local answer = false
  for _, element in ipairs(list) do
    local one = match(where, element, mentions)
    if one then
      return true
    elseif one == nil then
      answer = nil
    end
  end
  return answer
end

--- `mentions` tells whether a text occurs in the whole object; nil: only a stub is known.
function match(where, value, mentions)
  local condition = is_condition(where)
  if condition and where.kind ~= "prefix" then
    return match_condition(where, value, mentions)
  elseif not condition and type(where) == "table" and where[1] ~= nil then
    return any_of(where, match, value, mentions)
  elseif json.is_array(value) then
    return match_element(where, value, mentions)
  elseif condition then
    return match_condition(where, value, mentions)
  elseif type(where) == "table" then
    return type(value) == "table" and match_fields(where, value, mentions)
  elseif where == false then
    return value == nil or value == false
  end
  return value == where
end

local function complain(path, fmt, ...)
  error(path .. fmt:format(...), 0)
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

-- Does it ask what the whole object mentions?
local function asks_for_mentions(where)
  if is_condition(where) then
    return where.kind == "mentions"
  elseif type(where) == "table" then
    for _, part in pairs(where) do
      if asks_for_mentions(part) then
        return true
      end
    end
  end
  return false
end

---@class operator.Filter
---@field where any
---@field except any
---@field private mentions boolean
---@field private except_first boolean it needs no search for what the object mentions
---@field stub true|table<string, true> fields of a list's stub that are as in the object; true: it is the object
local Filter = {}
Filter.__index = Filter

--- Checks both (raises a sentence naming the path) and makes them a filter.
---@param where any nil: true of everything
---@param except? any of the same form; nil: true of nothing
---@param topic? operator.Topic whose objects it is for; nil: Job
---@return operator.Filter
function filter.new(where, except, topic)
  if where ~= nil then
    check(where, "watch.where", false)
  end
  if except ~= nil then
    check(except, "watch.except", false)
  end
  local searched = asks_for_mentions(except)
  return setmetatable({
    where = where,
    except = except,
    mentions = searched or asks_for_mentions(where),
    except_first = not searched,
    stub = (topic or topics.Job).stub,
  }, Filter)
end

-- May an escape in the JSON spell a part of the text?
local function may_spell(raw, text)
  if text:find '[%c"\\/]' then
    return raw:find("\\", 1, true) ~= nil
  elseif not raw:find("\\u", 1, true) then
    return false -- said faster than by a pattern
  end
  for hex in raw:gmatch "\\u(%x%x%x%x)" do
    local code = tonumber(hex, 16)
    if
      code < 0x80 and text:find(string.char(code), 1, true)
      or code >= 0x80 and text:find "[\x80-\xFF]"
    then
      return true
    end
  end
  return false
end

local function unknown()
  return nil
end

-- Tells which texts occur in an object.
local function mentions_of(object, raw)
  local encoded
  return function(text)
    if raw and raw:find(text, 1, true) then
      return true
    elseif raw and not may_spell(raw, text) then
      return false
    end
    -- Sorted, so that long values are not copied as Nomad wrote them, with its escapes and nulls.
    encoded = encoded or json.encode(object, { sorted = true })
    return encoded:find(text, 1, true) ~= nil
  end
end

local function is_true(pattern, object, mentions, absent)
  if pattern == nil then
    return absent
  end
  return match(pattern, object, mentions) == true
end

--- Does the whole object match?
---@param object table as decoded from Nomad
---@param raw? string its JSON, if at hand; else it is encoded when a condition needs it
---@return boolean
function Filter:match(object, raw)
  local mentions = self.mentions and mentions_of(object, raw) or unknown
  if self.except_first then
    return not is_true(self.except, object, mentions, false)
      and is_true(self.where, object, mentions, true)
  end
  return is_true(self.where, object, mentions, true)
    and not is_true(self.except, object, mentions, false)
end

-- Is it about the whole object, rather than about its fields?
local function is_whole(where)
  return is_condition(where) or type(where) ~= "table" or where[1] ~= nil
end

-- What a stub tells of the object: true and false hold for the object too, nil: it has to be read. `fields` are those
-- that are as in the object; what the stub mentions besides may be none of the object's.
local function told(where, stub, fields)
  if is_condition(where) then
    return nil
  elseif type(where) ~= "table" then
    return false -- no object is one value
  elseif where[1] ~= nil then
    return any_of(where, told, stub, fields)
  end
  local answer = true
  for name, want in pairs(where) do
    local one = nil
    if fields[name] then
      one = match(want, stub[name], unknown)
    end
    if one == false then
      return false
    elseif one == nil then
      answer = nil
    end
  end
  return answer
end

-- The same of `where`, whose true need only be likely: the object is read before anything follows from it.
local function likely(where, stub, fields)
  if where == nil then
    return true
  elseif is_whole(where) then
    return match(where, stub, mentions_of(stub)) or nil
  end
  return told(where, stub, fields)
end

--- Does the object of this stub match?
---@param stub table an element of a list
---@return boolean? nil: the stub cannot tell, the object has to be read
function Filter:match_stub(stub)
  if self.stub == true then
    return self:match(stub)
  end
  local answer = likely(self.where, stub, self.stub)
  if self.except == nil or answer == false then
    return answer
  end
  local excepted = told(self.except, stub, self.stub)
  if excepted == nil then
    return nil
  end
  return not excepted and answer
end

---@class operator.Where a plain description of what matches, for the host
---@field kind "any"|"fields"|"equal"|"prefix"|"mentions"|"present"|"except"|"unsaid" except: the first, not the second
---@field text? string
---@field value? any
---@field fields? table<string, operator.Where>

-- `tell` says whether what a condition mentions can be said.
local function describe(where, tell)
  if is_condition(where) then
    local said = where.kind ~= "mentions" or tell == nil or tell(where.text)
    return { kind = said and where.kind or "unsaid", text = where.text }
  elseif type(where) ~= "table" then
    return { kind = "equal", value = where }
  end
  local node = { kind = where[1] ~= nil and "any" or "fields" }
  if node.kind == "any" then
    for _, item in ipairs(where) do
      node[#node + 1] = describe(item, tell)
    end
    return node
  end
  node.fields = {}
  for name, want in pairs(where) do
    node.fields[name] = describe(want, tell)
  end
  return node
end

-- The descriptions of `where` and `except`, as one.
local function both(where, except)
  if not except then
    return where
  end
  return { kind = "except", where or { kind = "fields", fields = {} }, except }
end

--- What `match` does, for the host.
---@return operator.Where? nil: everything matches
function Filter:program()
  return both(
    self.where ~= nil and describe(self.where) or nil,
    self.except ~= nil and describe(self.except) or nil
  )
end

-- Is a text that is not in the raw JSON not in the decoded one either? One that lies within a string, whatever the
-- numbers and the white space look like.
local function is_plain(text)
  return not text:find '["\\/%c]' and text:find "[^%d+%-.eE{}%[%]:, truefalsn]" ~= nil
end

local function never()
  return false
end

-- What `told` does.
local function describe_told(where, fields)
  if not is_whole(where) then
    local node = { kind = "fields", fields = {} }
    for name, want in pairs(where) do
      node.fields[name] = fields[name] and describe(want, never) or { kind = "unsaid" }
    end
    return node
  elseif is_condition(where) then
    return { kind = "unsaid" }
  elseif type(where) ~= "table" then
    return describe(where)
  end
  local node = { kind = "any" }
  for i, item in ipairs(where) do
    node[i] = describe_told(item, fields)
  end
  return node
end

-- What `likely` does, where that leaves out any.
local function describe_likely(where, stub_fields, shallow)
  if where == nil or (is_whole(where) and not shallow) then
    return nil
  elseif is_whole(where) then
    return describe(where, is_plain)
  end
  local fields = {}
  for name, want in pairs(where) do
    if stub_fields[name] then
      fields[name] = describe(want, never)
    elseif shallow then
      return { kind = "any" } -- never true
    end
  end
  return next(fields) and { kind = "fields", fields = fields } or nil
end

--- What leaves out only stubs of which `match_stub` says false, or, where the policy is shallow, does not say true.
---@param shallow boolean
---@return operator.Where? nil: none can be left out
function Filter:stub_program(shallow)
  return both(
    describe_likely(self.where, self.stub, shallow),
    self.except ~= nil and describe_told(self.except, self.stub) or nil
  )
end

return filter
