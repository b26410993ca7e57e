--- subscription: the scripts, and what the stream has to bring because of them. It is all that must be known before
--- Nomad is asked for the stream; the rest of the operator is read in while the answer is awaited.

local host = require "host"
local loader = require "operator.loader"
local namespaces = require "operator.namespaces"
local passing = require "operator.passing"

local subscription = {}

---@class operator.Subscription
---@field policies operator.Policy[]
---@field templates jobspec.Template[] that the scripts declared
---@field interests operator.Interests

--- Loads the scripts of the command line. Raises one error with file:line.
---@return operator.Subscription
function subscription.load()
  local policies, templates = loader.load(host, host.options.args)
  local asked = namespaces.asked(host.options.namespaces)
  return {
    policies = policies,
    templates = templates,
    interests = passing.interests(policies, asked, host.options.instance),
  }
end

return subscription
