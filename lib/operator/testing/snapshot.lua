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

--- Jobs and evaluations are never changed, but replaced, so that the tables that hold them are enough.
---@param state operator.testing.State
---@return operator.testing.Snapshot
function snapshot.save(state)
  return {
    index = state.index,
    tables = copy(state.tables, 1),
    namespaces = copy(state.namespaces, 1),
    jobs = copy(state.jobs, 2),
    versions = copy(state.versions, 2),
    evals = copy(state.evals, 1),
    objects = copy(state.objects, 2),
  }
end

--- The servers' state is as it was. Streams end. On the same servers the raft index goes on from where it was, and
--- only the indexes of what is stored go back; on new ones it goes back too.
---@param state operator.testing.State
---@param saved operator.testing.Snapshot
---@param new_servers? boolean
function snapshot.restore(state, saved, new_servers)
  state.index = new_servers and saved.index or math.max(state.index, saved.index)
  state.tables = copy(saved.tables, 1)
  state.namespaces = copy(saved.namespaces, 1)
  state.jobs = copy(saved.jobs, 2)
  state.versions = copy(saved.versions, 2)
  state.evals = copy(saved.evals, 1)
  state.objects = copy(saved.objects, 2)
  state.broker.buffer = {}
  state.broker:drop "subscription closed by server, client should resubscribe"
  state:notify()
end

return snapshot
