-- conformance: a story told to a Nomad, and what it answered and announced. The model's must be the real one's.
local json = require "host.json"
local jobs = require "support.jobs"

local conformance = {}

local function body(job, more)
  local request = { Job = job }
  for name, value in pairs(more or {}) do request[name] = value end
  return json.encode(request)
end

local function raw(text)
  return ('{"Job":{"ID":"raw","TaskGroups":[{"Name":"g","Tasks":[{"Name":"t","Driver":"x"}]}],%s}}')
    :format(text)
end

local function at(index)
  return { EnforceIndex = true, JobModifyIndex = index }
end

-- What a plan says of the job itself; its annotations are the scheduler's business.
local function of_plan(value)
  local diff = value.Diff
  local edited = type(diff) == "table" and diff.Type == "Edited"
  return {
    type = type(diff) == "table" and diff.Type or diff,
    fields = edited and diff.Fields or nil,
    JobModifyIndex = value.JobModifyIndex,
    launch = type(value.NextPeriodicLaunch),
    warnings = value.Warnings,
  }
end

local function without_summary(value)
  for _, stub in ipairs(value) do stub.JobSummary = nil end
  return value
end

local function without_hash(value)
  value.Hash = nil
  return value
end

local function length(value) return #value end

local web = jobs.service
local ticking = jobs.periodic

-- { what it is about, method, path, body }. look: what of the answer counts; quiet: it announces nothing; slow: a
-- task runs to its end; sorted: the order of lines is open; agent: it is about the agent that is asked.
conformance.steps = {
  { "a new service", "POST", "/v1/jobs", body(web("web", { Meta = { a = "1" } })) },
  { "a job as it is read", "GET", "/v1/job/web" },
  { "the same service again", "POST", "/v1/jobs", body(web("web", { Meta = { a = "1" } })) },
  { "a changed service", "POST", "/v1/jobs", body(web("web", { Meta = { a = "2" } })) },
  { "index 0 for a job that is there", "POST", "/v1/jobs", body(web "web", at(0)), quiet = true },
  { "a wrong index", "POST", "/v1/jobs", body(web "web", at(5)), quiet = true },
  { "an index for no job", "POST", "/v1/jobs", body(web "none", at(5)), quiet = true },
  { "a new periodic job", "POST", "/v1/jobs", body(ticking "tick") },
  { "a periodic job as it is read", "GET", "/v1/job/tick" },
  { "the same periodic job again", "POST", "/v1/jobs", body(ticking "tick") },
  { "another meta for it", "POST", "/v1/jobs", body(ticking("tick", { Meta = { m = "1" } })) },
  { "a run by force", "PUT", "/v1/job/tick/periodic/force", slow = true },
  { "a list with meta", "GET", "/v1/jobs?meta=true&prefix=tick", look = without_summary },
  { "a list by prefix", "GET", "/v1/jobs?prefix=we", look = length },
  { "a page of a list", "GET", "/v1/jobs?per_page=1", look = length },
  { "a stub without meta", "GET", "/v1/jobs?prefix=web", look = without_summary },
  { "a run of no job", "PUT", "/v1/job/none/periodic/force", quiet = true },
  { "a run of a service", "PUT", "/v1/job/web/periodic/force", quiet = true },
  { "periodic to plain", "POST", "/v1/jobs", body(jobs.batch "tick"), quiet = true },
  { "service to batch", "POST", "/v1/jobs", body(jobs.batch "web"), quiet = true },
  { "words as a schedule", "POST", "/v1/jobs",
    body(ticking("bad", { Periodic = { Spec = "whenever" } })), quiet = true },
  { "@every as a schedule", "POST", "/v1/jobs",
    body(ticking("bad", { Periodic = { Spec = "@every 5m" } })), quiet = true },
  { "minute 99 as a schedule", "POST", "/v1/jobs",
    body(ticking("bad", { Periodic = { Spec = "99 * * * *" } })), quiet = true },
  { "no schedule", "POST", "/v1/jobs",
    body(ticking("bad", { Periodic = { Spec = "" } })), quiet = true },
  { "a time zone on Mars", "POST", "/v1/jobs",
    body(ticking("bad", { Periodic = { Spec = "@daily", TimeZone = "Mars/X" } })), quiet = true },
  { "a periodic service", "POST", "/v1/jobs",
    body(ticking("bad", { Type = "service" })), quiet = true },
  { "a space in an ID", "POST", "/v1/jobs", body(web "a b"), quiet = true },
  { "an odd type", "POST", "/v1/jobs", body(web("x", { Type = "zz" })), quiet = true },
  { "an odd priority", "POST", "/v1/jobs", body(web("x", { Priority = 500 })), quiet = true },
  { "no groups", "POST", "/v1/jobs", '{"Job":{"ID":"x"}}', quiet = true },
  { "no tasks", "POST", "/v1/jobs",
    '{"Job":{"ID":"x","Datacenters":["dc1"],"TaskGroups":[{"Name":"g"}]}}', quiet = true },
  { "no driver", "POST", "/v1/jobs",
    '{"Job":{"ID":"x","Datacenters":["dc1"],"TaskGroups":[{"Name":"g","Tasks":[{"Name":"t"}]}]}}',
    quiet = true },
  { "no ID", "POST", "/v1/jobs", '{"Job":{"Name":"x"}}', quiet = true },
  { "no job", "POST", "/v1/jobs", "{}", quiet = true },
  { "no body", "POST", "/v1/jobs", "", quiet = true },
  { "half a body", "POST", "/v1/jobs", '{"Job":', quiet = true },
  { "a float for an integer", "POST", "/v1/jobs", raw '"Priority":1.5', quiet = true },
  { "an exponent", "POST", "/v1/jobs", raw '"SubmitTime":1.7e+18', quiet = true },
  { "an object for a list", "POST", "/v1/jobs", raw '"Datacenters":{}', quiet = true },
  { "a list for a map", "POST", "/v1/jobs", raw '"Meta":[]', quiet = true },
  { "a number in the meta", "POST", "/v1/jobs", raw '"Meta":{"a":1}', quiet = true },
  { "another ID in the path", "POST", "/v1/job/foo", body(web "bar"), quiet = true },
  { "a namespace that is not there", "POST", "/v1/jobs?namespace=ghost",
    body(web "x"), quiet = true },
  { "a list of such a namespace", "GET", "/v1/jobs?namespace=ghost", quiet = true },
  { "a job of such a namespace", "GET", "/v1/job/x?namespace=ghost", quiet = true },
  { "a job that is not there", "GET", "/v1/job/none", quiet = true },
  { "a job of all namespaces", "GET", "/v1/job/web?namespace=*", quiet = true },
  { "ACL policies where ACLs are off", "GET", "/v1/acl/policies?prefix=x", quiet = true },
  { "a region that is not there", "POST", "/v1/jobs",
    body(web("x", { Region = "eu" })), quiet = true },
  { "a read of such a region", "GET", "/v1/jobs?region=eu", quiet = true },
  { "a plan of nothing new", "POST", "/v1/job/web/plan",
    body(web("web", { Meta = { a = "2" } }), { Diff = true }), look = of_plan, quiet = true },
  { "a plan of a change", "POST", "/v1/job/web/plan",
    body(web("web", { Meta = { a = "3" } }), { Diff = true }), look = of_plan, quiet = true },
  { "a plan of a new job", "POST", "/v1/job/new/plan",
    body(web "new", { Diff = true }), look = of_plan, quiet = true },
  { "a plan of a new periodic job", "POST", "/v1/job/new/plan",
    body(ticking "new"), look = of_plan, quiet = true },
  { "a plan of a bad job", "POST", "/v1/job/bad/plan",
    body(ticking("bad", { Periodic = { Spec = "whenever" } })), quiet = true },
  { "validation of a good job", "POST", "/v1/validate/job", body(web "new"), quiet = true },
  { "validation of a bad job", "POST", "/v1/validate/job", '{"Job":{"ID":"z"}}', quiet = true },
  { "a stop by register, wrong index", "POST", "/v1/jobs",
    body(ticking("tick", { Stop = true }), at(1)), quiet = true },
  { "a stop by register", "POST", "/v1/jobs",
    body(ticking("tick", { Stop = true, Meta = { m = "1" } })) },
  { "a run of a stopped job", "PUT", "/v1/job/tick/periodic/force", quiet = true },
  { "the same stop again", "POST", "/v1/jobs",
    body(ticking("tick", { Stop = true, Meta = { m = "1" } })) },
  { "a stop of a stopped job", "DELETE", "/v1/job/tick" },
  { "a stopped job comes back", "POST", "/v1/jobs", body(ticking("tick", { Meta = { m = "1" } })) },
  { "a stop of a periodic job", "DELETE", "/v1/job/tick" },
  { "a purge of a periodic job", "DELETE", "/v1/job/tick?purge=true" },
  { "a service stopped by register", "POST", "/v1/jobs",
    body(web("web", { Stop = true, Meta = { a = "2" } })) },
  { "a stopped service comes back", "POST", "/v1/jobs", body(web("web", { Meta = { a = "2" } })) },
  { "a stop of a service", "DELETE", "/v1/job/web" },
  { "a stop of a stopped service", "DELETE", "/v1/job/web" },
  { "a stopped service as it is read", "GET", "/v1/job/web" },
  { "a purge of a stopped service", "DELETE", "/v1/job/web?purge=true" },
  { "a stop of no job", "DELETE", "/v1/job/none" },
  { "an odd boolean", "DELETE", "/v1/job/none?purge=zz", quiet = true },
  { "a batch job", "POST", "/v1/jobs", body(jobs.batch "once"), slow = true },
  { "the same batch job again", "POST", "/v1/jobs", body(jobs.batch "once") },
  { "a job with runtime fields", "POST", "/v1/jobs", body(ticking("odd", {
    Version = 7, Status = "dead", ModifyIndex = 3, SubmitTime = 5, Stable = true, ParentID = "web",
  })) },
  { "that job as it is read", "GET", "/v1/job/odd" },
  { "a parameterized job", "POST", "/v1/jobs", body(jobs.parameterized "work") },
  { "a changed one", "POST", "/v1/jobs", body(jobs.parameterized("work", { Meta = { z = "1" } })) },
  { "a dispatch", "PUT", "/v1/job/work/dispatch", '{"Meta":{"a":"x"}}', slow = true },
  { "a list with a dispatch", "GET", "/v1/jobs?meta=true&prefix=work", look = without_summary },
  { "a dispatch with unknown meta", "PUT", "/v1/job/work/dispatch",
    '{"Meta":{"b":"x"}}', quiet = true },
  { "a dispatch of no job", "PUT", "/v1/job/none/dispatch", "{}", quiet = true },
  { "a dispatch of a plain job", "PUT", "/v1/job/once/dispatch", "{}", quiet = true },
  { "parameterized to plain", "POST", "/v1/jobs", body(jobs.batch "work"), quiet = true },
  { "plain to parameterized", "POST", "/v1/jobs", body(jobs.parameterized "once"), quiet = true },
  { "a purge of a parameterized job", "DELETE", "/v1/job/work?purge=true" },
  { "a slash in an ID", "POST", "/v1/jobs", body(ticking "a/b") },
  { "a job by its encoded ID", "GET", "/v1/job/a%2Fb" },
  { "a route below a job, encoded", "GET", "/v1/job/none%2Fallocations", quiet = true },
  { "a stop where a route is", "DELETE", "/v1/job/once/plan", quiet = true },
  { "a new namespace", "PUT", "/v1/namespace/ops",
    '{"Name":"ops","Description":"d"}', quiet = true },
  { "a namespace", "GET", "/v1/namespace/ops", look = without_hash },
  { "no such namespace", "GET", "/v1/namespace/ops2", quiet = true },
  { "a namespace with an odd name", "PUT", "/v1/namespace/o%20ps",
    '{"Name":"o ps"}', quiet = true },
  { "the query's namespace counts", "POST", "/v1/jobs?namespace=ops",
    body(ticking("tick", { Namespace = "default" })) },
  { "a list of all namespaces", "GET", "/v1/jobs?namespace=*&prefix=tick", look = without_summary },
  { "a namespace in use cannot go", "DELETE", "/v1/namespace/ops", quiet = true },
  { "the default namespace cannot go", "DELETE", "/v1/namespace/default", quiet = true },
  { "garbage collection", "PUT", "/v1/system/gc", sorted = true },
  { "what is left", "GET", "/v1/jobs?namespace=*", look = without_summary },
  { "an odd wait", "GET", "/v1/jobs?index=1&wait=zz", quiet = true },
  { "an odd index", "GET", "/v1/jobs?index=zz", quiet = true },
  { "an empty job file", "POST", "/v1/jobs/parse", '{"JobHCL":""}', quiet = true },
  { "no such page", "GET", "/v1/nothing", quiet = true },
  { "an odd method", "PATCH", "/v1/jobs", quiet = true },
  { "health", "GET", "/v1/agent/health", quiet = true, agent = true },
}

-- Numbers, times and random parts become names; what is null stays visible.
local function normal(key, value)
  if type(value) == "table" then
    local out = {}
    for k, v in pairs(value) do out[k] = normal(k, v) end
    return out
  elseif type(value) == "number" and tostring(key):find("Index$") then
    return value > 0 and "n" or 0
  elseif type(value) == "number" and tostring(key):find("Time$") then
    return value > 0 and "time" or 0
  elseif type(value) == "string" then
    return (value
      :gsub("%x%x%x%x%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x", "uuid")
      :gsub("/dispatch%-%d+%-%x+", "/dispatch-t"):gsub("/periodic%-%d+", "/periodic-t")
      :gsub("conflicting job modify index: %d+", "conflicting job modify index: n"))
  end
  return value
end

-- A structure as text with sorted keys: a difference is easy to see.
local function shown(value)
  return json.encode(value, { sorted = true, indent = 2 })
end

-- Integers of job bodies are compared as they are; nulls are marked first, for decoding drops them.
local function answer_of(step, status, text, headers)
  local value = text:find("^[{%[\"]") and json.decode((text:gsub(":null", ':"(null)"')))
  if value == nil or value == false then value = text end
  if step.look and status == 200 then value = step.look(value) end
  return shown {
    status = status,
    index = normal("Index", tonumber(headers["x-nomad-index"]) or -1),
    type = (headers["content-type"] or "none"):match("^[^;]+"),
    body = normal(nil, value),
  }
end

-- Not compared: what the deployment watcher and the clients do in their own time.
local function is_noise(event, object)
  return event.Topic == "Evaluation"
      and (object.TriggeredBy == "deployment-watcher" or event.Type == "AllocationUpdated")
    or event.Type == "PlanResult" and object.Stable == true
end

local function event_text(event)
  local payload = event.Payload
  local object = payload.Job or payload.Evaluation
  if is_noise(event, object) then return nil end
  local keys = #(event.FilterKeys or {})
  if event.Topic == "Evaluation" then
    return ("Evaluation/%s of %s: %s, %s, %d keys"):format(event.Type, normal("ID", object.JobID),
      object.Status, object.TriggeredBy, keys)
  end
  return ("Job/%s %s.%s: %s, version %d, stop %s, deleted %s"):format(event.Type, event.Namespace,
    normal("ID", object.ID), object.Status, object.Version, tostring(object.Stop),
    tostring(payload.Deleted))
end

local function line_text(line)
  local list = {}
  for _, event in ipairs(line.Events or {}) do
    list[#list + 1] = event_text(event)
  end
  table.sort(list)
  return #list > 0 and table.concat(list, " + ") or nil
end

-- target: request(method, path, body) -> status, text, headers (names in lower case); lines() -> what the stream
-- brought until it was quiet. Returns for each step { name, answer, events }.
function conformance.play(target)
  local results = {}
  for i, step in ipairs(conformance.steps) do
    local answer = answer_of(step, target.request(step[2], step[3], step[4]))
    local events = {}
    for _, line in ipairs(step.quiet and {} or target.lines(step)) do
      events[#events + 1] = line_text(line)
    end
    if step.sorted then table.sort(events) end
    results[i] = { name = step[1], answer = answer, events = shown(json.array(events)) }
  end
  return results
end

-- The model as a target.
function conformance.model(version)
  local time = require("operator.testing.clock").new()
  local model = require("operator.testing.model").new { clock = time, version = version }
  local lines = {}
  model:subscribe {
    topics = { "Job", "Evaluation" },
    namespace = "*",
    heartbeat = false,
    line = function(text) lines[#lines + 1] = json.decode(text) end,
  }
  return {
    request = function(method, target, text)
      local path, rest = target:match("^([^?]*)%??(.*)$")
      local query, headers = {}, {}
      for name, value in rest:gmatch("([^&=]+)=([^&]*)") do query[name] = value end
      local answer = model:http { method = method, path = path, query = query, body = text }
      for name, value in pairs(answer.headers) do headers[name:lower()] = value end
      return answer.status, answer.body, headers
    end,
    lines = function()
      time.advance(3)
      local seen = lines
      lines = {}
      return seen
    end,
  }
end

return conformance
