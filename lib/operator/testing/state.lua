--- state: what the modelled servers hold: the raft index, namespaces, jobs, evaluations; and how a commit is made.

local events = require "operator.testing.events"
local json = require "host.json"
local random = require "operator.testing.random"

local state = {}

---@class operator.testing.ModelClock
---@field now fun(): number seconds since the epoch
---@field after? fun(seconds: number, fn: fun()): { stop: fun(self: any) } without it there are no heartbeats, and what
--- Nomad does a little later is done at once

---@class operator.testing.State
---@field clock operator.testing.ModelClock
---@field broker operator.testing.Broker
---@field canonical operator.testing.Canonical
---@field index integer
---@field tables table<string, integer> table name → index of its last change
---@field namespaces table<string, table>
---@field jobs table<string, table<string, table>> namespace → ID → job; jobs are never changed, but replaced
---@field versions table<string, table[]> key → old and current versions, the newest first
---@field evals table[]
---@field objects table<string, table<string, table>> topic → key → object; replaced, never changed
---@field random operator.testing.Random
---@field watchers table<integer, fun()>
local State = {}
State.__index = State

--- The real one starts a little higher than 1, and so does this.
local FIRST_INDEX = 10

---@param clock operator.testing.ModelClock
---@param canonical operator.testing.Canonical
---@param heartbeat number
---@param seed? integer
---@return operator.testing.State
function state.new(clock, canonical, heartbeat, seed)
  local self = setmetatable({
    clock = clock,
    canonical = canonical,
    broker = events.broker(clock, heartbeat),
    index = FIRST_INDEX,
    tables = { jobs = 1, namespaces = 1, evals = 1, allocs = 1, deployment = 1 },
    namespaces = {},
    jobs = {},
    versions = {},
    evals = {},
    objects = {},
    random = random.new(seed),
    watchers = {},
    watched = 0,
    texts = setmetatable({}, { __mode = "k" }),
  }, State)
  self:put_namespace("default", "Default shared namespace", 1)
  return self
end

---@return integer nanoseconds since the epoch
function State:nanoseconds()
  return math.tointeger(self.clock.now() * 1000000 // 1) * 1000
end

---@return integer
function State:next_index()
  self.index = self.index + 1
  return self.index
end

--- A change that no event tells of, as most of what clients report.
---@param name string table
function State:bump(name)
  self.tables[name] = self:next_index()
  self:notify()
end

--- fn is called after each change; returns how to stop that.
---@param fn fun()
---@return fun()
function State:watch(fn)
  self.watched = self.watched + 1
  local id = self.watched
  self.watchers[id] = fn
  return function()
    self.watchers[id] = nil
  end
end

function State:notify()
  local ids = {}
  for id in pairs(self.watchers) do
    ids[#ids + 1] = id
  end
  table.sort(ids)
  for _, id in ipairs(ids) do
    if self.watchers[id] then
      self.watchers[id]()
    end
  end
end

---@param name string
---@param description? string
---@param index integer
---@param meta? table
function State:put_namespace(name, description, index, meta)
  local old = self.namespaces[name]
  self.namespaces[name] = {
    Name = name,
    Description = description or "",
    Meta = meta,
    CreateIndex = old and old.CreateIndex or index,
    ModifyIndex = index,
  }
  self.jobs[name] = self.jobs[name] or {}
  self.tables.namespaces = index
end

---@param namespace string
---@param id string
---@return table?
function State:job(namespace, id)
  return self.jobs[namespace] and self.jobs[namespace][id]
end

--- All jobs, by namespace and ID. nil namespace: of all.
---@param namespace? string
---@return table[]
function State:list(namespace)
  local out = {}
  for ns, jobs in pairs(self.jobs) do
    if not namespace or ns == namespace then
      for _, job in pairs(jobs) do
        out[#out + 1] = job
      end
    end
  end
  table.sort(out, function(a, b)
    if a.Namespace ~= b.Namespace then
      return a.Namespace < b.Namespace
    end
    return a.ID < b.ID
  end)
  return out
end

--- Puts a job in the place of the one before. Nothing that was handed out earlier changes.
---@param job table
---@param index integer
function State:put_job(job, index)
  self.jobs[job.Namespace][job.ID] = job
  self.tables.jobs = index
  local key = job.Namespace .. "\0" .. job.ID
  local versions = self.versions[key] or {}
  self.versions[key] = versions
  if versions[1] and versions[1].Version == job.Version then
    versions[1] = job
  else
    table.insert(versions, 1, job)
    versions[7] = nil
  end
end

---@param job table
---@param index integer
function State:remove_job(job, index)
  self.jobs[job.Namespace][job.ID] = nil
  self.versions[job.Namespace .. "\0" .. job.ID] = nil
  self.tables.jobs = index
end

--- A copy of a job with some fields changed.
---@param job table
---@param changes table
---@return table
function State.with(job, changes)
  local out = {}
  for k, v in pairs(job) do
    out[k] = v
  end
  for k, v in pairs(changes) do
    out[k] = v
  end
  return out
end

--- The JSON text of a job.
---@param job table
---@return string
function State:text(job)
  local text = self.texts[job]
  if not text then
    text = json.encode(self.canonical:written(job), { sorted = true })
    self.texts[job] = text
  end
  return text
end

---@param job table
---@param event_type string
---@param index integer
---@param deleted? boolean
---@return operator.testing.Event
function State:job_event(job, event_type, index, deleted)
  local payload = '{"Job":' .. self:text(job) .. "}"
  if deleted then
    payload = '{"Deleted":true,"Job":' .. self:text(job) .. "}"
  end
  return {
    topic = "Job",
    type = event_type,
    key = job.ID,
    namespace = job.Namespace,
    index = index,
    payload = payload,
  }
end

---@param eval table
---@param event_type string
---@param index integer
---@return operator.testing.Event
function State.eval_event(_, eval, event_type, index)
  return {
    topic = "Evaluation",
    type = event_type,
    key = eval.ID,
    namespace = eval.Namespace,
    filter_keys = { eval.JobID, eval.DeploymentID or "" },
    index = index,
    payload = '{"Evaluation":' .. json.encode(eval, { sorted = true }) .. "}",
  }
end

--- A new evaluation, or nil's stand-in for one that changed.
---@param job { ID: string, Namespace: string, Type: string, Priority: integer }
---@param trigger string
---@param index integer
---@param job_index? integer
---@return table
function State:new_eval(job, trigger, index, job_index)
  local now = self:nanoseconds()
  return {
    ID = self.random:uuid(),
    CreateIndex = index,
    ModifyIndex = index,
    CreateTime = now,
    ModifyTime = now,
    JobID = job.ID,
    JobModifyIndex = job_index,
    Namespace = job.Namespace,
    Priority = job.Priority,
    Status = "pending",
    TriggeredBy = trigger,
    Type = job.Type,
  }
end

--- Keeps an evaluation, in the place of the same one before.
---@param eval table
---@param index integer
function State:put_eval(eval, index)
  self.tables.evals = index
  for i = #self.evals, 1, -1 do
    if self.evals[i].ID == eval.ID then
      self.evals[i] = eval
      return
    end
  end
  self.evals[#self.evals + 1] = eval
  if #self.evals > 1000 then
    table.remove(self.evals, 1)
  end
end

--- Sends a line with the events of one commit.
---@param index integer
---@param list operator.testing.Event[]
function State:publish(index, list)
  self.broker:publish { index = index, events = list }
end

return state
