--- elements: cuts the text of a JSON array into the texts of its elements.

local elements = {}

-- The position of the quote that ends the string whose first quote is at `from`.
local function string_end(text, from)
  local at = from + 1
  while true do
    local stop = text:find('["\\]', at)
    if not stop then
      return nil
    elseif text:byte(stop) == 34 then
      return stop
    end
    at = stop + 2
  end
end

-- Where the element that begins at `from` ends: before the comma or bracket that follows it.
local function element_end(text, from)
  local depth, at = 0, from
  while true do
    local stop, _, mark = text:find('(["%[%]{},])', at)
    if not stop then
      return nil
    elseif mark == '"' then
      stop = string_end(text, stop)
      if not stop then
        return nil
      end
    elseif mark == "[" or mark == "{" then
      depth = depth + 1
    elseif depth == 0 then
      return stop - 1
    elseif mark ~= "," then
      depth = depth - 1
    end
    at = stop + 1
  end
end

--- Returns nil when the text is no array; else an iterator: each call gives the next element, nil at the end, and
--- nil, true where the text breaks off.
---@param text string
---@return (fun(): string?, boolean?)?
function elements.of(text)
  local at = text:match "^%s*%[()"
  if not at then
    return nil
  end
  local over = false
  return function()
    if over then
      return nil
    end
    local from = text:match("^[%s,]*()", at)
    local first = text:sub(from, from)
    if first == "]" then
      over = true
      return nil
    end
    local stop = element_end(text, from)
    if first == "" or not stop then
      over = true
      return nil, true
    end
    at = stop + 1
    return (text:sub(from, stop):gsub("%s+$", ""))
  end
end

return elements
