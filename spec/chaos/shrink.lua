-- shrink: a shorter list of steps that still fails in the same way: parts are left out for as long as that works.
local run = require "chaos.run"

local shrink = {}

-- Runs that are spent on it at most.
local MOST = 250

-- What a failure is about: its first sentence without names and numbers.
local function kind_of(wrong)
  return (wrong[1] or ""):gsub("[%w-]+/[%w/:-]+", "JOB"):gsub("%d+", "N"):match("^[^\n]*")
end

local function without(steps, from, to)
  local list = table.move(steps, 1, from - 1, 1, {})
  return table.move(steps, to + 1, #steps, #list + 1, list)
end

-- Returns the shorter list and its run.
function shrink.steps(steps, failed, settings)
  local kind, spent, best = kind_of(failed.wrong), 0, failed
  local size = math.max(1, #steps // 2)
  while spent < MOST do
    local from, shorter = 1, false
    while from <= #steps and spent < MOST do
      local fewer = without(steps, from, math.min(from + size - 1, #steps))
      local result = run.carry_out(fewer, settings)
      spent = spent + 1
      if kind_of(result.wrong) == kind then
        steps, best, shorter = fewer, result, true
      else
        from = from + size
      end
    end
    if size == 1 and not shorter then
      break
    end
    size = math.max(1, size // 2)
  end
  return steps, best
end

return shrink
