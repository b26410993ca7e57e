--- fresh: how to read what an event has told of. Nomad publishes an event a moment before its state can be read: a read
--- may come too soon, and can be made to wait.

local fresh = {}

--- How long a read may wait for the state that an event announced.
fresh.WAIT = "5s"

--- Options of a read whose answer is no older than an event.
---@param index? integer of the event
---@return nomad.jobs.GetOptions? nil: there is nothing to wait for
function fresh.at(index)
  return index and index > 1 and { index = index - 1, wait = fresh.WAIT } or nil
end

return fresh
