--- events: what an event of the stream means for the controllers and for what is known of children. A hint only: what
--- is done about it is decided from state.

local marks = require "operator.marks"
local passing = require "operator.passing"
local topics = require "operator.topics"

local events = {}

-- Is this event news that the first list of this process cannot have known?
local function is_live(self, index)
  if not self.synced then
    return not self.first
  end
  return not self.first or index > (self.list_index or 0)
end

-- The owner of a child looks at it.
local function tell_owner(self, key)
  local owner, policy = self.known:whose(key)
  local one = owner and self.by_name[policy]
  if one then
    one:child_changed(owner, key)
  end
end

-- News of a child: its owner looks at it. A deregistration counts whatever its payload says, for some versions send
-- the job as it was; so does a child that lost its marks. `gone` is the index of a deregistration.
local function child_event(self, key, job, gone)
  local mark, owner = marks.read(job), self.known:whose(key)
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
    self.known:doubt(key, gone or job.JobModifyIndex)
  end
  tell_owner(self, key)
end

-- An event of a topic that policies watch, with its object.
local function observe(self, topic, event, payload)
  local object = payload[topic.payload]
  if type(object) ~= "table" then
    return
  end
  local key, gone = topic:key(topic:trim(object)), topic:is_gone(event.type, payload)
  event.key, event.live = key, is_live(self, event.index)
  if gone then
    self.tombstones:put(key, event.index)
  end
  if topic.name == "Job" then
    self.newest:seen(object.ModifyIndex or 0)
    child_event(self, key, object, gone and event.index)
  else
    self.watched:newest(topic):seen(object.ModifyIndex or 0)
  end
  for i, one in ipairs(self.watched:of(topic.name)) do
    local holds = event.holds and passing.holds(event.holds, i)
    if gone then
      one:deregistered(key, event, object, holds)
    else
      one:observe(key, object, event, holds)
    end
  end
end

-- An event of the topic Evaluation may be about a job: a purge before Nomad 1.7.5 shows only here.
local function job_purged(self, type, index, evaluation)
  local key = marks.key(evaluation.Namespace, evaluation.JobID)
  local event = { type = type, index = index, key = key, live = is_live(self, index) }
  self.tombstones:put(key, index)
  for _, one in ipairs(self.watched:of("Job")) do
    one:deregistered(key, event)
  end
  self.known:doubt(key, index)
  tell_owner(self, key)
end

---@class operator.StreamEvent
---@field type string
---@field index integer
---@field raw string JSON of the payload
---@field holds? integer which watches the host has found to hold (operator.passing); nil: it cannot tell of all
---@field key? string filled in, as live is
---@field live? boolean

--- An event of any topic.
---@param self operator.Generation
---@param name string of the topic
---@param event operator.StreamEvent
---@param payload table
function events.take(self, name, event, payload)
  local topic = topics[name]
  if type(topic) ~= "table" or not topic.payload then
    return
  end
  if name == "Evaluation" and topics.Job.gone[event.type] and payload.Evaluation then
    job_purged(self, event.type, event.index, payload.Evaluation)
  end
  observe(self, topic, event, payload)
end

return events
