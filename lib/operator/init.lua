--- operator: what a policy script calls. `local operator = require "operator"`.

local json = require "host.json"
local cron = require "operator.cron"
local duration = require "operator.duration"
local failure = require "operator.failure"
local filter = require "operator.filter"
local policy = require "operator.policy"
local position = require "operator.position"

local operator = {}

--- Cron expressions as Nomad reads them: cron.parse(spec) → schedule, or nil and a sentence.
operator.cron = cron
--- Lengths of time: duration.parse "10m" → 600.
operator.duration = duration
--- Condition for `where` and `except`: the field exists and is neither empty nor false.
operator.present = filter.present
--- Condition for both: operator.prefix "web-".
operator.prefix = filter.prefix
--- Condition for both as a whole: the text occurs anywhere in the object.
operator.mentions = filter.mentions
--- Raises a permanent error: one clear line, and the key waits until its object changes.
operator.fail = failure.fail

---@class operator.Context
---@field now number seconds since the epoch, the same throughout one call
---@field policy string its name
---@field key string "namespace/id" of a job; of other topics see docs/topics.md
---@field namespace? string nil: the object is in none
---@field id string
---@field cause string "JobRegistered", "resync", "drift" …
---@field dry_run boolean
---@field log fun(level: "error"|"warn"|"info"|"debug", message: string)
---@field warn fun(message: string)
---@field requeue_at fun(time: number) seconds since the epoch: work the key again then

--- Declares a policy; only while a script loads. Raises at the caller's line for every mistake.
---@param spec table see operator.Policy
---@return operator.Policy
function operator.policy(spec)
  local source = position.here()
  if not source then
    error("operator.policy is called while a script loads, not later", 2)
  end
  local ok, result = pcall(policy.new, spec, source)
  if not ok then
    error(source .. ": " .. result, 0)
  end
  return result
end

--- Does the text occur anywhere in a value of an object, as a key or in a string? For letters, digits, - and _; what
--- Nomad sent is searched as it is, so a large part of a job need not be taken apart to learn that nothing is there.
---@param value any "job.TaskGroups"
---@param text string
---@return boolean
function operator.occurs(value, text)
  if type(text) ~= "string" or not text:find("^[%w_-]+$") then
    error("operator.occurs takes a value and a text of letters, digits, - and _", 2)
  end
  return value ~= nil and json.occurs(value, text)
end

--- A return value of reconcile: work the key again after this long.
---@param delay string|number "30s"
---@return table
function operator.after(delay)
  local seconds, err = duration.parse(delay)
  if not seconds then
    error("operator.after: " .. err, 2)
  end
  return { after = seconds }
end

--- Raises a temporary error: the key is tried again with backoff, or after `delay`.
---@param message string
---@param delay? string|number "30s"
function operator.retry(message, delay)
  local seconds, err
  if delay ~= nil then
    seconds, err = duration.parse(delay)
    if not seconds then
      error("operator.retry: " .. err, 2)
    end
  end
  failure.retry(message, seconds)
end

return operator
