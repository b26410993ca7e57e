--- snapshot: what `nomad operator snapshot save` keeps of the model's state, and what a restore does.

local snapshot = {}

local function copy(from, depth)
  local to = {}
  for key, value in pairs(from) do
    to[key] = depth > 1 and copy(value, depth - 1) or value
  end
  return to
end

---@class operator.testing.Snapshot
---@field index integer
---@field tables table<string, integer>
---@field namespaces table<string, table>
---@field jobs table<string, table<string, table>>
---@field versions table<string, table[]>
---@field evals table[]
---@field objects table<string, table<string, table>>

-- How deep each part of the state is. What it holds is never changed, but replaced: the tables around it are enough.
local DEPTHS = { tables = 1, namespaces = 1, jobs = 2, versions = 2, evals = 1, objects = 2 }

---@param state operator.testing.State
---@return operator.testing.Snapshot
function snapshot.save(state)
  local saved = { index = state.index }
  for name, depth in pairs(DEPTHS) do
    saved[name] = copy(state[name], depth)
  end
  return saved
end

--- The servers' state is as it was. Streams end. On the same servers the raft index goes on from where it was, and
--- only the indexes of what is stored go back; on new ones it goes back too.
---@param state operator.testing.State
---@param saved operator.testing.Snapshot
---@param new_servers? boolean
function snapshot.restore(state, saved, new_servers)
  state.index = new_servers and saved.index or math.max(state.index, saved.index)
  for name, depth in pairs(DEPTHS) do
    state[name] = copy(saved[name], depth)
  end
  state.broker.buffer = {}
  state.broker:drop "subscription closed by server, client should resubscribe"
  state:notify()
end

--- Calls a function that only reads, for which the state is as it was.
---@param state operator.testing.State
---@param saved operator.testing.Snapshot
---@param fn fun(...): any
---@param ... any
---@return any
function snapshot.look(state, saved, fn, ...)
  local present = {}
  for name in pairs(DEPTHS) do
    present[name], state[name] = state[name], saved[name]
  end
  local result = fn(...)
  for name in pairs(DEPTHS) do
    state[name] = present[name]
  end
  return result
end

return snapshot
