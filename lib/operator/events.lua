--- events: what an event of the stream means for the controllers and for what is known of children. A hint only: what
--- is done about it is decided from state.

local marks = require "operator.marks"

local events = {}

-- Is this event news that the first list of this process cannot have known?
local function is_live(self, index)
  if not self.synced then
    return not self.first
  end
  return not self.first or index > (self.list_index or 0)
end

local GONE = { JobDeregistered = true, JobBatchDeregistered = true }

-- The owner of a child looks at it.
local function tell_owner(self, key)
  local owner, policy = self.known:whose(key)
  local one = owner and self.by_name[policy]
  if one then
    one:child_changed(owner, key)
  end
end

-- News of a child: its owner looks at it. A deregistration counts whatever its payload says, for some versions send
-- the job as it was; so does a child that lost its marks.
local function child_event(self, key, job, mark, gone)
  local owner = self.known:whose(key)
  if mark and mark.instance == self.instance then
    if not gone and self.apply.echo:heard(key, job.JobModifyIndex) then
      return
    end
    local changed = self.known:saw(key, mark, job.JobModifyIndex, job.Stop == true)
    if not changed and not (gone and owner) then
      return
    end
  elseif not owner then
    return
  end
  if gone or not mark then
    self.known:doubt(key)
  end
  tell_owner(self, key)
end

--- An event of the topic Job.
---@param self operator.Generation
---@param event { type: string, key: string, index: integer, raw: string, live?: boolean } live is filled in here
---@param payload table
function events.job(self, event, payload)
  local job, key = payload.Job, event.key
  if not job then
    return
  end
  self.newest = math.max(self.newest, job.ModifyIndex or 0)
  local gone = GONE[event.type] or payload.Deleted == true
  event.live = is_live(self, event.index)
  if gone then
    self.tombstones:put(key, event.index)
  end
  child_event(self, key, job, marks.read(job), gone)
  for _, one in ipairs(self.controllers) do
    if gone then
      one:deregistered(key, event, job)
    else
      one:observe(key, job, event)
    end
  end
end

--- An event of the topic Evaluation: a purge before Nomad 1.7.5 shows only here.
---@param self operator.Generation
---@param event { type: string, index: integer, key?: string, live?: boolean } key and live are filled in here
---@param namespace string
---@param payload table
function events.evaluation(self, event, namespace, payload)
  if not payload.Evaluation then
    return
  end
  local key = marks.key(namespace, payload.Evaluation.JobID)
  event.key, event.live = key, is_live(self, event.index)
  self.tombstones:put(key, event.index)
  for _, one in ipairs(self.controllers) do
    one:deregistered(key, event)
  end
  self.known:doubt(key)
  tell_owner(self, key)
end

return events
