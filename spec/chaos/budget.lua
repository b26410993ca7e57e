-- budget: counts the removals that nobody but a withdrawn policy can have asked for, and says where they were more
-- than the usual budget allows: the larger of 5 and 20 % of the children, a day. A run is shorter than a day.
local expected = require "chaos.expected"

local budget = {}
budget.__index = budget

local LEAST, SHARE = 5, 0.2

-- An owner whose last change is older than this has been looked at since: a resync has passed. Seconds.
local LOOKED_AT = 700

local function owner_of(nomad, mark)
  return nomad:job(mark.owner:match "^([^/]*)/(.*)$")
end

-- A removal counts when the owner is still as it was when the policy was withdrawn, and had not changed for long: what
-- an owner's own change brings about is free, also when it comes late.
function budget:removed(mark)
  local owner = owner_of(self.nomad, mark)
  local index = self.indexes and self.indexes[mark.owner]
  if not owner or owner.Stop or owner.JobModifyIndex ~= index then
    return
  end
  local count = (self.counts[mark.policy] or 0) + 1
  self.counts[mark.policy] = count
  local most = math.max(LEAST, math.floor((self.peak[mark.policy] or 0) * SHARE))
  if count > most then
    local text = "%d children of %s were removed because of a withdrawn policy; %d are allowed"
    table.insert(self.violations, text:format(count, mark.policy, most))
  end
end

-- The owner's index, if it has not changed for long.
function budget:settled(mark)
  local owner = owner_of(self.nomad, mark)
  local age = owner and self.nomad.state:nanoseconds() - owner.SubmitTime or 0
  return age > LOOKED_AT * 10 ^ 9 and owner.JobModifyIndex or nil
end

-- New policies are loaded. Withdrawn: none of the owners asked for what follows.
function budget:withdraw(withdrawn)
  self.indexes = withdrawn and {} or nil
  if not withdrawn then
    return
  end
  local children = {}
  for _, job in ipairs(self.nomad.state:list()) do
    local mark = expected.marks(job, "default")
    if mark and not job.Stop then
      children[mark.policy] = (children[mark.policy] or 0) + 1
      self.indexes[mark.owner] = self:settled(mark)
    end
  end
  for policy, count in pairs(children) do
    self.peak[policy] = math.max(self.peak[policy] or 0, count + (self.counts[policy] or 0))
  end
end

-- What was removed before is not known to a new process.
function budget:restart()
  self.counts = {}
end

function budget.watch(nomad, audit)
  local self = setmetatable({ nomad = nomad, violations = {}, counts = {}, peak = {} }, budget)
  audit.removed = function(mark)
    self:removed(mark)
  end
  return self
end

return budget
