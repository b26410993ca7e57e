--- plan: turns recorded lines into the plans that the synthetic Nomad sends (bench/server/plan.h says how they look).
--- The lines are real traffic; only job IDs and indexes are other ones each time.

local cjson = require "cjson"

local plan = {}

local RECORDING = "spec/fixtures/recordings/jobs.ndjson"
local SESSION = "bench/templates/session.ndjson"

--- Places for digits, until it is known where they stand. Neither is to be found in JSON text.
local NUMBER, INDEX = ("\1"):rep(7), ("\2"):rep(12)
local FIRST_INDEX = 1000000

local WANTED = { no = 0, backup = 1, gone = 2, run = 3 }

local function read_lines(path)
  local list = {}
  for line in io.lines(path) do
    if #line > 2 then
      list[#list + 1] = line .. "\n"
    end
  end
  return list
end

-- The IDs of all jobs that the lines tell of, longest first.
local function job_ids(lines)
  local seen, ids = {}, {}
  for _, line in ipairs(lines) do
    for _, event in ipairs(cjson.decode(line).Events) do
      local job = event.Payload.Job
      if job and not seen[job.ID] and job.ParentID == "" then
        seen[job.ID] = true
        ids[#ids + 1] = job.ID
      end
    end
  end
  table.sort(ids, function(a, b)
    return #a > #b or #a == #b and a < b
  end)
  return ids
end

-- `web`, `web/dispatch-1`, `web.app[0]` in strings become `j1234567-web` …; names of members stay.
local function rename(text, ids)
  for _, id in ipairs(ids) do
    local plain = id:gsub("%p", "%%%0")
    text = text:gsub('"(' .. plain .. '[/.%[]?[^"]*)"(:?)', function(value, colon)
      local after = value:sub(#id + 1, #id + 1)
      if colon == "" and (after == "" or after:find("[/.%[]")) then
        return '"j' .. NUMBER .. "-" .. value .. '"'
      end
    end)
  end
  return text
end

-- What an event means for the job's backup.
local function wanted(event, job)
  if event.Payload.Deleted == true then
    return WANTED.gone
  end
  if job.ParentID ~= "" then
    return WANTED.run
  end
  local meta = type(job.Meta) == "table" and job.Meta or {}
  local alive = not job.Stop and event.Type ~= "JobDeregistered"
  return alive and meta["auto-backup"] == "true" and WANTED.backup or WANTED.no
end

-- The jobs of a line's events, by where they stand in its text.
local function find_jobs(text)
  local digits = text:gsub("[\1\2]", "1")
  local jobs, at = {}, 1
  for _, event in ipairs(cjson.decode(digits).Events) do
    local job = event.Payload.Job
    if job then
      local start = select(2, assert(digits:find('"Payload":{[^{]-"Job":', at))) + 1
      local body = digits:match("^%b{}", start)
      assert(cjson.decode(body).ID == job.ID, "a job's braces are not balanced")
      local id = start
        + select(2, assert(body:find('"ID":"' .. job.ID:gsub("%p", "%%%0"))))
        - #job.ID
      jobs[#jobs + 1] = ("j %d %d %d %d %d"):format(
        id - 1,
        #job.ID,
        start - 1,
        #body,
        wanted(event, job)
      )
      at = start + #body
    end
  end
  return jobs
end

-- One line as a template. `offset(n)`: what is added to the line's index where `n` stood.
local function template(line, ids, offset)
  local deltas = {}
  local text = rename(line, ids):gsub('("%a*Index":)(%d+)', function(name, digits)
    if tonumber(digits) > 0 then
      deltas[#deltas + 1] = offset(tonumber(digits))
      return name .. INDEX
    end
  end)
  local slots, at, nth = {}, 1, 0
  while true do
    local start, stop = text:find("[\1\2]+", at)
    if not start then
      break
    end
    if text:byte(start) == 1 then
      slots[#slots + 1] = ("n %d"):format(start - 1)
    else
      nth = nth + 1
      slots[#slots + 1] = ("i %d %d"):format(start - 1, deltas[nth])
    end
    at = stop + 1
  end
  local jobs = find_jobs(text)
  local head = ("template %d %d %d\n"):format(#text, #slots, #jobs)
  local said = table.concat(slots, "\n") .. "\n" .. table.concat(jobs, "\n")
  return head .. said:gsub("\n$", "") .. "\n" .. text:gsub("[\1\2]", "0") .. "\n"
end

---@class bench.Plan
---@field templates string[]
---@field lines string[] "TEMPLATE NUMBER INDEX"
---@field initial integer lines that have happened before anybody listens
---@field events integer in the lines after those
---@field bytes integer

local Plan = {}
Plan.__index = Plan

local function new()
  return setmetatable(
    { templates = {}, lengths = {}, counts = {}, lines = {}, initial = 0, events = 0, bytes = 0 },
    Plan
  )
end

-- Adds a template made of a recorded line; returns its number.
function Plan:template(line, ids, offset)
  local made = template(line, ids, offset or function()
    return 0
  end)
  self.templates[#self.templates + 1] = made
  local at = #self.templates - 1
  self.lengths[at] = tonumber(made:match "^template (%d+)")
  self.counts[at] = #cjson.decode(line).Events
  return at
end

function Plan:line(which, number, index)
  self.lines[#self.lines + 1] = ("%d %d %d"):format(which, number, index)
  self.events = self.events + self.counts[which]
  self.bytes = self.bytes + self.lengths[which]
end

-- What has been added so far has happened before.
function Plan:before()
  self.initial, self.events, self.bytes = #self.lines, 0, 0
end

function Plan:write(path)
  local file = assert(io.open(path, "w"))
  file:write(table.concat(self.templates))
  file:write("lines ", #self.lines, "\n", table.concat(self.lines, "\n"), "\n")
  assert(file:close())
end

--- The recorded line of a job's first event of a type.
local function recorded(lines, id, kind)
  for _, line in ipairs(lines) do
    local event = cjson.decode(line).Events[1]
    if event.Key == id and event.Type == kind then
      return line
    end
  end
  error(("%s has no %s of %s"):format(RECORDING, kind, id))
end

local RECORDED = {
  plain = { "svc-plain", "JobRegistered" },
  no = { "svc-meta-nobackup", "JobRegistered" },
  backup = { "svc-backup", "JobRegistered" },
  stopped = { "svc-backup", "JobDeregistered" },
  docker = { "docker-web", "JobRegistered" },
  batch = { "batch-once", "JobRegistered" },
  periodic = { "periodic-tick", "JobRegistered" },
  multi = { "multi", "JobRegistered" },
  big = { "big-100", "JobRegistered" },
}

-- A plan with templates of recorded lines, by their names above.
local function with(...)
  local self, lines, at = new(), read_lines(RECORDING), {}
  for _, name in ipairs { ... } do
    local line = recorded(lines, table.unpack(RECORDED[name]))
    at[name] = self:template(line, job_ids { line })
  end
  return self, at, lines
end

-- Of 200 lines 2 are of jobs with a backup, 2 of jobs whose meta says that they want none, and 4 of a large job;
-- the mean length is 2.8 kB.
local function mixed(at, number)
  local place = number % 200
  if place == 0 then
    return at.docker
  end
  if place == 100 then
    return at.backup
  end
  if place == 50 or place == 150 then
    return at.no
  end
  if place % 50 == 25 then
    return at.multi
  end
  return place % 3 == 0 and at.batch or place % 3 == 1 and at.periodic or at.plain
end

--- W1: every line another job's, 1 % of them with a backup; so is the last.
---@param count integer
---@return bench.Plan
function plan.filtering(count)
  local self, at = with("plain", "no", "backup", "docker", "batch", "periodic", "multi")
  for i = 1, count - 1 do
    self:line(mixed(at, i), i, FIRST_INDEX + i)
  end
  self:line(at.backup, count, FIRST_INDEX + count)
  return self
end

--- W2: every line another job's, each with a backup.
---@param count integer
---@return bench.Plan
function plan.writing(count)
  local self, at = with("backup", "docker")
  for i = 1, count do
    self:line(i % 5 == 0 and at.docker or at.backup, i, FIRST_INDEX + i)
  end
  return self
end

--- W3: a recorded session with all topics, over and over, each time with jobs of another name.
---@param count integer at least so many lines; the last cycle is whole
---@return bench.Plan
function plan.session(count)
  local self, lines = new(), read_lines(SESSION)
  local ids, last = job_ids(lines), 0
  for _, line in ipairs(lines) do
    self:template(line, ids, function(index)
      return index
    end)
    last = math.max(last, cjson.decode(line).Index)
  end
  for cycle = 0, math.ceil(count / #lines) - 1 do
    for i = 1, #lines do
      self:line(i - 1, cycle + 1, FIRST_INDEX + cycle * (last + 1))
    end
  end
  return self
end

--- W4: of five lines three give a job its backup and two take an older one's away; the last gives.
---@param count integer
---@return bench.Plan
function plan.latency(count)
  local self, at = with("backup", "stopped")
  local newest, oldest = 0, 1
  for i = 1, count do
    if i < count and i > 40 and (i % 5 == 0 or i % 5 == 3) then
      self:line(at.stopped, oldest, FIRST_INDEX + i)
      oldest = oldest + 1
    else
      newest = newest + 1
      self:line(at.backup, newest, FIRST_INDEX + i)
    end
  end
  return self
end

--- W5: jobs of 100 groups, 0.89 MB each; every second has a backup, and so has the last.
---@param count integer
---@return bench.Plan
function plan.big(count)
  local self, at, lines = with("big")
  local line = recorded(lines, table.unpack(RECORDED.big))
  local without = line:gsub('"auto%-backup":"true"', '"auto-backup":"false"')
  at.without = self:template(without, job_ids { line })
  for i = 1, count do
    self:line((count - i) % 2 == 0 and at.big or at.without, i, FIRST_INDEX + i)
  end
  return self
end

--- Nothing happens.
---@return bench.Plan
function plan.idle()
  return (with("backup"))
end

--- N: `known` jobs with backups are there before; then `count` updates of them that change nothing for their backups,
--- and one new job.
---@param known integer
---@param count integer
---@return bench.Plan
function plan.known(known, count)
  local self, at = with("backup")
  for i = 1, known do
    self:line(at.backup, i, FIRST_INDEX + i)
  end
  self:before()
  for i = 1, count do
    -- A stride that has no factor in common with the usual sizes: neighbours in time are no neighbours in memory.
    self:line(at.backup, (i * 7919) % known + 1, 2 * FIRST_INDEX + i)
  end
  self:line(at.backup, known + 1, 2 * FIRST_INDEX + count + 1)
  return self
end

--- soak: the lines of W1, but of 10,000 jobs over and over; then one new job.
---@param count integer
---@return bench.Plan
function plan.soak(count)
  local self, at = with("plain", "no", "backup", "docker", "batch", "periodic", "multi")
  for i = 1, count do
    local number = i % 10000
    self:line(mixed(at, number), number, FIRST_INDEX + i)
  end
  self:line(at.backup, 9999999, FIRST_INDEX + count + 1)
  return self
end

return plan
