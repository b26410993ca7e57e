--- failure: errors with a verdict: try again, or wait until something changes.

local failure = {}

---@class operator.Failure
---@field kind "retry"|"fail"
---@field message string
---@field delay? number seconds, a retry's own wait
---@field code? string of the request that failed
---@field held? boolean nothing went wrong, the key only has to wait: no try is counted, nothing is said
---@field quiet? boolean it was said already, for all keys at once
local Failure = {}
Failure.__index = Failure
Failure.__name = "operator.Failure"
Failure.__tostring = function(self)
  return self.message
end

local function raise(kind, message, delay, more)
  local self = { kind = kind, message = tostring(message), delay = delay }
  for name, value in pairs(more or {}) do
    self[name] = value
  end
  error(setmetatable(self, Failure), 0)
end

--- Raises a permanent error: the key waits until its object changes (or a resync).
---@param message any a sentence
function failure.fail(message)
  raise("fail", message)
end

--- Raises a temporary error: the key is tried again with backoff, or after `delay`.
---@param message any
---@param delay? number seconds
function failure.retry(message, delay)
  raise("retry", message, delay)
end

--- Ends a key's work for a reason that lies outside of it and was said: it waits, parked, without a word of its own.
---@param message string
function failure.wait(message)
  raise("fail", message, nil, { quiet = true })
end

--- Ends the work on a key for now: it has to wait, through no fault of its own.
---@param message any
---@param delay number seconds
function failure.hold(message, delay)
  raise("retry", message, delay, { held = true })
end

--- Raises what an API call returned: retried where that can help.
---@param err host.nomad.Error
---@param prefix? string what was being done
function failure.raise(err, prefix)
  local message = (prefix and (prefix .. ": ") or "") .. tostring(err)
  -- A refused permission is somebody's to mend, and can be mended without an event: so it is retried, slowly.
  raise(
    (err.retryable or err.code == "denied" or err.code == "frozen" or err.code == "conflict")
        and "retry"
      or "fail",
    message,
    err.retry_after,
    { code = err.code }
  )
end

--- An error of an API call or a template that a script passed on by raising it: it carries its own verdict.
---@param err any
---@return operator.Failure? nil: it is none of these
function failure.from(err)
  if type(err) == "table" and type(err.retryable) == "boolean" then
    local _, raised = pcall(failure.raise, err)
    return raised
  end
  return failure.is(err) and err or nil
end

--- What a person is told of an error: one line for an error with a verdict, for any other the traceback too.
---@param err any
---@param trace? string
---@return string
function failure.text(err, trace)
  local verdict = failure.from(err)
  if verdict or not trace then
    return tostring(verdict or err)
  end
  return tostring(err) .. "\n" .. trace
end

--- Ends a key's work because what it was decided on has changed meanwhile: it is worked again, without a word.
---@param message string
function failure.again(message)
  raise("retry", message, 0, { held = true })
end

--- Is it one that is not told: the key only waits, for a reason that was said already?
---@param err operator.Failure
---@return boolean
function failure.is_silent(err)
  return err.held == true or err.quiet == true
end

--- Is it the end of a task whose generation is closed?
---@param err any
---@return boolean
function failure.is_cancelled(err)
  return type(err) == "table" and err.code == "cancelled"
end

---@param value any
---@return boolean
function failure.is(value)
  return getmetatable(value) == Failure
end

return failure
