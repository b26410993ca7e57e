--- model: a Nomad that lives in this process, for specs and for the demo. It behaves as the real one does, also
--- where that is surprising; what it claims is checked against real ones by spec/integration/model_live_spec.lua.

local acl = require "operator.testing.acl"
local answers = require "operator.testing.answers"
local canonical = require "operator.testing.canonical"
local events = require "operator.testing.events"
local jobs = require "operator.testing.jobs"
local json = require "host.json"
local listing = require "operator.testing.listing"
local objects = require "operator.testing.objects"
local routes = require "operator.testing.routes"
local scheduler = require "operator.testing.scheduler"
local snapshot = require "operator.testing.snapshot"
local state = require "operator.testing.state"

local model = {}

---@class operator.testing.ModelOptions
---@field clock operator.testing.ModelClock
---@field version? string "1.11.3" (default) or "1.4.3"
---@field heartbeat? number seconds between heartbeats of a stream, 30
---@field batch_seconds? number how long a run of a batch job takes, 1; negative: it never ends
---@field launch? boolean periodic jobs are launched at their times
---@field parsed? table<string, table|string> HCL text → the job it parses to, or the text of the 400
---@field seed? integer
---@field cron? table operator.cron, where that is not on the path

---@class operator.testing.ModelRequest
---@field method? string
---@field path string percent-encoded, without the query
---@field query? table<string, string>
---@field body? string
---@field headers? table<string, string>
---@field final? boolean the waiting is over: answer what there is
---@field inside? boolean a spec's own: all rights, not recorded

---@class operator.testing.Model
---@field version string
---@field modern boolean
---@field requests { method: string, path: string, query: table, body: string?, status: integer }[]
---@field frozen boolean RejectJobRegistration
---@field broken_stream? string the text with which subscriptions are refused
---@field state operator.testing.State
---@field jobs operator.testing.Jobs
---@field listing operator.testing.Listing
---@field objects operator.testing.Objects
---@field acl operator.testing.Acl
---@field cron? table
local Model = {}
Model.__index = Model

local VERSIONS = { ["1.11.3"] = true, ["1.4.3"] = false }

local function optional(name)
  local ok, module = pcall(require, name)
  if not ok and not tostring(module):find("module '" .. name .. "' not found", 1, true) then
    error(module, 0)
  end
  return ok and module or nil
end

---@param options operator.testing.ModelOptions
---@return operator.testing.Model
function model.new(options)
  local version = options.version or "1.11.3"
  local modern = VERSIONS[version]
  if modern == nil then
    error(("the model knows Nomad 1.11.3 and 1.4.3, not %s"):format(version), 2)
  end
  local heartbeat = options.heartbeat or 30
  local store = state.new(options.clock, canonical.new(modern), heartbeat, options.seed)
  local cron = options.cron or optional "operator.cron"
  local self = setmetatable({
    version = version,
    modern = modern,
    requests = {},
    frozen = false,
    state = store,
    listing = listing.new(store),
    objects = objects.new(store, modern),
    acl = acl.new(modern),
    cron = cron,
    texts = options.parsed or {},
  }, Model)
  local machinery = scheduler.new(store, {
    batch_seconds = options.batch_seconds,
    cron = options.launch and cron or nil,
    launch = function(job, at)
      self.jobs:run(job, at)
    end,
  })
  self.jobs = jobs.new(store, machinery, { modern = modern, cron = cron })
  return self
end

--- The parsed form of a job file, where it is known.
---@param hcl string
---@return { text?: string, error?: string }?
function Model:parsed(hcl)
  local held = self.texts[hcl]
  if type(held) == "string" then
    return { error = held }
  elseif held then
    return { text = json.encode(held, { sorted = true }) }
  end
  local shipped = optional "operator.testing.parsed" or {}
  held = shipped[json.digest(hcl)]
  if not held then
    return nil
  end
  return { text = type(held) == "string" and held or json.encode(held, { sorted = true }) }
end

--- Makes a job file known to /v1/jobs/parse.
---@param hcl string
---@param job table|string the parsed job, or the text of the 400
function Model:teach(hcl, job)
  self.texts[hcl] = job
end

local function header(headers, name)
  for key, value in pairs(headers or {}) do
    if key:lower() == name then
      return value
    end
  end
end

local function namespace_of(query)
  return query.namespace ~= nil and query.namespace ~= "" and query.namespace or "default"
end

function Model:answer(request, query)
  local token = header(request.headers, "x-nomad-token")
  local rights, refusal
  if request.inside then
    rights = acl.new():rights()
  else
    rights, refusal = self.acl:rights(token)
  end
  local path = answers.unescape(request.path)
  if path == "/v1/event/stream" then
    return answers.wrong_method()
  elseif not rights then
    return answers.refusal(refusal)
  end
  return routes.answer({
    model = self,
    method = request.method or "GET",
    query = query,
    namespace = namespace_of(query),
    body = request.body,
    rights = rights,
  }, path)
end

--- Answers a request, every route but the stream. A blocking query that has nothing new has `blocked` in its answer:
--- it is asked again after a change (see watch), with `final` when its time is over.
---@param request operator.testing.ModelRequest
---@return operator.testing.Answer
function Model:http(request)
  local query = {}
  for name, value in pairs(request.query or {}) do
    query[name] = tostring(value)
  end
  local answer = self:answer(request, query)
  if request.final then
    answer.blocked = nil
  end
  if not answer.blocked and not request.inside then
    self.requests[#self.requests + 1] = {
      method = request.method or "GET",
      path = request.path,
      query = query,
      body = request.body,
      status = answer.status,
    }
  end
  return answer
end

local READS = { ["/v1/jobs/parse"] = true, ["/v1/validate/job"] = true, ["/v1/search"] = true }

--- The requests that were meant to change something.
---@return table[]
function Model:writes()
  local out = {}
  for _, request in ipairs(self.requests) do
    local read = request.method == "GET"
      or request.method == "HEAD"
      or READS[request.path]
      or request.path:match "^/v1/job/.+/plan$"
    if not read then
      out[#out + 1] = request
    end
  end
  return out
end

--- fn is called after each change of the state.
---@param fn fun()
---@return fun() stop
function Model:watch(fn)
  return self.state:watch(fn)
end

---@class operator.testing.StreamOptions
---@field topics? string[] "Job", "Job:key"; none: all
---@field namespace? string "default"
---@field index? integer|string
---@field token? string
---@field heartbeat? boolean false: only the first heartbeat
---@field line? fun(text: string)
---@field ended? fun(tail: string?)

--- Which namespaces the stream is for; nil for all. Newer servers freeze the set when it begins.
function Model:stream_namespaces(namespace)
  if namespace ~= "*" then
    return { [namespace] = true }
  elseif not self.modern then
    return nil
  end
  local set = {}
  for name in pairs(self.state.namespaces) do
    set[name] = true
  end
  return set
end

--- For all namespaces the right to each is needed; before 1.9.6 the right to any was enough to see them all.
local function stream_allowed(self, rights, namespace, topics)
  local all, any = true, false
  if not objects.may_stream(rights, topics) then
    return false
  end
  for name in pairs(namespace == "*" and self.state.namespaces or { [namespace] = true }) do
    local may = rights:may(name, "read-job")
    all, any = all and may, any or may
  end
  return all or (any and not self.modern)
end

--- A stream that says nothing, ever: so does 1.11.3 when it means "permission denied".
local function silent()
  return { close = function() end, silent = true }
end

--- GET /v1/event/stream.
---@param options operator.testing.StreamOptions
---@return operator.testing.Subscription? subscription
---@return operator.testing.Answer? answer the refusal
function Model:subscribe(options)
  local index = options.index or 0
  if not math.tointeger(tonumber(index)) then
    local text = 'Unable to parse index: strconv.Atoi: parsing "%s": invalid syntax'
    return nil, answers.text(400, text:format(index))
  end
  local topics, problem = events.topics(options.topics or {})
  if not topics then
    return nil, answers.text(400, problem)
  elseif self.broken_stream then
    return nil, answers.text(500, self.broken_stream)
  end
  local namespace = options.namespace or "default"
  local rights = self.acl:rights(options.token)
  if not rights or not stream_allowed(self, rights, namespace, topics) then
    if self.modern then
      return silent()
    end
    return nil, answers.text(500, "Permission denied")
  end
  local sub = self.state.broker:subscribe {
    topics = topics,
    namespaces = self:stream_namespaces(namespace),
    index = math.tointeger(tonumber(index)),
    heartbeat = options.heartbeat,
  }
  sub.ended = options.ended
  if options.line then
    sub.line = options.line
  end
  return sub
end

--- Ends all streams from the server's side.
---@param tail? string the text that it leaves
function Model:drop_streams(tail)
  self.state.broker:drop(tail)
end

---@param token operator.testing.Token
function Model:token(token)
  self.acl:add(token)
end

local function shortcut(self, method, path, query, body)
  local answer =
    self:http { method = method, path = path, query = query, body = body, inside = true }
  if answer.status ~= 200 then
    error(("%s %s: %d %s"):format(method, path, answer.status, answer.body), 3)
  end
  return answer.body ~= "" and json.decode(answer.body) or true
end

local function job_path(id)
  return "/v1/job/"
    .. id:gsub("[^%w._~-]", function(c)
      return ("%%%02X"):format(c:byte())
    end)
end

--- Registers a job; raises when it is refused.
---@param job table
---@param options? { enforce_index?: integer, namespace?: string }
---@return table answer
function Model:register(job, options)
  options = options or {}
  local body = json.encode {
    Job = job,
    EnforceIndex = options.enforce_index ~= nil,
    JobModifyIndex = options.enforce_index,
  }
  return shortcut(self, "PUT", "/v1/jobs", { namespace = options.namespace }, body)
end

--- The job as a client reads it; nil if there is none.
---@param namespace string
---@param id string
---@return table?
function Model:job(namespace, id)
  local job = self.state:job(namespace, id)
  return job and self.jobs:seen(job)
end

--- All jobs of all namespaces as clients read them.
---@return table[]
function Model:all_jobs()
  local list = {}
  for i, held in ipairs(self.state:list()) do
    list[i] = self.jobs:seen(held)
  end
  return list
end

---@param namespace string
---@param id string
function Model:stop(namespace, id)
  return shortcut(self, "DELETE", job_path(id), { namespace = namespace })
end

---@param namespace string
---@param id string
function Model:purge(namespace, id)
  return shortcut(self, "DELETE", job_path(id), { namespace = namespace, purge = "true" })
end

---@param namespace string
---@param id string
function Model:force(namespace, id)
  return shortcut(self, "PUT", job_path(id) .. "/periodic/force", { namespace = namespace })
end

---@param namespace string
---@param id string
---@param request? table
function Model:dispatch(namespace, id, request)
  local body = json.encode(request or {})
  return shortcut(self, "PUT", job_path(id) .. "/dispatch", { namespace = namespace }, body)
end

---@param name string
---@param description? string
function Model:namespace(name, description)
  local body = json.encode { Name = name, Description = description }
  return shortcut(self, "PUT", "/v1/namespaces", {}, body)
end

--- Puts an object that is no job there, or in the place of the one before: what a client or a scheduler would do.
---@param topic "Allocation"|"Deployment"|"Node"|"NodePool"|"Service"|"Variable"
---@param object table
---@param type? string of the event
---@return table object as it is held
function Model:put(topic, object, type)
  return self.objects:put(topic, object, type)
end

--- Takes one away.
---@param topic string
---@param id string
---@param namespace? string "default"
function Model:remove(topic, id, namespace)
  self.objects:remove(topic, id, namespace)
end

--- Garbage collection.
function Model:gc()
  return shortcut(self, "PUT", "/v1/system/gc", {})
end

--- As `nomad operator snapshot save`.
---@return operator.testing.Snapshot
function Model:snapshot()
  return snapshot.save(self.state)
end

--- As `nomad operator snapshot restore`: the state is as it was then, and all streams end.
---@param saved operator.testing.Snapshot
---@param options? { new_servers?: boolean } their raft index goes back too
function Model:restore(saved, options)
  snapshot.restore(self.state, saved, options and options.new_servers)
end

--- The IDs of a namespace's jobs that are not stopped, sorted.
---@param namespace? string "default"
---@return string[]
function Model:ids(namespace)
  local out = {}
  for _, job in ipairs(self.state:list(namespace or "default")) do
    if not job.Stop then
      out[#out + 1] = job.ID
    end
  end
  return out
end

return model
