-- wire: judges each write that the operator sends to real servers: it must say which state it is about, carry our
-- marks, not be about a job of somebody else, and not stop what has been wanted all the time.
local audit = require "chaos.audit"
local expected = require "chaos.expected"
local json = require "host.json"
local uv = require "luv"

local wire = {}
wire.__index = wire

-- Seconds that an owner, and the policies, have not changed: from then on nobody can have meant that its child goes.
local SETTLED = 20
-- So old may be what was seen last of the jobs.
local FRESH = 5

local function now()
  uv.update_time()
  return uv.now() / 1000
end

local function key_of(job)
  return (job.Namespace or "default") .. "/" .. job.ID
end

function wire:complain(text, ...)
  self.violations[#self.violations + 1] = text:format(...)
end

-- All jobs were read: whose they are, and since when they are as they are.
function wire:look(jobs)
  local since = {}
  for _, job in ipairs(jobs) do
    local key, index = key_of(job), job.JobModifyIndex
    local before = self.since[key]
    since[key] = before and before.index == index and before or { index = index, at = now() }
    if not expected.marks(job, "default") then
      self.foreign[key .. " at " .. index] = true
    end
  end
  self.since, self.seen_at = since, now()
  self.wanted = self.version and expected.wanted(jobs, self.version) or {}
end

-- Somebody is about to change a job.
function wire:touch(key)
  self.since[key] = { index = -1, at = now() }
end

-- New policies, or an old snapshot: what is wanted has to be found out anew.
function wire:unsettle(version)
  self.version = version or self.version
  self.unsettled = now()
end

function wire:check_stop(key, owner)
  local since = self.since[owner]
  local settled = now() - math.max(since and since.at or math.huge, self.unsettled)
  if settled > SETTLED and now() - self.seen_at < FRESH and self.wanted[key] == owner then
    local text = "%s was stopped, though %s has wanted it for %d s"
    self:complain(text, key, owner, settled // 1)
  end
end

-- A request of the operator.
function wire:request(request)
  if not audit.is_write(request) then
    return
  end
  self.tried = self.tried + 1
  self.total = self.total + 1
  local body = request.path == "/v1/jobs" and json.decode(request.body)
  local job = type(body) == "table" and body.Job
  if not job then
    return self:complain("a write that is no registration: %s %s", request.method, request.path)
  end
  local key, mark = key_of(job), expected.marks(job, "default")
  self.changes[key] = (self.changes[key] or 0) + 1
  if not body.EnforceIndex then
    self:complain("%s was written without EnforceIndex", key)
  end
  if not mark then
    return self:complain("%s was written without our marks", key)
  end
  self.claims[key .. " at " .. (body.JobModifyIndex or 0)] = true
  if job.Stop then
    self:check_stop(key, mark.owner)
  end
end

-- Counts from here on.
function wire:reset()
  self.tried, self.changes = 0, {}
end

-- All that was wrong so far.
function wire:verdict()
  local list = { table.unpack(self.violations) }
  for claim in pairs(self.claims) do
    if self.foreign[claim] then
      list[#list + 1] = ("a write was sent to %s, which is not ours"):format(claim)
    end
  end
  return list
end

function wire.new()
  local self = setmetatable({ violations = {}, foreign = {}, claims = {}, since = {} }, wire)
  self.total, self.seen_at, self.wanted = 0, 0, {}
  self:unsettle()
  self:reset()
  return self
end

return wire
