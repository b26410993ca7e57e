-- wire: judges each write that the operator sends to real servers: it must say which state it is about, carry our
-- marks, not be about a job of somebody else, and not stop what is wanted, as far as the operator was told.
local audit = require "chaos.audit"
local expected = require "chaos.expected"
local json = require "host.json"
local uv = require "luv"

local wire = {}
wire.__index = wire

-- Seconds: what the operator was told before that it knows, and what it decided on before that it looks at again.
-- Within them it may act on the answer before the last one.
local AT_HAND = 2

-- What Nomad says where somebody else wrote first: the write was not made, which is what it was sent with an index for.
local REFUSED = "Enforcing job modify index"

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

-- All jobs were read, by somebody else than the operator: whose they are, and how new they are.
function wire:look(jobs)
  self.newest = {}
  for _, job in ipairs(jobs) do
    local key, index = key_of(job), job.JobModifyIndex
    self.newest[key] = { index = index, at = self.now() }
    if not expected.marks(job, "default") then
      self.foreign[key .. " at " .. index] = true
    end
  end
end

-- New policies.
function wire:load(version)
  self.version = version
end

-- An old snapshot is about to be restored, or was: indexes begin anew, and what was newer is not.
function wire:restored()
  self.newest = {}
  for _, list in pairs(self.views) do
    for _, view in ipairs(list) do
      view.index = -1
    end
  end
end

-- A new process of the operator: it was told of nothing.
function wire:began()
  self.views = {}
end

-- -- what the operator was told of a job

-- A view is a job as an answer or an event showed it, or that it was gone (job = false). The newest is kept, and those
-- that were the newest a moment ago.
local function add_view(self, key, view)
  local list, kept = self.views[key] or {}, {}
  local last = list[#list]
  if last and not view.asked and view.index < last.index then
    return -- the stream is behind what was read
  end
  view.at = self.now()
  for i, one in ipairs(list) do
    local until_when = list[i + 1] and list[i + 1].at or view.at
    if view.at - until_when <= AT_HAND then
      kept[#kept + 1] = one
    end
  end
  kept[#kept + 1] = view
  self.views[key] = kept
end

-- An answer to the operator, when somebody else had seen the job newer before it was even asked for: that of a server
-- which was the leader once, and does not know yet that it is not. The operator cannot know; it is only counted.
local function note_stale(self, key, view)
  local newest = self.newest[key]
  if newest and newest.at < view.asked and view.index < newest.index then
    self.stale = self.stale + 1
  end
end

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(code)
    return string.char(tonumber(code, 16))
  end))
end

-- The key of the job that a request reads.
local function read_key(request)
  local id = request.method == "GET" and request.path:match "^/v1/job/([^/]+)$"
  local namespace = request.query:match "namespace=([^&]*)"
  return id and unescape(namespace or "default") .. "/" .. unescape(id)
end

-- What an answer says of a job; nil: nothing.
local function view_of(request, answer)
  if answer.status == 404 then
    return { job = false, index = answer.index or 0, asked = request.at }
  elseif answer.status == 200 then
    local job = json.decode(answer.body)
    return { job = job, index = job.JobModifyIndex, asked = request.at }
  end
end

-- An answer to the operator.
function wire:answer(request, answer)
  if self.suspects[request] and answer.body:find(REFUSED, 1, true) then
    self.suspects[request] = nil
  end
  local key = read_key(request)
  local view = key and view_of(request, answer)
  if view then
    note_stale(self, key, view)
    add_view(self, key, view)
  end
end

-- A line of a stream to the operator.
function wire:line(_, text)
  local ok, line = pcall(json.decode, text)
  for _, event in ipairs(ok and type(line) == "table" and line.Events or {}) do
    local job = event.Topic == "Job" and type(event.Payload) == "table" and event.Payload.Job
    if job then
      add_view(self, key_of(job), { job = job, index = job.JobModifyIndex })
    end
  end
end

-- -- what it makes of that

-- Was the operator told of a newer one before it even asked?
local function is_old(self, key, view)
  for _, other in ipairs(self.views[key]) do
    if view.asked and other.at < view.asked and other.index > view.index then
      return true
    end
  end
  return false
end

-- What the operator was told of an owner, in words.
local function story(self, views, goes)
  local list = {}
  for i, view in ipairs(views) do
    local what = not view.job and "gone" or goes(view) and "does not want it" or "wants it"
    list[i] = ("%s at %d, %.1f s ago"):format(what, view.index, self.now() - view.at)
  end
  return #list > 0 and table.concat(list, "; ") or "it was told nothing of it"
end

local STOPPED = "%s was stopped, though the operator was told that %s wants it%s (%s)"

-- A child may go when its owner, as the operator was told, is gone or does not want it.
function wire:check_stop(request, key, mark)
  local views = self.views[mark.owner] or {}
  local function goes(view)
    return expected.may_go(view.job, mark, key, self.version)
  end
  local from, why = self.now() - AT_HAND, ""
  for i, view in ipairs(views) do
    local ended = views[i + 1] and views[i + 1].at or math.huge
    if goes(view) and ended >= from then
      if not is_old(self, mark.owner, view) then
        return
      end
      why = "; only an answer older than that says no"
    end
  end
  self.suspects[request] = STOPPED:format(key, mark.owner, why, story(self, views, goes))
end

-- A request of the operator.
function wire:request(request)
  request.at = self.now()
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
    self.stops = self.stops + 1
    self:check_stop(request, key, mark)
  end
end

-- Counts from here on.
function wire:reset()
  self.tried, self.changes = 0, {}
end

-- All that was wrong so far.
function wire:verdict()
  local list = { table.unpack(self.violations) }
  for _, text in pairs(self.suspects) do
    list[#list + 1] = text
  end
  for claim in pairs(self.claims) do
    if self.foreign[claim] then
      list[#list + 1] = ("a write was sent to %s, which is not ours"):format(claim)
    end
  end
  return list
end

function wire.new(clock)
  local self = setmetatable({ violations = {}, suspects = {}, foreign = {}, claims = {} }, wire)
  self.now = clock or now
  self.newest, self.views = {}, {}
  self.total, self.stops, self.stale = 0, 0, 0
  self:reset()
  return self
end

return wire
