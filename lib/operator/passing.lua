--- passing: which events of the stream have to reach this Lua state; the host tests them as raw text. Why each of
--- them has to is said in host/interests.c.

local marks = require "operator.marks"

local passing = {}

local GONE = { "JobDeregistered", "JobBatchDeregistered" }

---@class operator.Pass of one topic: the event's type is in types, and (where is nil, or the type is in always, or
--- one of where holds or cannot be told, or the key is watched)
---@field types? string[] nil: all
---@field where? operator.Where[] nil: everything holds
---@field always? string[]
---@field once? boolean an event of a watched key need not pass where one of the same JobModifyIndex has, of this
--- connection, for which no fewer of where held

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

-- Does what the policies do follow from the specification alone? Handlers are told of each event.
local function look_once(policies)
  for _, policy in ipairs(policies) do
    if policy.on or policy.watch.changes == "any" then
      return false
    end
  end
  return true
end

--- What the policies' events are, by topic.
---@param policies operator.Policy[]
---@param instance string
---@return table<string, operator.Pass>
function passing.of(policies, instance)
  return {
    Job = {
      where = programs(policies, instance, whole),
      always = GONE,
      once = look_once(policies),
    },
    Evaluation = { types = GONE },
  }
end

return passing
