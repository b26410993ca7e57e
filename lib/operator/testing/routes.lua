--- routes: which endpoint a request is for, and the endpoints that are not about jobs.

local answers = require "operator.testing.answers"
local job_routes = require "operator.testing.job_routes"
local json = require "host.json"

local routes = {}

local ADDRESS = "127.0.0.1:4647"

local function namespace_shown(model, namespace)
  local out = {
    Capabilities = json.null,
    CreateIndex = namespace.CreateIndex,
    Description = namespace.Description,
    Meta = namespace.Meta or json.null,
    ModifyIndex = namespace.ModifyIndex,
    Name = namespace.Name,
    Quota = "",
  }
  if model.modern then
    out.ConsulConfiguration = json.null
    out.NodePoolConfiguration = json.null
    out.VaultConfiguration = json.null
  end
  return out
end

local BAD_NAME = 'Invalid namespace "%s": 1 error occurred:\n\t* invalid name "%s". '
  .. "Must match regex ^[a-zA-Z0-9-]{1,128}$\n\n"
local IN_USE = '1 error occurred:\n\t* namespace "%s" has non-terminal jobs in regions: '
  .. "[global]\n\n"

local function put_namespace(call, name)
  local state = call.model.state
  local request = json.decode(call.body or "")
  if type(request) ~= "table" then
    return answers.text(400, "unexpected EOF")
  end
  name = request.Name or name or ""
  if not call.rights:manages() then
    return answers.denied()
  elseif not name:match "^[%w-]+$" or #name > 128 then
    return answers.text(500, BAD_NAME:format(name, name))
  end
  local index = state:next_index()
  state:put_namespace(name, request.Description, index, request.Meta)
  state:notify()
  return answers.empty(index)
end

local function delete_namespace(call, name)
  local state = call.model.state
  if not call.rights:manages() then
    return answers.denied()
  elseif name == "default" then
    return answers.text(500, "can not delete default namespace")
  elseif not state.namespaces[name] then
    if call.model.modern then
      return answers.text(500, "namespace not found")
    end
    return answers.empty(state:next_index())
  end
  for _, job in ipairs(state:list(name)) do
    if job.Status ~= "dead" then
      return answers.text(500, IN_USE:format(name))
    end
  end
  state.namespaces[name], state.jobs[name] = nil, nil
  local index = state:next_index()
  state.tables.namespaces = index
  state:notify()
  return answers.empty(index)
end

---@param call operator.testing.Call
local function namespaces(call)
  local state = call.model.state
  if call.method ~= "GET" then
    return call.method == "DELETE" and answers.wrong_method() or put_namespace(call)
  end
  local asked, refused = answers.blocking(call.query)
  if not asked then
    return refused
  end
  local list = json.array {}
  for name, namespace in pairs(state.namespaces) do
    if call.rights:sees(name) then
      list[#list + 1] = namespace_shown(call.model, namespace)
    end
  end
  table.sort(list, function(a, b)
    return a.Name < b.Name
  end)
  local index = state.tables.namespaces
  return answers.or_block(answers.read(list, index), asked, index)
end

---@param call operator.testing.Call
local function namespace(call, name)
  local state = call.model.state
  if call.method == "DELETE" then
    return delete_namespace(call, name)
  elseif call.method ~= "GET" then
    return put_namespace(call, name)
  elseif not call.rights:sees(name) then
    return answers.denied()
  end
  local held = state.namespaces[name]
  if not held then
    return answers.text(404, "Namespace not found", state.tables.namespaces)
  end
  return answers.read(namespace_shown(call.model, held), held.ModifyIndex)
end

local function collect(call)
  if call.method == "GET" or call.method == "DELETE" then
    return answers.wrong_method()
  elseif not call.rights:manages() then
    return answers.denied()
  end
  call.model.jobs:collect()
  return answers.empty()
end

local HEALTHY = { message = "ok", ok = true }

local function health()
  return answers.json { client = HEALTHY, server = HEALTHY }
end

-- No policy of a token has another name than "own".
local function policies(call)
  if not call.model.acl.on then
    return answers.text(400, "ACL support disabled")
  end
  return answers.json(json.array {})
end

-- The token's policies; here each token has one of its own. 1.4 takes "self" for a name.
local function policy_self(call)
  if not call.model.acl.on then
    return answers.text(400, "ACL support disabled")
  elseif not call.model.modern then
    return answers.denied()
  end
  return answers.json(json.array { { Name = "own", Description = "" } })
end

local function policy_own(call)
  if not call.model.acl.on then
    return answers.text(400, "ACL support disabled")
  end
  return answers.json { Name = "own", Rules = call.rights:text() }
end

local EXACT = {
  ["/v1/jobs"] = job_routes.jobs,
  ["/v1/jobs/parse"] = job_routes.parse,
  ["/v1/validate/job"] = job_routes.validate,
  ["/v1/namespaces"] = namespaces,
  ["/v1/namespace"] = namespaces,
  ["/v1/system/gc"] = collect,
  ["/v1/agent/health"] = health,
  ["/v1/acl/policies"] = policies,
  ["/v1/acl/policy/self"] = policy_self,
  ["/v1/acl/policy/own"] = policy_own,
  ["/v1/regions"] = function()
    return answers.json(json.array { "global" })
  end,
  ["/v1/status/leader"] = function()
    return answers.json('"' .. ADDRESS .. '"')
  end,
  ["/v1/status/peers"] = function()
    return answers.json(json.array { ADDRESS })
  end,
}

---@param call operator.testing.Call
---@param path string decoded
---@return operator.testing.Answer
function routes.answer(call, path)
  local region = call.query.region
  if region and region ~= "" and region ~= "global" then
    return answers.text(500, "No path to region")
  end
  local exact = EXACT[path]
  if exact then
    return exact(call)
  end
  local id = path:match "^/v1/job/(.+)$"
  if id then
    return job_routes.job(call, id)
  end
  local name = path:match "^/v1/namespace/(.+)$"
  if name then
    return namespace(call, name)
  end
  return call.model.objects:answer(call, path) or { status = 404, headers = {}, body = "" }
end

return routes
