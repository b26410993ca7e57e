--- nearest: the known name that a misspelt one was probably meant to be.

local nearest = {}

local function distance(a, b)
  local row = {}
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local above = row[j]
      local same = a:byte(i) == b:byte(j)
      row[j] = math.min(above + 1, row[j - 1] + 1, diagonal + (same and 0 or 1))
      diagonal = above
    end
  end
  return row[#b]
end

--- The closest of `names`, if it is close: two letters may differ, in a short name one.
---@param word string
---@param names string[]
---@return string?
function nearest.find(word, names)
  local best, score
  for _, name in ipairs(names) do
    local d = distance(word:lower(), name:lower())
    if d <= (#name > 4 and 2 or 1) and (not score or d < score) then
      best, score = name, d
    end
  end
  return best
end

--- ", did you mean X?" or nothing: the tail of an error sentence.
---@param word string
---@param names string[]
---@return string
function nearest.hint(word, names)
  local name = nearest.find(tostring(word), names)
  return name and (", did you mean %s?"):format(name) or ""
end

return nearest
