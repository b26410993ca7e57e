-- reads: which requests change nothing in Nomad, judged by what is on the wire; it shares nothing with the program's
-- own list (host/api_route.c), so that the two can disagree.

local reads = {}

-- What the decoded path of a GET may be.
local GETS = {
  "^/v1/jobs$",
  "^/v1/job/.+$",
  "^/v1/namespaces$",
  "^/v1/namespace/[^/]+$",
  "^/v1/nodes$",
  "^/v1/node/[^/]+$",
  "^/v1/allocations$",
  "^/v1/allocation/[^/]+$",
  "^/v1/deployments$",
  "^/v1/deployment/[^/]+$",
  "^/v1/evaluations$",
  "^/v1/evaluation/[^/]+$",
  "^/v1/event/stream$",
  "^/v1/agent/self$",
  "^/v1/regions$",
  "^/v1/services$",
  "^/v1/service/[^/]+$",
  "^/v1/node/pools$",
  "^/v1/node/pool/[^/]+$",
  "^/v1/vars$",
  "^/v1/var/.+$",
  "^/v1/volumes$",
  "^/v1/volume/.+$",
  "^/v1/status/leader$",
  "^/v1/plugins$",
  "^/v1/plugin/csi/[^/]+$",
  "^/v1/acl/tokens$",
  "^/v1/acl/token/[^/]+$",
  "^/v1/acl/policies$",
  "^/v1/acl/policy/[^/]+$",
  "^/v1/acl/roles$",
  "^/v1/acl/role/[^/]+$",
  "^/v1/acl/auth%-methods$",
  "^/v1/acl/auth%-method/[^/]+$",
  "^/v1/acl/binding%-rules$",
  "^/v1/acl/binding%-rule/[^/]+$",
  "^/v1/operator/scheduler/configuration$",
}

-- POSTs that only ask.
local POSTS = {
  "^/v1/jobs/parse$",
  "^/v1/validate/job$",
  "^/v1/job/.+/plan$",
  "^/v1/search$",
  "^/v1/search/fuzzy$",
}

local METHODS = { GET = GETS, HEAD = GETS, POST = POSTS, PUT = POSTS }

local function decoded(path)
  return (path:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

-- Does a request with this method and target ("/v1/jobs?namespace=*") only read?
function reads.is(method, target)
  local path = decoded(target:match "^[^?]*")
  if path:find("/../", 1, true) or path:find("/./", 1, true) then
    return false
  end
  for _, pattern in ipairs(METHODS[method] or {}) do
    if path:find(pattern) then
      return true
    end
  end
  return false
end

return reads
