--- polling: where no stream can be had, a blocking query says when the jobs have changed, and then they are listed.

local jobs = require "nomad.jobs"

local polling = {}

--- How long a query waits for a change, seconds between two lists at least, and between lists where nothing can be
--- waited for.
local WAIT, GAP, PLAIN = 20, 1, 10

-- Waits for a change of the list. Returns the index that it was seen at, nil where that cannot be told. An empty
-- cluster has index 0, which would not be waited for.
local function change(generation, index)
  local host, began = generation.host, generation.host.monotonic()
  local now, err = jobs.index({ index = math.max(1, index), wait = WAIT })
  if now and (now > 0 or host.monotonic() - began >= GAP) then
    return now
  end
  host.log("debug", "The jobs cannot be waited for: " .. tostring(err or "no index"))
  return nil
end

local function follow(generation, relist)
  local index = generation.list_index or 0
  while true do
    local now = change(generation, index)
    if now ~= index then
      relist()
    end
    -- The list says what is wrong, if something is.
    repeat
      generation.host.sleep(now and GAP or PLAIN)
    until not generation.listing
    index = now or generation.list_index or 0
  end
end

local function start(generation, relist)
  return generation.host.spawn("polling", follow, function(ok, err, trace)
    if not ok and not (type(err) == "table" and err.code == "cancelled") then
      local message = "The jobs are not waited for any more: " .. tostring(err)
      generation.host.log("error", message, { trace = trace })
    end
  end, generation, relist)
end

--- Follows the list while there is no stream.
---@param generation operator.Generation
---@param task? host.Task the one that follows already
---@param relist fun()
---@return host.Task? task nil: there is a stream
function polling.follow(generation, task, relist)
  if not generation.connection.live then
    return task or start(generation, relist)
  elseif task then
    task:cancel()
  end
  return nil
end

return polling
