--- What several rules use: walking lists with holes, and sentences about choices.

local common = {}

local NONE = {}

--- The next element of a list that is not `false`, which stands for what the walk refused.
local function step(list, i)
  local item
  repeat
    i = i + 1
    item = list[i]
  until item ~= false
  if item ~= nil then
    return i, item
  end
end

--- Goes over a list (nil: none) without what the walk refused; gives index and element.
---@param list table?
---@return fun(list: table, i: integer): integer?, table?
---@return table
---@return integer
function common.each(list)
  return step, list or NONE, 0
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

--- So many answers a memo keeps.
local REMEMBERED = 2000

--- A function of one string that remembers its answers: jobs ask for the same few again and again.
---@generic T
---@param fn fun(text: string): T
---@return fun(text: string): T
function common.memo(fn)
  local answers, count = {}, 0
  return function(text)
    local answer = answers[text]
    if answer == nil then
      answer = fn(text)
      if count >= REMEMBERED then
        answers, count = {}, 0
      end
      answers[text], count = answer, count + 1
    end
    return answer
  end
end

return common
