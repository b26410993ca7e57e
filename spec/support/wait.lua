-- wait: runs the libuv loop until a condition holds; every wait has a deadline and says what it waited for.
local uv = require "luv"

local wait = {}

-- Runs the loop until condition() returns something true, and returns that. Raises after `seconds`; `what` is text
-- or a function that makes it ("no job backup-x; the operator said: …").
function wait.until_true(seconds, what, condition)
  local late = false
  local deadline, tick = uv.new_timer(), uv.new_timer()
  deadline:start(math.floor(seconds * 1000), 0, function() late = true end)
  -- Wakes the loop for conditions that nothing in it announces.
  tick:start(10, 10, function() end)
  local ok, result = pcall(function()
    local value = condition()
    while not value and not late do
      uv.run("once")
      value = condition()
    end
    return value
  end)
  deadline:close()
  tick:close()
  uv.run("nowait")
  if not ok then error(result, 0) end
  if result then return result end
  local text = type(what) == "function" and what() or what
  error(("after %g seconds: %s"):format(seconds, text), 2)
end

-- The same for conditions that ask a server each time: asks every tenth of a second.
function wait.poll(seconds, what, ask)
  local due = 0
  return wait.until_true(seconds, what, function()
    if uv.now() < due then return nil end
    local value = ask()
    due = uv.now() + 100
    return value
  end)
end

-- Lets time pass with the loop running. Only for "nothing happens meanwhile"; never to wait for something.
function wait.pass(seconds)
  local over = false
  local timer = uv.new_timer()
  timer:start(math.floor(seconds * 1000), 0, function() over = true end)
  while not over do uv.run("once") end
  timer:close()
  uv.run("nowait")
end

return wait
