--- recall: what the first list of a process tells of stopped children: those that an earlier process stopped out of the
--- budget count in it, and the runs of one may still have to be stopped.

local jobs = require "nomad.jobs"
local marks = require "operator.marks"

local recall = {}

local DAY = 86400
local NANO = 1000000000

---@class operator.Recall
---@field private deps operator.RecallDeps
---@field private over boolean the first list is complete
---@field private swept table<string, string[]> policy → when children were stopped out of the budget
---@field private unread string[] keys of stopped jobs of which the list did not tell the meta
---@field private has_meta boolean the server's list has it
local Recall = {}
Recall.__index = Recall

---@class operator.RecallDeps
---@field host table
---@field known operator.Known
---@field budget operator.Budget
---@field instance string
---@field stops_runs fun(policy: string): boolean

---@param deps operator.RecallDeps
---@return operator.Recall
function recall.new(deps)
  return setmetatable(
    { deps = deps, over = false, swept = {}, unread = {}, has_meta = false },
    Recall
  )
end

--- A list begins.
function Recall:begin()
  self.unread = {}
end

--- A child, as a list or a GET shows it.
---@param key string
---@param job table
---@param mark operator.Marks
---@return boolean unsettled its runs may be there still
function Recall:child(key, job, mark)
  if self.over or not job.Stop then
    return false
  end
  self.swept[mark.policy] = self.swept[mark.policy] or {}
  table.insert(self.swept[mark.policy], mark.swept)
  local unsettled = self.deps.stops_runs(mark.policy)
  self.deps.known:settle(key, unsettled)
  return unsettled
end

-- Until the first list is complete, every stopped job is looked at.
local STOPPED = { kind = "fields", fields = { Stop = { kind = "equal", value = true } } }

--- Which stubs it needs to see, besides those of children.
---@return operator.Where?
function Recall:wants()
  return not self.over and STOPPED or nil
end

--- A list has left elements out.
---@param has_meta boolean one of them had a Meta
function Recall:left_out(has_meta)
  self.has_meta = self.has_meta or has_meta
end

--- An element of the list.
---@param key string
---@param stub table
function Recall:stub(key, stub)
  self.has_meta = self.has_meta or stub.Meta ~= nil
  if
    not (self.over or self.has_meta)
    and stub.Stop == true
    and (stub.ParentID or "") == ""
    and (stub.SubmitTime or 0) > (self.deps.host.now() - DAY) * NANO
  then
    table.insert(self.unread, key)
  end
end

-- Where the list says nothing of meta (Nomad 1.4), the jobs that were stopped in the last day are read.
local function read_stopped(self)
  for _, key in ipairs(self.has_meta and {} or self.unread) do
    local job, err = jobs.get(marks.split(key))
    local mark = job and marks.read(job)
    if mark and mark.instance == self.deps.instance then
      self.deps.known:saw(key, mark, job.JobModifyIndex, job.Stop == true)
      self:child(key, job, mark)
    elseif not job and err.code ~= "not_found" and err.code ~= "denied" then
      return err
    end
  end
  return nil
end

--- The list has come to its end; before anything is removed.
---@async
---@return host.nomad.Error? err it is not known what counts
function Recall:finish()
  if self.over then
    return nil
  end
  local err = read_stopped(self)
  if err then
    return err
  end
  for policy, times in pairs(self.swept) do
    self.deps.budget:recall(policy, times)
  end
  self.over, self.swept, self.unread = true, {}, {}
  return nil
end

return recall
