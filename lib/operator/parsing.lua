--- parsing: the templates of a generation, parsed before it works. Nomad parses them where the token may have that: in
--- the namespace of the settings, else in the first that it sees and may parse in.

local api = require "nomad.namespaces"
local backoff = require "operator.backoff"

local parsing = {}

local RETRY = { base = 1, max = 30 }
--- So many namespaces are tried.
local MOST = 64

local NOWHERE = "no namespace that the token sees lets it parse job files: "
  .. "grant the capability parse-job (or submit-job) in one of them. %s"

-- Where it may be tried: what -namespace says, or what the token sees.
local function places(host)
  local names = host.options.namespaces
  for _, name in ipairs(names) do
    if name == "*" then
      names = {}
    end
  end
  return #names > 0 and names or api.names() or {}
end

-- The namespace of the settings was refused: tries the others. Returns true where one takes it; else nil, and an
-- error or what is to be said.
local function elsewhere(host, template, refused)
  local first = template.namespace
  for i, name in ipairs(places(host)) do
    if i > MOST then
      break
    end
    template.namespace = name
    local ok, err = template:prepare()
    if ok or err.code ~= "denied" then
      return ok, err
    end
  end
  template.namespace = first
  return nil, nil, NOWHERE:format(tostring(refused))
end

-- One try. Returns true, or nil and the error, and what is to be said of it where that is another.
local function try(host, template, namespace)
  -- Where the last template was parsed, this one can be.
  template.namespace = namespace or template.namespace
  local ok, err = template:prepare()
  if not ok and err.code == "denied" then
    local words
    local refused = err
    ok, err, words = elsewhere(host, template, refused)
    return ok, err or refused, words
  end
  return ok, err
end

--- Parses each template once. Raises when Nomad refuses one; waits and tries again where Nomad cannot be asked.
---@async
---@param host table log, options, random
---@param templates jobspec.Template[]
---@param options { once?: boolean, signal: host.Signal } once: every error is raised; signal: it may be worth a try now
function parsing.run(host, templates, options)
  local namespace
  for _, template in ipairs(templates) do
    local attempt, said = 0, nil
    while true do
      local ok, err, words = try(host, template, namespace)
      if ok then
        namespace = template.namespace
        break
      elseif options.once or (err.code == "template" and not err.retryable) then
        error(words or tostring(err), 0)
      end
      attempt = attempt + 1
      local message = "The job templates cannot be parsed yet: " .. (words or tostring(err))
      host.log(message == said and "debug" or "warn", message)
      said = message
      -- Once there is a stream, the reason may have passed.
      options.signal:wait(backoff.delay(attempt, RETRY, host.random))
    end
  end
end

return parsing
