--- answers: HTTP answers as Nomad's agents give them, and the parameters that all its endpoints share.

local json = require "host.json"

local answers = {}

---@class operator.testing.Answer
---@field status integer
---@field headers table<string, string>
---@field body string
---@field elements? string[] the body of a list, in its parts
---@field blocked? { index: integer, wait: number } the request would wait for a change: ask again

---@param status integer
---@param text string
---@param index? integer
---@return operator.testing.Answer
function answers.text(status, text, index)
  return {
    status = status,
    headers = {
      ["Content-Type"] = "text/plain; charset=utf-8",
      ["X-Nomad-Index"] = index and tostring(index) or nil,
    },
    body = text,
  }
end

---@param value any a table to encode, or JSON text
---@param index? integer
---@return operator.testing.Answer
function answers.json(value, index)
  return {
    status = 200,
    headers = {
      ["Content-Type"] = "application/json",
      ["X-Nomad-Index"] = index and tostring(index) or nil,
    },
    body = type(value) == "string" and value or json.encode(value, { sorted = true }),
  }
end

--- A read: the headers say how fresh it is.
---@param value any
---@param index integer
---@return operator.testing.Answer
function answers.read(value, index)
  local answer = answers.json(value, index)
  answer.headers["X-Nomad-KnownLeader"] = "true"
  answer.headers["X-Nomad-LastContact"] = "0"
  return answer
end

---@param refusal operator.testing.Refusal
---@return operator.testing.Answer
function answers.refusal(refusal)
  return answers.text(refusal.status, refusal.text)
end

--- 200 and nothing to say.
---@param index? integer
---@return operator.testing.Answer
function answers.empty(index)
  return {
    status = 200,
    headers = { ["X-Nomad-Index"] = index and tostring(index) or nil },
    body = "",
  }
end

function answers.denied()
  return answers.text(403, "Permission denied")
end

function answers.wrong_method()
  return answers.text(405, "Invalid method")
end

local UNITS = { ns = 1e-9, us = 1e-6, ms = 1e-3, s = 1, m = 60, h = 3600 }

--- Go's duration syntax.
---@param text string
---@return number? seconds
local function duration(text)
  local total, rest = 0, text
  if text == "" then
    return nil
  end
  while rest ~= "" do
    local number, unit, after = rest:match "^([%d.]+)(%a+)(.*)$"
    local size = unit and UNITS[unit]
    if not size or not tonumber(number) then
      return nil
    end
    total, rest = total + tonumber(number) * size, after
  end
  return total
end

local MAX_WAIT = 300

--- What `index` and `wait` ask for.
---@param query table<string, string>
---@return { index: integer, wait: number }? nil: refused
---@return operator.testing.Answer?
function answers.blocking(query)
  local wait = MAX_WAIT
  if query.wait and query.wait ~= "" then
    wait = duration(query.wait)
    if not wait then
      return nil, answers.text(400, "Invalid wait time")
    end
  end
  local index = 0
  if query.index and query.index ~= "" then
    index = math.tointeger(tonumber(query.index))
    if not index or index < 0 then
      return nil, answers.text(400, "Invalid index")
    end
  end
  return { index = index, wait = math.min(wait, 2 * MAX_WAIT) }
end

--- Marks an answer whose index the asker has seen already.
---@param answer operator.testing.Answer
---@param asked { index: integer, wait: number }
---@param index integer
---@return operator.testing.Answer
function answers.or_block(answer, asked, index)
  if asked.index > 0 and index <= asked.index and asked.wait > 0 then
    answer.blocked = asked
  end
  return answer
end

local BOOLEANS = {
  ["1"] = true,
  t = true,
  T = true,
  ["true"] = true,
  TRUE = true,
  True = true,
  ["0"] = false,
  f = false,
  F = false,
  ["false"] = false,
  FALSE = false,
  False = false,
}

--- A boolean parameter, as Go reads it.
---@param query table<string, string>
---@param name string
---@return boolean? nil: refused
---@return operator.testing.Answer?
function answers.boolean(query, name)
  local text = query[name]
  if text == nil or text == "" then
    return false
  end
  local value = BOOLEANS[text]
  if value == nil then
    return nil,
      answers.text(
        500,
        ('Failed to parse value of "%s" (%s) as a bool: strconv.ParseBool: parsing "%s": '):format(
          name,
          text,
          text
        ) .. "invalid syntax"
      )
  end
  return value
end

---@param text string
---@return string
function answers.unescape(text)
  return (text:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

return answers
