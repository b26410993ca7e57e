--- runs: the jobs that Nomad made of a child that runs from a clock or by dispatch. They go on when their parent is
--- stopped, unless the policy says `stop_runs`.

local jobs = require "nomad.jobs"
local marks = require "operator.marks"

local runs = {}

-- The runs that are not over.
local function find(namespace, id)
  local reader <close>, err = jobs.list({ namespace = namespace, prefix = id .. "/" })
  if not reader then
    return nil, err
  end
  local found = {}
  while true do
    local stub, failed = reader:next()
    if failed then
      return nil, failed
    elseif not stub then
      return found
    elseif stub.ParentID == id and stub.Status ~= "dead" and not stub.Stop then
      found[#found + 1] = stub.ID
    end
  end
end

--- Stops them. All are tried; the first error is returned.
---@async
---@param key string of the parent
---@return integer stopped
---@return host.nomad.Error?
function runs.stop(key)
  local namespace, id = marks.split(key)
  local found, err = find(namespace, id)
  local stopped = 0
  for _, run in ipairs(found or {}) do
    local ok, failed = jobs.deregister(namespace, run)
    stopped = stopped + (ok and 1 or 0)
    err = err or failed
  end
  return stopped, err
end

return runs
