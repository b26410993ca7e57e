--- explain: the outcome of a request as the error that host.nomad returns: a code, and one sentence for a person.

local explain = {}

local ADDRESS = "http://127.0.0.1:4646"

local Error = {
  __tostring = function(self)
    return self.message or self.code or "an error without a message"
  end,
  __metatable = "host.error",
}

--- Gives a table the readable tostring.
---@param fields table
---@return host.nomad.Error
function explain.error(fields)
  return setmetatable(fields, Error)
end

local TRANSPORT = {
  dns = { true, "the host name of %s has no address; check -address or NOMAD_ADDR" },
  refused = {
    true,
    "%s refuses the connection; is Nomad running there? Else set -address or NOMAD_ADDR",
  },
  tls = { false, "%s does not speak TLS; use http:// in -address or NOMAD_ADDR" },
  timeout = { true, "%s did not answer in time" },
  idle = { true, "%s sent nothing for a while; the connection is taken for dead" },
  cut = { true, "the connection to %s broke before the answer was complete" },
  version = { false, "%s answers with an HTTP version that does not exist" },
  not_http = { false, "what answers at %s does not speak HTTP; check -address or NOMAD_ADDR" },
  too_large = { false, "the answer of %s is larger than asked for" },
  not_nomad = { false, "%s answers, but not as Nomad; check -address or NOMAD_ADDR" },
  internal = { false, "the request to %s failed" },
}

local function request_name(request)
  return ("%s %s"):format(request.method or "GET", request.path)
end

--- No answer, or none to its end.
---@param request host.nomad.Request
---@param code string
---@return host.nomad.Error
function explain.transport(request, code)
  local known = TRANSPORT[code]
  if not known then
    error(("no request ends with the error code %q"):format(code), 2)
  end
  return explain.error {
    code = code,
    message = request_name(request) .. ": " .. known[2]:format(ADDRESS),
    retryable = known[1],
    request = request_name(request),
  }
end

---@param request host.nomad.Request
---@return host.nomad.Error
function explain.dry_run(request)
  return explain.error {
    code = "dry_run",
    message = request_name(request) .. ": -dry-run lets no request out that could change anything",
    retryable = false,
    request = request_name(request),
  }
end

local PASSING = {
  "No cluster leader",
  "Not ready to serve consistent reads",
  "rpc error: EOF",
  "no servers",
  "failed to get conn",
  "lead thread didn't get connection",
  "failed to start stream",
  "rpc error: shutdown",
  "session shutdown",
  "stream closed",
  "connection reset",
  "connection refused",
  "broken pipe",
  "connection write timeout",
  "keepalive timeout",
  "i/o deadline reached",
  "i/o timeout",
  "node is not the leader",
  "leadership lost while committing log",
  "leadership transfer in progress",
  "snapshot restored while committing log",
  "raft is already shutdown",
  "timed out enqueuing operation",
}

local function passes(status, text)
  if status >= 502 and status <= 504 then
    return true
  end
  for _, words in ipairs(PASSING) do
    if status == 500 and text:find(words, 1, true) then
      return true
    end
  end
  return false
end

local function is_denied(status, text)
  if status == 401 or status == 403 then
    return true
  end
  local trimmed = text:gsub("%s+$", "")
  return status == 500
    and (
      trimmed:find "Permission denied$" ~= nil
      or trimmed:find "ACL token not found$" ~= nil
      or trimmed:find "ACL token expired$" ~= nil
    )
end

local function is_other_server(status, text, content_type)
  return content_type:find "^text/html" ~= nil
    or text:sub(1, 1) == "<"
    or (status >= 300 and status < 400)
    or (status == 404 and (text:sub(1, 1) == "{" or text:find("404 page not found", 1, true)))
end

--- In this order the first that holds.
local RULES = {
  {
    function(_, text)
      return text:find("registration, dispatch, and scale are disabled", 1, true)
    end,
    "frozen",
    true,
    "Nomad at %s refuses registrations for now (scheduler configuration, RejectJobRegistration)",
  },
  {
    is_denied,
    "denied",
    false,
    "Nomad at %s denies it (%s); check -token, NOMAD_TOKEN or -token-file",
  },
  { is_other_server, "not_nomad", false, "%s answers, but not as Nomad; check -address" },
  {
    function(status, text)
      return status == 409 or text:find("Enforcing job modify index", 1, true)
    end,
    "conflict",
    false,
    "changed meanwhile by another: %2$s",
  },
  {
    function(status)
      return status == 429
    end,
    "rate_limited",
    true,
    "Nomad at %s asks for fewer requests (429): %s",
  },
  {
    function(status)
      return status == 404
    end,
    "not_found",
    false,
    "Nomad at %s has no such object: %s",
  },
  { passes, "server", true, "Nomad at %s cannot serve it now: %s" },
  {
    function(status)
      return status >= 500
    end,
    "server",
    false,
    "Nomad at %s refuses it: %s",
  },
  {
    function()
      return true
    end,
    "http",
    false,
    "Nomad at %s refuses it: %s",
  },
}

local function filled(shape, text)
  if shape:find("%2$s", 1, true) then
    return (shape:gsub("%%2%$s", function()
      return text
    end))
  end
  return shape:format(ADDRESS, text)
end

--- An answer that is not 2xx.
---@param request host.nomad.Request
---@param answer operator.testing.Answer
---@return host.nomad.Error
function explain.answer(request, answer)
  local text, status = answer.body, answer.status
  local content_type = answer.headers["Content-Type"] or ""
  for _, rule in ipairs(RULES) do
    if rule[1](status, text, content_type) then
      local words = text:gsub("%s+", " "):gsub(" $", ""):sub(1, 500)
      return explain.error {
        code = rule[2],
        message = request_name(request) .. ": " .. filled(rule[4], words),
        status = status,
        retryable = rule[3],
        retry_after = tonumber(answer.headers["Retry-After"]),
        request = request_name(request),
        body = text,
      }
    end
  end
end

local READS = {
  ["/v1/jobs/parse"] = true,
  ["/v1/validate/job"] = true,
  ["/v1/search"] = true,
  ["/v1/search/fuzzy"] = true,
}

--- Routes that -dry-run lets out.
---@param method string
---@param path string
---@return boolean
function explain.is_read(method, path)
  if method == "GET" or method == "HEAD" then
    return true
  elseif method ~= "POST" and method ~= "PUT" then
    return false
  end
  return READS[path] or path:find "^/v1/job/.+/plan$" ~= nil
end

return explain
