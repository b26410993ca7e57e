-- audit: looks at every write that reaches the model: only jobs with our marks, and new ones that get them, may change.
local expected = require "chaos.expected"
local json = require "host.json"

local audit = {}
audit.__index = audit

-- Whether a request would change something.
function audit.is_write(request)
  local method = request.method or "GET"
  return method ~= "GET"
    and request.path ~= "/v1/jobs/parse"
    and request.path ~= "/v1/validate/job"
    and not request.path:find("/plan$")
end

function audit:complain(text, ...)
  self.violations[#self.violations + 1] = text:format(...)
end

-- What the request is about: the job before, and how it would be.
local function subject(self, request)
  local body = request.path == "/v1/jobs" and json.decode(request.body or "")
  if type(body) ~= "table" or type(body.Job) ~= "table" then
    self:complain("a write that is no registration: %s %s", request.method, request.path)
    return nil
  end
  local namespace = request.query and request.query.namespace or body.Job.Namespace or "default"
  return body, namespace, body.Job.ID
end

function audit:check(body, namespace, id, before)
  local key = namespace .. "/" .. id
  if not body.EnforceIndex then
    self:complain("%s was written without EnforceIndex", key)
  end
  local after = self.nomad:job(namespace, id)
  if before and not expected.marks(before, "default") then
    self:complain("%s is not ours, and was written", key)
  elseif after and not expected.marks(after, "default") then
    self:complain("%s was written without our marks", key)
  end
  if after and after.Stop and self.removed and expected.marks(after, "default") then
    self.removed(expected.marks(after, "default"))
  end
  self.changes[key] = (self.changes[key] or 0) + 1
  self.accepted = self.accepted + 1
end

-- Begins to watch a model; counts writes that were tried, and those that changed something. `removed`, if it is set, is
-- called with the marks of each child that the operator stops.
function audit.attach(nomad)
  local self = setmetatable({
    nomad = nomad,
    violations = {},
    tried = 0,
    accepted = 0,
    changes = {},
  }, audit)
  local http = nomad.http
  function nomad.http(model, request)
    if request.inside or not audit.is_write(request) then
      return http(model, request)
    end
    self.tried = self.tried + 1
    local body, namespace, id = subject(self, request)
    local before = body and model:job(namespace, id)
    local held = body and model.state:job(namespace, id)
    local answer = http(model, request)
    if body and model.state:job(namespace, id) ~= held then
      self:check(body, namespace, id, before)
    end
    return answer
  end
  return self
end

-- Counts from here on.
function audit:reset()
  self.tried, self.accepted, self.changes = 0, 0, {}
end

return audit
