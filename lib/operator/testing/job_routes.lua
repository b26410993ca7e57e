--- job_routes: the endpoints of jobs: list, register, read, stop, plan, parse, validate, force, dispatch.

local answers = require "operator.testing.answers"
local json = require "host.json"
local listing = require "operator.testing.listing"
local plan = require "operator.testing.plan"
local strict = require "operator.testing.strict"
local validate = require "operator.testing.validate"

local job_routes = {}

---@class operator.testing.Call
---@field model operator.testing.Model
---@field method string
---@field query table<string, string>
---@field namespace string
---@field body string?
---@field rights operator.testing.Rights
---@field id? string the job's

local function is_write(call)
  return call.method == "PUT" or call.method == "POST"
end

--- The request's job, with the namespace that counts.
local function request_of(call)
  local request, problem = strict.request(call.body)
  if not request then
    return nil, answers.text(400, problem)
  elseif not request.Job then
    return nil, answers.text(400, "Job must be specified")
  elseif (request.Job.ID or "") == "" then
    return nil, answers.text(400, "Job ID hasn't been provided")
  end
  local namespace = call.query.namespace
  if not namespace or namespace == "" then
    namespace = request.Job.Namespace
  end
  if not namespace or namespace == "" then
    namespace = "default"
  end
  return request, namespace
end

local FROZEN = "Job registration, dispatch, and scale are disabled by the scheduler configuration"

local function may_submit(call, namespace, ...)
  if not call.rights:may(namespace, "submit-job", ...) then
    return answers.denied()
  elseif call.model.frozen and not (call.model.acl.on and call.rights:manages()) then
    return answers.text(403, FROZEN)
  end
end

---@param call operator.testing.Call
local function register(call)
  local request, namespace = request_of(call)
  if not request then
    return namespace
  elseif call.id and call.id ~= request.Job.ID then
    return answers.text(400, "Job ID does not match name")
  end
  local jobs = call.model.jobs
  local admitted, refusal = jobs:admit(request.Job, namespace)
  if not admitted then
    return answers.refusal(refusal)
  end
  local denied = may_submit(call, namespace, "register-job")
  if denied then
    return denied
  end
  local answer
  answer, refusal = jobs:register(request.Job, namespace, {
    enforce = request.EnforceIndex,
    index = request.JobModifyIndex,
  })
  if not answer then
    return answers.refusal(refusal)
  end
  return answers.json(answer, answer.Index)
end

--- In all namespaces: in any of them.
local function may_list(call)
  if call.namespace ~= "*" then
    return call.rights:may(call.namespace, "list-jobs")
  end
  for name in pairs(call.model.state.namespaces) do
    if call.rights:may(name, "list-jobs") then
      return true
    end
  end
  return false
end

local function page_size(call)
  local text = call.query.per_page
  if not text or text == "" then
    return nil
  end
  local size = math.tointeger(tonumber(text))
  if not size and call.model.modern then
    return nil, answers.text(400, "Expect a number for `per_page` query string parameter")
  end
  return size
end

---@param call operator.testing.Call
local function list(call)
  local state = call.model.state
  local asked, refused = answers.blocking(call.query)
  if not asked then
    return refused
  end
  if not may_list(call) then
    return answers.denied()
  end
  local size, bad_size = page_size(call)
  if bad_size then
    return bad_size
  end
  local with_meta, bad_meta = answers.boolean(call.query, "meta")
  if with_meta == nil then
    return bad_meta
  end
  local body, next_token, parts = call.model.listing:body {
    namespace = call.namespace,
    prefix = call.query.prefix or "",
    meta = with_meta,
    per_page = size,
    next_token = call.query.next_token,
    sees = function(namespace)
      return call.rights:may(namespace, "list-jobs")
    end,
  }
  local answer = answers.read(body, state.tables.jobs)
  answer.headers["X-Nomad-NextToken"] = next_token
  answer.elements = parts
  return answers.or_block(answer, asked, state.tables.jobs)
end

---@param call operator.testing.Call
function job_routes.jobs(call)
  if call.method == "GET" then
    return list(call)
  elseif is_write(call) then
    return register(call)
  end
  return answers.wrong_method()
end

---@param call operator.testing.Call
local function read(call)
  local state = call.model.state
  local asked, refused = answers.blocking(call.query)
  if not asked then
    return refused
  elseif not call.rights:may(call.namespace, "read-job") then
    return answers.denied()
  end
  local job = state:job(call.namespace, call.id)
  if not job then
    local missing = answers.text(404, "job not found", state.tables.jobs)
    return answers.or_block(missing, asked, state.tables.jobs)
  end
  local answer = answers.read(state:text(job), job.ModifyIndex)
  return answers.or_block(answer, asked, job.ModifyIndex)
end

---@param call operator.testing.Call
local function deregister(call)
  local purge, refused = answers.boolean(call.query, "purge")
  if purge == nil then
    return refused
  elseif not call.rights:may(call.namespace, "submit-job", "deregister-job", "purge-job") then
    return answers.denied()
  end
  local answer = call.model.jobs:deregister(call.namespace, call.id, purge)
  return answers.json(answer, answer.Index)
end

---@param call operator.testing.Call
local function one(call)
  if call.method == "GET" then
    return read(call)
  elseif call.method == "DELETE" then
    return deregister(call)
  elseif is_write(call) then
    return register(call)
  end
  return answers.wrong_method()
end

---@param call operator.testing.Call
local function force(call)
  if not is_write(call) then
    return answers.wrong_method()
  end
  local may = call.rights:may(call.namespace, "submit-job", "dispatch-job", "force-periodic-job")
  if not may then
    return answers.denied()
  end
  local answer, refusal = call.model.jobs:force(call.namespace, call.id)
  if not answer then
    return answers.refusal(refusal)
  end
  return answers.json(answer, answer.Index)
end

---@param call operator.testing.Call
local function dispatch(call)
  if not is_write(call) then
    return answers.wrong_method()
  elseif not call.rights:may(call.namespace, "dispatch-job") then
    return answers.denied()
  end
  local request = json.decode(call.body or "")
  if type(request) ~= "table" then
    return answers.text(400, "unexpected EOF")
  end
  local answer, refusal = call.model.jobs:dispatch(call.namespace, call.id, request)
  if not answer then
    return answers.refusal(refusal)
  end
  return answers.json(answer, answer.Index)
end

--- When a periodic job would run next; null for others.
local function next_launch(call, job)
  local cron = call.model.cron
  local schedule = cron and job.Periodic and cron.parse(job.Periodic.Spec)
  local at = schedule and schedule:next(call.model.state.clock.now())
  return at and os.date("!%Y-%m-%dT%H:%M:%SZ", math.tointeger(at // 1)) or json.null
end

---@param call operator.testing.Call
local function planned(call)
  if not is_write(call) then
    return answers.wrong_method()
  end
  local request, namespace = request_of(call)
  if not request then
    return namespace
  elseif call.id ~= request.Job.ID then
    return answers.text(400, "Job ID does not match")
  end
  local job, refusal = call.model.jobs:admit(request.Job, namespace)
  if not job then
    return answers.refusal(refusal)
  elseif not call.rights:may(namespace, "submit-job", "plan-job") then
    return answers.denied()
  end
  local old = call.model.state:job(namespace, call.id)
  local index = old and old.JobModifyIndex or 0
  return answers.json({
    Annotations = plan.annotations(old, job),
    CreatedEvals = json.null,
    Diff = request.Diff and plan.diff(old, job) or json.null,
    FailedTGAllocs = json.null,
    Index = index,
    JobModifyIndex = index,
    NextPeriodicLaunch = next_launch(call, job),
    Warnings = validate.warnings(job, call.model.modern),
  }, index)
end

local function matching(call, index, items)
  if not call.rights:may(call.namespace, "read-job") then
    return answers.denied()
  end
  return answers.read(json.array(items), index)
end

---@param call operator.testing.Call
local function evaluations(call)
  local state, found = call.model.state, {}
  for _, eval in ipairs(state.evals) do
    if eval.JobID == call.id and eval.Namespace == call.namespace then
      found[#found + 1] = eval
    end
  end
  return matching(call, state.tables.evals, found)
end

---@param call operator.testing.Call
local function allocations(call)
  return matching(call, call.model.state.tables.allocs, {})
end

---@param call operator.testing.Call
local function deployments(call)
  return matching(call, call.model.state.tables.deployment, {})
end

---@param call operator.testing.Call
local function summary(call)
  local job = call.model.state:job(call.namespace, call.id)
  if not call.rights:may(call.namespace, "read-job") then
    return answers.denied()
  elseif not job then
    return answers.text(404, "job not found", call.model.state.tables.jobs)
  end
  return answers.read(listing.summary(job), job.ModifyIndex)
end

---@param call operator.testing.Call
local function versions(call)
  local state = call.model.state
  local held = state.versions[call.namespace .. "\0" .. call.id]
  if not call.rights:may(call.namespace, "read-job") then
    return answers.denied()
  elseif not held then
    return answers.text(404, "job versions not found", state.tables.jobs)
  end
  local texts = {}
  for i, job in ipairs(held) do
    texts[i] = state:text(job)
  end
  local index = held[1].ModifyIndex
  local head = ('{"Diffs":null,"Index":%d,"KnownLeader":true,"LastContact":0,'):format(index)
  return answers.read(
    head .. '"NextToken":"","Versions":[' .. table.concat(texts, ",") .. "]}",
    index
  )
end

-- What may follow a job's ID in a path: a job whose ID ends like this cannot be reached, as in Nomad.
local BELOW = {
  { "/periodic/force", force },
  { "/dispatch", dispatch },
  { "/plan", planned },
  { "/evaluations", evaluations },
  { "/allocations", allocations },
  { "/deployments", deployments },
  { "/summary", summary },
  { "/versions", versions },
}

--- Everything under /v1/job/.
---@param call operator.testing.Call
---@param rest string the path after it, decoded
---@return operator.testing.Answer
function job_routes.job(call, rest)
  for _, route in ipairs(BELOW) do
    local suffix = route[1]
    if #rest > #suffix and rest:sub(-#suffix) == suffix then
      call.id = rest:sub(1, -#suffix - 1)
      return route[2](call)
    end
  end
  call.id = rest
  return one(call)
end

local UNKNOWN_HCL = "this is the model of Nomad: it reads no HCL but knows the parsed form of some "
  .. "texts, and this is none of them (the shipped templates are in operator.testing.parsed; add "
  .. "others with the option `parsed`)"

---@param call operator.testing.Call
function job_routes.parse(call)
  if not is_write(call) then
    return answers.wrong_method()
  elseif not call.rights:may(call.namespace, "parse-job", "submit-job") then
    return answers.denied()
  end
  local request = json.decode(call.body or "")
  if type(request) ~= "table" then
    return answers.text(400, "unexpected EOF")
  elseif (request.JobHCL or "") == "" then
    return answers.text(400, "Job spec is empty")
  end
  local parsed = call.model:parsed(request.JobHCL)
  if not parsed then
    return answers.text(400, UNKNOWN_HCL)
  elseif parsed.error then
    return answers.text(400, parsed.error)
  end
  return answers.json(parsed.text)
end

---@param call operator.testing.Call
function job_routes.validate(call)
  if not is_write(call) then
    return answers.wrong_method()
  end
  local request, namespace = request_of(call)
  if not request then
    return namespace
  elseif not call.rights:may(namespace, "read-job") then
    return answers.denied()
  end
  local job, refusal, problems = call.model.jobs:admit(request.Job, namespace)
  if refusal and not problems then
    return answers.refusal(refusal)
  end
  return answers.json {
    DriverConfigValidated = true,
    Error = problems and validate.multierror(problems) or "",
    ValidationErrors = problems and json.array(problems) or json.null,
    Warnings = job and validate.warnings(job, call.model.modern) or "",
  }
end

return job_routes
