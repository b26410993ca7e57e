--- commits: Nomad publishes an event a moment before what it tells of can be read. The model's is no moment at all;
--- here it is as long as a spec wants it.

local snapshot = require "operator.testing.snapshot"

local commits = {}

local function is_read(request)
  return (request.method or "GET") == "GET" and not request.inside
end

--- From now on reads see a change only `seconds` after its event. Writes are decided on what really is.
---@param model operator.testing.Model
---@param clock operator.testing.Clock
---@param seconds number
---@return fun() stop events and reads agree again
function commits.delay(model, clock, seconds)
  local state, stopped = model.state, false
  local own, http, notify = rawget(model, "http"), model.http, state.notify
  local visible = snapshot.save(state)

  function state:notify()
    local committed = snapshot.save(self)
    clock.after(seconds, function()
      if not stopped then
        visible = committed
        notify(self)
      end
    end)
  end

  function model:http(request)
    if not is_read(request) then
      return http(self, request)
    end
    return snapshot.look(state, visible, http, self, request)
  end

  return function()
    stopped = true
    model.http, state.notify = own, nil
    state:notify()
  end
end

return commits
