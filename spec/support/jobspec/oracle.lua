-- oracle: asks a Nomad whether it takes a job.
local json = require "host.json"
local http = require "support.http"

local oracle = {}

-- What depends on the cluster, not on the job.
local OF_THE_CLUSTER = {
  "is in nonexistent namespace",
  "is in nonexistent node pool",
  "used task driver",
}

-- Vault only has to be configured for jobs with a vault block to be taken; nobody calls it.
oracle.config = [[
vault {
  enabled = true
  address = "http://127.0.0.1:1"
}
]]

local function of_the_cluster(message)
  for _, part in ipairs(OF_THE_CLUSTER) do
    if message:find(part, 1, true) then
      return true
    end
  end
  return false
end

-- "accepted" or "refused", and what Nomad said. No answer at all is a refusal too: the agent fell over the job.
function oracle.verdict(port, text)
  local answer, err = http.request {
    port = port,
    method = "POST",
    path = "/v1/validate/job",
    body = '{"Job":' .. text .. "}",
    timeout = 20,
  }
  if not answer then
    return "refused", err
  end
  if answer.status ~= 200 then
    return "refused", answer.body
  end
  local said = {}
  for _, message in ipairs(json.decode(answer.body).ValidationErrors or {}) do
    if not of_the_cluster(message) then
      said[#said + 1] = message
    end
  end
  return #said == 0 and "accepted" or "refused", table.concat(said, "; ")
end

return oracle
