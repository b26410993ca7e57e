--- service: the defaults of services and their checks that the agent fills in.

local connect = require "nomad.jobspec.canonical.connect"
local tools = require "nomad.jobspec.canonical.tools"

local service = {}

-- The service's check_restart, overlaid with the check's own.
local function merged_restart(base, own)
  if not base or not own then
    local only = base or own
    return only and tools.merged(only) or nil
  end
  local result = tools.merged(base)
  if (own.Limit or 0) > 0 then
    result.Limit = own.Limit
  end
  result.Grace = own.Grace or base.Grace
  result.IgnoreWarnings = own.IgnoreWarnings or base.IgnoreWarnings
  return result
end

local COUNTERS = { "SuccessBeforePassing", "FailuresBeforeCritical", "FailuresBeforeWarning" }

local function canonicalize_check(self, owner, task)
  self.CheckRestart = merged_restart(owner.CheckRestart, self.CheckRestart)
  if self.CheckRestart then
    tools.fill(self.CheckRestart, { Grace = tools.SECOND })
  end
  for _, name in ipairs(COUNTERS) do
    self[name] = math.max(self[name] or 0, 0)
  end
  tools.fill_empty(self, "OnUpdate", owner.OnUpdate)
  if task then
    self.TaskName = nil -- only a group's check may name a task
  end
end

--- The agent's part.
---@param self table
---@param task? table nil: a service of the group
---@param group table
---@param job table
---@param at_least fun(version: string): boolean
function service.canonicalize(self, task, group, job, at_least)
  local name = ("%s-%s"):format(job.Name, group.Name)
  tools.fill_empty(self, "Name", task and ("%s-%s"):format(name, task.Name or "") or name)
  tools.fill_empty(self, "AddressMode", "auto")
  tools.fill_empty(self, "OnUpdate", "require_healthy")
  tools.fill_empty(self, "Provider", "consul")
  tools.fill_empty(self, "Cluster", "default")
  tools.drop_empty(self, "Meta", "CanaryMeta", "TaggedAddresses", "Checks")
  if self.Connect then
    connect.canonicalize(self.Connect, at_least)
  end
  if self.Weights then
    for _, state in ipairs { "Passing", "Warning" } do
      local weight = self.Weights[state] or 0
      self.Weights[state] = weight > 0 and weight or 1
    end
  end
  for _, check in ipairs(tools.each(self.Checks)) do
    canonicalize_check(check, self, task)
  end
end

return service
