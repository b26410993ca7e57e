--- passing: which events of the stream have to reach this Lua state; the host tests them as raw text. Why each of
--- them has to is said in host/interests.c.

local marks = require "operator.marks"

local passing = {}

local GONE = { "JobDeregistered", "JobBatchDeregistered" }

---@class operator.Pass of one topic: the event's type is in types, and (where is nil, or the type is in always, or
--- one of where holds or cannot be told, or the key is watched)
---@field types? string[] nil: all
---@field where? operator.Where[] of our mark, and of each policy; nil: everything holds
---@field always? string[]
---@field once? boolean an event of a watched key need not pass where one of the same JobModifyIndex has, of this
--- connection, for which no fewer of where held

---@class operator.Interests
---@field topics string[]
---@field pass table<string, true|operator.Pass> by topic; true: all of it
---@field namespace string[]

-- The programs of all policies, and that of our own mark; nil where a policy wants everything.
local function programs(policies, instance, program_of)
  local mark = { kind = "equal", value = instance }
  local list = {
    {
      kind = "fields",
      fields = { Meta = { kind = "fields", fields = { [marks.INSTANCE] = mark } } },
    },
  }
  for _, policy in ipairs(policies) do
    local program = program_of(policy)
    if not program then
      return nil
    end
    list[#list + 1] = program
  end
  return list
end

local function whole(policy)
  return policy.filter:program()
end

local function stub(policy)
  return policy.filter:stub_program(policy.watch.shallow == true)
end

--- Which stubs of a list have to reach this Lua state, besides those of watched keys: as operator.Pass.where.
---@param policies operator.Policy[]
---@param instance string
---@return operator.Where[]? nil: all
function passing.stubs(policies, instance)
  return programs(policies, instance, stub)
end

--- Does the watch of a policy hold, by what the host has found?
---@param holds integer a bit for each of operator.Pass.where
---@param number integer of the policy, the first is 1, among those of its topic
---@return boolean
function passing.holds(holds, number)
  return holds >> number & 1 == 1
end

-- Does what the policies do follow from the specification alone? Handlers are told of each event.
local function look_once(policies)
  for _, policy in ipairs(policies) do
    if policy.on or policy.watch.changes == "any" then
      return false
    end
  end
  return true
end

-- A topic that is followed by its list is subscribed to for handlers only (a list cannot tell of single events): it
-- would take more of a token, or of Nomad.
local function subscribes(policy)
  return not policy.topic.by_list or policy.on ~= nil
end

-- What passes, by topic. Jobs are always there, for children are jobs.
local function by_topic(policies, instance)
  local of_jobs, pass = {}, { Evaluation = { types = GONE } }
  for _, policy in ipairs(policies) do
    if policy.topic.name == "Job" then
      of_jobs[#of_jobs + 1] = policy
    elseif subscribes(policy) then
      pass[policy.topic.name] = true
    end
  end
  pass.Job = {
    where = programs(of_jobs, instance, whole),
    always = GONE,
    once = look_once(of_jobs),
  }
  return pass
end

--- What the host subscribes to and lets through.
---@param policies operator.Policy[]
---@param namespaces string[]
---@param instance string
---@return operator.Interests
function passing.interests(policies, namespaces, instance)
  local pass, names = by_topic(policies, instance), {}
  for name in pairs(pass) do
    names[#names + 1] = name
  end
  table.sort(names)
  return { topics = names, pass = pass, namespace = namespaces }
end

return passing
