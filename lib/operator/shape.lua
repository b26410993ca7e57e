--- shape: what Nomad does not change in a job that exists: its type, and whether it runs from a clock or by dispatch.

local shape = {}

local function is_set(value)
  return type(value) == "table"
end

-- "periodic batch"
local function words(job)
  local kind = (job.Type ~= nil and job.Type ~= "") and job.Type or "service"
  if is_set(job.Periodic) then
    return "periodic " .. kind
  elseif is_set(job.ParameterizedJob) then
    return "parameterized " .. kind
  end
  return kind
end

--- What of its shape would change, in words; nil: nothing, it can be updated in place.
---@param live table
---@param want table
---@return string? "batch → service"
function shape.change(live, want)
  local before, after = words(live), words(want)
  if before == after then
    return nil
  end
  return ("%s → %s"):format(before, after)
end

return shape
