--- polling: where no stream tells of a topic, a blocking query says when its list has changed, and then it is listed.

local polling = {}

--- How long a query waits for a change, seconds between two lists at least, between lists where nothing can be waited
--- for, and between tries where the list is refused.
local WAIT, GAP, PLAIN, REFUSED = 20, 1, 10, 60

-- Waits for a change of the list. Returns the index that it was seen at, nil where that cannot be told. An empty
-- list may have index 0, which would not be waited for.
local function change(generation, topic, index)
  local host, began = generation.host, generation.host.monotonic()
  local now, err = topic:index({ index = math.max(1, index), wait = WAIT })
  if now and (now > 0 or host.monotonic() - began >= GAP) then
    return now
  end
  local why = tostring(err or "no index")
  host.log("debug", ("The list of the topic %s cannot be waited for: %s"):format(topic.name, why))
  return nil
end

local function listed_at(generation, topic)
  if topic.name == "Job" then
    return generation.list_index or 0
  end
  return generation.watched:newest(topic).index
end

-- How long to rest after a look.
local function rest(generation, topic, now)
  local err = generation.watched:refusal(topic)
  if err and not err.retryable then
    return REFUSED
  end
  return (now and not err) and GAP or PLAIN
end

local function follow(generation, topic, relist)
  local index = listed_at(generation, topic)
  while true do
    local refused = generation.watched:refusal(topic)
    if refused then
      generation.host.sleep(rest(generation, topic))
    end
    local now = not refused and change(generation, topic, index) or nil
    if now ~= index then
      relist(topic)
    end
    -- The list says what is wrong, if something is.
    repeat
      generation.host.sleep(rest(generation, topic, now))
    until not generation.listing
    index = now or listed_at(generation, topic)
  end
end

local function start(generation, topic, relist)
  return generation.host.spawn("polling " .. topic.name, follow, function(ok, err, trace)
    if not ok and not (type(err) == "table" and err.code == "cancelled") then
      local message = ("The topic %s is not waited for any more: %s"):format(
        topic.name,
        tostring(err)
      )
      generation.host.log("error", message, { trace = trace })
    end
  end, generation, topic, relist)
end

--- Follows the lists that no stream tells of, and no others.
---@param generation operator.Generation
---@param tasks table<string, host.Task> those that follow already, by topic; changed in place
---@param relist fun(topic: operator.Topic)
function polling.follow(generation, tasks, relist)
  local wanted = {}
  for _, topic in ipairs(generation.watched:to_follow(generation.connection.live)) do
    wanted[topic.name] = true
    tasks[topic.name] = tasks[topic.name] or start(generation, topic, relist)
  end
  for name, task in pairs(tasks) do
    if not wanted[name] then
      task:cancel()
      tasks[name] = nil
    end
  end
end

return polling
