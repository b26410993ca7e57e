--- The agent that is asked (/v1/agent). The calls return a value, or nil and an error.

local nomad = require "nomad"

local agent = {}

--- The version of the Nomad that answers. The token needs `agent { policy = "read" }`. Source: GET /v1/agent/self.
---@async
---@return string? version "1.11.3"
---@return host.nomad.Error?
function agent.version()
  local answer, err = nomad.request("GET", "/v1/agent/self", { aside = true })
  if not answer then
    return nil, err
  end
  local config = type(answer) == "table" and answer.config
  local version = type(config) == "table"
    and type(config.Version) == "table"
    and config.Version.Version
  if type(version) ~= "string" then
    return nil, nomad.unexpected("GET", "/v1/agent/self", "the answer names no version")
  end
  return version
end

return agent
