--- report: medians of what was measured, as one table in Markdown that is also fit for a terminal.

local goals = require "goals"

local report = {}

---@param list number[]
---@return number?
function report.median(list)
  if #list == 0 then
    return nil
  end
  local sorted = table.move(list, 1, #list, 1, {})
  table.sort(sorted)
  local middle = #sorted // 2
  if #sorted % 2 == 1 then
    return sorted[middle + 1]
  end
  return (sorted[middle] + sorted[middle + 1]) / 2
end

local function number(value, digits)
  if not value then
    return "-"
  end
  local text = ("%%.%df"):format(digits):format(value)
  if digits > 0 then
    return text
  end
  local grouped = text:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", "")
  return grouped
end

local function verdict(holds)
  if holds == nil then
    return "not measured"
  end
  return holds and "holds" or "does not hold"
end

local function pad(text, width, right)
  local space = (" "):rep(width - utf8.len(text))
  return right and space .. text or text .. space
end

-- Cells as lines of a table whose columns are aligned. The first column is text, the others are numbers.
local function draw(rows)
  local widths, lines = {}, {}
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do
      widths[i] = math.max(widths[i] or 3, utf8.len(cell))
    end
  end
  for n, row in ipairs(rows) do
    local cells = {}
    for i, cell in ipairs(row) do
      cells[i] = pad(cell, widths[i], i > 1)
    end
    lines[#lines + 1] = "| " .. table.concat(cells, " | ") .. " |"
    if n == 1 then
      for i = 1, #row do
        cells[i] = ("-"):rep(widths[i] - 1) .. (i > 1 and ":" or "-")
      end
      lines[#lines + 1] = "| " .. table.concat(cells, " | ") .. " |"
    end
  end
  return lines
end

-- The medians of one row, by peer.
local function values_of(row, measured, names)
  local values = {}
  for _, name in ipairs(names) do
    local list = {}
    for _, result in ipairs((measured[row.from] or {})[name] or {}) do
      if not result.wrong then
        list[#list + 1] = row.value(result)
      end
    end
    values[name] = report.median(list)
  end
  return values
end

local function ratio(values, peer)
  local mine, other = values.ours, values[peer]
  if not mine or not other or other == 0 then
    return "-"
  end
  return ("%.2fx"):format(mine / other)
end

--- The table of all peers. `measured`: workload → peer → results.
---@param measured table<string, table<string, table[]>>
---@param names string[] peers, in the order of the columns
---@return string[] lines
function report.peers(measured, names)
  local head = { "" }
  table.move(names, 1, #names, 2, head)
  table.move({ "ours/api", "ours/floor", "goal", "" }, 1, 4, #head + 1, head)
  local rows = { head }
  for _, row in ipairs(goals.rows) do
    if measured[row.from] then
      local values = values_of(row, measured, names)
      local cells = { row.name }
      for _, name in ipairs(names) do
        cells[#cells + 1] = number(values[name], row.digits)
      end
      cells[#cells + 1] = ratio(values, "api")
      cells[#cells + 1] = ratio(values, "floor")
      cells[#cells + 1] = row.goal
      cells[#cells + 1] = row.holds and verdict(row.holds(values)) or ""
      rows[#rows + 1] = cells
    end
  end
  return draw(rows)
end

--- The table of what is asked of ours alone. `measured`: name → values.
---@param measured table<string, number[]>
---@return string[] lines
function report.alone(measured)
  local medians, rows = {}, { { "ours alone", "median", "goal", "" } }
  for name, list in pairs(measured) do
    medians[name] = report.median(list)
  end
  for _, row in ipairs(goals.alone) do
    if medians[row.name] then
      local shown = number(medians[row.name], row.digits)
      local own = setmetatable({ ours = medians[row.name] }, { __index = medians })
      rows[#rows + 1] = {
        row.name,
        shown,
        row.goal,
        row.holds and verdict(row.holds(own)) or "",
      }
    end
  end
  return #rows > 1 and draw(rows) or {}
end

return report
