--- heap: entries in order of their `due`, soonest first.

local heap = {}
heap.__index = heap

function heap.new()
  return setmetatable({}, heap)
end

function heap:peek()
  return self[1]
end

---@param entry { due: number }
function heap:push(entry)
  local i = #self + 1
  while i > 1 and self[i // 2].due > entry.due do
    self[i] = self[i // 2]
    i = i // 2
  end
  self[i] = entry
end

function heap:pop()
  local top, last = self[1], table.remove(self)
  if #self == 0 then
    return top
  end
  local i, size = 1, #self
  while true do
    local child = i * 2
    if child < size and self[child + 1].due < self[child].due then
      child = child + 1
    end
    if child > size or self[child].due >= last.due then
      break
    end
    self[i] = self[child]
    i = child
  end
  self[i] = last
  return top
end

return heap
