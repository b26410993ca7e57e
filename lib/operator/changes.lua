--- changes: what an update changes, in a line of the transcript.

local compare = require "operator.compare"
local paths = require "operator.paths"

local changes = {}

--- What `desired` sets and the live job has otherwise: "cron @daily → @hourly", "group db: task dump: Env.TARGET
--- changed, and 3 more". Values of the environment and bodies of templates are not shown.
---@param live table
---@param wanted table
---@param ignored string[] of paths.compile
---@return string? nil: nothing
function changes.between(live, wanted, ignored)
  local difference = compare.first_difference(wanted, live, ignored)
  if not difference then
    return nil
  end
  local diff = require "nomad.jobspec.diff"
  local list = diff.jobs(live, wanted, {
    partial = true,
    ignored = function(path)
      return paths.match(ignored, path)
    end,
  })
  if #list == 0 then
    return compare.describe(difference) -- what only that can tell: an order, say
  end
  return require("nomad.jobspec.difftext").line(list)
end

--- What is different about the live child, in words. The hash tells of fields that were taken away.
---@param live table
---@param wanted operator.WantedChild
---@param mark operator.Marks
---@param ignored string[] of paths.compile
---@return string? nil: nothing
function changes.drift(live, wanted, mark, ignored)
  local difference = changes.between(live, wanted.job, ignored)
  if mark.adopted then
    return "adopted"
  elseif difference then
    return difference
  elseif live.Stop then
    return "was stopped"
  elseif mark.hash and mark.hash ~= wanted.digest then
    return "changed"
  end
  return nil
end

return changes
