-- people: what those who use the cluster do: their own jobs, and what they should not do to the operator's children.
local expected = require "chaos.expected"
local json = require "host.json"
local samples = require "support.jobs"

local people = {}

local IDS = { "a", "b", "c", "d", "e", "f", "web/api", "x:1" }
local NAMESPACES = { "default", "default", "ops" }

local RUNTIME = {
  "Stop",
  "Status",
  "StatusDescription",
  "Stable",
  "Version",
  "CreateIndex",
  "ModifyIndex",
  "JobModifyIndex",
  "SubmitTime",
  "ParentID",
  "Dispatched",
  "Payload",
}

local function meta_of(dice)
  local meta = {}
  if dice:chance(0.65) then
    meta["auto-backup"] = dice:weighted { { 8, "true" }, { 1, "false" }, { 1, "yes" } }
  end
  if dice:chance(0.3) then
    local bad = dice:chance(0.15)
    meta["backup-schedule"] = dice:pick(bad and expected.BAD_SCHEDULES or expected.SCHEDULES)
  end
  if dice:chance(0.3) then
    local bad = dice:chance(0.15)
    meta["backup-target-db"] = dice:pick(bad and expected.BAD_TARGETS or expected.TARGETS)
  end
  if dice:chance(0.5) then
    meta.twin = dice:weighted { { 4, "1" }, { 4, "2" }, { 2, "3" }, { 2, "0" }, { 1, "many" } }
  end
  if dice:chance(0.2) then
    meta.note = tostring(dice:whole(1, 9))
  end
  return next(meta) and meta or nil
end

-- All jobs that `filter` lets through, as clients read them.
local function jobs_of(nomad, filter)
  local list = {}
  for _, job in ipairs(nomad:all_jobs()) do
    if filter(job) then
      list[#list + 1] = job
    end
  end
  return list
end

local function is_source(job)
  return job.ParentID == ""
    and not (job.Meta and job.Meta["operator-self"])
    and not job.ID:find("^backup%-")
    and not job.ID:find("^twin%-")
end

local function is_child(job)
  return expected.marks(job, "default") ~= nil
end

local function is_run(job)
  return job.ParentID == "" and (job.Periodic or job.ParameterizedJob) ~= nil
end

local function is_foreign(job)
  return job.ParentID == "" and not is_child(job) and not is_source(job)
end

local function plain(job)
  for _, name in ipairs(RUNTIME) do
    job[name] = nil
  end
  return job
end

-- Nomad may refuse what people want (a batch job does not become a service): then nothing happens.
local function try(method, nomad, ...)
  return pcall(nomad[method], nomad, ...)
end

local function show(job)
  return job and (job.Namespace .. "/" .. job.ID) or "nothing"
end

-- Each of these does one thing and says what.
local deeds = {}

function deeds.register(nomad, dice)
  local make = samples[dice:weighted {
    { 5, "service" },
    { 2, "batch" },
    { 2, "periodic" },
    { 1, "parameterized" },
  }]
  local job = make(dice:pick(IDS), { Namespace = dice:pick(NAMESPACES), Meta = meta_of(dice) })
  if dice:chance(0.2) then
    job.Datacenters = json.array { "dc1", "dc2" }
  end
  try("register", nomad, job)
  return "register " .. show(job)
end

function deeds.flip(nomad, dice)
  local job = dice:pick(jobs_of(nomad, is_source))
  if job then
    job = plain(job)
    job.Meta = meta_of(dice)
    try("register", nomad, job)
  end
  return "change the meta of " .. show(job)
end

local function end_one(filter, what)
  return function(nomad, dice)
    local job = dice:pick(jobs_of(nomad, filter))
    local purge = dice:chance(0.5)
    if job then
      try(purge and "purge" or "stop", nomad, job.Namespace, job.ID)
    end
    return ("%s %s %s"):format(purge and "purge" or "stop", what, show(job))
  end
end

deeds.end_source = end_one(is_source, "job")
deeds.end_child = end_one(is_child, "child")
deeds.end_foreign = end_one(is_foreign, "foreign job")

function deeds.run(nomad, dice)
  local job = dice:pick(jobs_of(nomad, is_run))
  if job then
    try(job.Periodic and "force" or "dispatch", nomad, job.Namespace, job.ID)
  end
  return "run " .. show(job)
end

function deeds.collect(nomad)
  nomad:gc()
  return "collect garbage"
end

local edits = {}

function edits.env(job, dice)
  job.TaskGroups[1].Tasks[1].Env = { CHANGED = tostring(dice:whole(1, 9)) }
end

function edits.command(job)
  job.TaskGroups[1].Tasks[1].Config.command = "/bin/false"
end

function edits.cron(job, dice)
  if job.Periodic then
    job.Periodic.Spec = dice:pick(expected.SCHEDULES)
  else
    job.TaskGroups[1].Count = dice:whole(0, 5)
  end
end

function edits.add(job)
  job.Meta.added = "by hand"
end

local function edit_child(nomad, dice, names)
  local job = dice:pick(jobs_of(nomad, is_child))
  local name = dice:pick(names)
  if job then
    local stopped = job.Stop
    plain(job)
    edits[name](job, dice)
    job.Stop = stopped and dice:chance(0.5) or nil
    try("register", nomad, job)
  end
  return ("edit %s of child %s"):format(name, show(job))
end

function deeds.edit_child(nomad, dice)
  return edit_child(nomad, dice, { "env", "command", "cron", "add" })
end

-- Somebody takes a child over: from now on it is not ours.
function edits.unmark(job)
  for name in pairs(job.Meta) do
    if name:find "^operator%-" then
      job.Meta[name] = nil
    end
  end
end

function edits.instance(job)
  job.Meta["operator-instance"] = "other"
end

function deeds.take_child(nomad, dice)
  return edit_child(nomad, dice, { "unmark", "instance" })
end

-- A copy under another name, with our marks but not its own: not ours either.
function deeds.copy_child(nomad, dice)
  local job = dice:pick(jobs_of(nomad, is_child))
  if job then
    job = plain(job)
    job.ID = "backup-copy-" .. dice:whole(1, 3)
    job.Name = job.ID
    local there = nomad:job(job.Namespace, job.ID)
    if not there then
      try("register", nomad, job)
    end
  end
  return "copy a child to " .. show(job)
end

-- A job of somebody else, which has a name that a child would have.
function deeds.foreign(nomad, dice)
  local id = dice:pick(IDS)
  local name = dice:chance(0.6) and "backup-" .. id or ("twin-%d-%s"):format(dice:whole(1, 2), id)
  local job = samples.batch(name, { Namespace = dice:pick(NAMESPACES) })
  if dice:chance(0.3) then
    job.Meta = {
      ["operator-instance"] = "other",
      ["operator-policy"] = "backup",
      ["operator-owner"] = job.Namespace .. "/" .. id,
      ["operator-self"] = job.Namespace .. "/" .. name,
    }
  elseif dice:chance(0.3) then
    job.Meta = { ["auto-backup"] = "true" }
  end
  if not nomad:job(job.Namespace, job.ID) then
    try("register", nomad, job)
  end
  return "foreign job " .. show(job)
end

people.deeds = deeds

people.WEIGHTS = {
  { 9, "register" },
  { 10, "flip" },
  { 4, "end_source" },
  { 3, "end_child" },
  { 5, "edit_child" },
  { 1, "take_child" },
  { 1, "copy_child" },
  { 2, "foreign" },
  { 3, "end_foreign" },
  { 2, "run" },
  { 1, "collect" },
}

return people
