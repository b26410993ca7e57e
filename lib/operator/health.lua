--- health: what the Lua half knows about its own progress, for readiness and metrics: which connection the last whole
--- list belongs to, what went wrong with the list since, and how long keys have waited.

local health = {}

---@class operator.Health
---@field epoch integer of the connection under which the last whole list was begun; 0: none has been merged yet
---@field list_error? string why the list cannot be had at the moment
---@field denied boolean that is a refusal of the token
---@field policies operator.PolicyHealth[]

---@class operator.PolicyHealth
---@field name string
---@field ready integer keys
---@field running integer
---@field waiting integer for a retry, or for the time they asked for
---@field parked integer
---@field oldest number seconds since the oldest unparked key asked for the work that is not done yet; 0: none

--- A list begins: what ends it well belongs to the connection of now.
---@param generation operator.Generation
---@return integer epoch
function health.list_begins(generation)
  return generation.connection and generation.connection.epoch or 0
end

--- A list has been merged.
---@param generation operator.Generation
---@param epoch integer what list_begins returned
function health.list_merged(generation, epoch)
  generation.list_epoch = epoch
  generation.list_error = nil
end

--- A list could not be had.
---@param generation operator.Generation
---@param err host.nomad.Error
function health.list_failed(generation, err)
  generation.list_error = err
end

---@param generation operator.Generation
---@return operator.Health
function health.of(generation)
  local policies, err = {}, generation.list_error or generation.watched:trouble()
  for i, one in ipairs(generation.controllers) do
    local counts = one.queue:status()
    policies[i] = {
      name = one.policy.name,
      ready = counts.ready,
      running = counts.running,
      waiting = counts.waiting,
      parked = counts.parked,
      oldest = one.queue:oldest(),
    }
  end
  return {
    epoch = generation.list_epoch or 0,
    list_error = err and tostring(err),
    denied = err ~= nil and err.code == "denied",
    policies = policies,
  }
end

return health
