--- prune: what carries our marks but has nobody who looks after it: its policy is not loaded, or its owner is gone. It
--- is found, and stopped or released: its marks are taken away.

local jobs = require "nomad.jobs"
local marks = require "operator.marks"
local topics = require "operator.topics"

local prune = {}

---@class operator.Leftover
---@field key string
---@field mark operator.Marks
---@field reason string

-- Could it be a child that is not stopped?
local function is_candidate(stub, options)
  return not stub.Stop and (stub.ParentID or "") == "" and options.wanted(stub.Namespace)
end

-- The jobs that may be children, and the keys of all.
local function list(options)
  local reader <close>, err = jobs.list({ namespace = options.namespace })
  if not reader then
    return nil, nil, err
  end
  local children, present, unclear, has_meta = {}, {}, {}, false
  while true do
    local stub, failed = reader:next()
    if failed then
      return nil, nil, failed
    elseif not stub then
      break
    end
    local key = marks.key(stub.Namespace, stub.ID)
    has_meta = has_meta or stub.Meta ~= nil
    present[key] = true
    if is_candidate(stub, options) then
      table.insert(stub.Meta and children or unclear, { key = key, mark = marks.read(stub) })
    end
  end
  if not has_meta then
    children = unclear -- a server that leaves the meta out of its list: each has to be read
  end
  return children, present
end

-- Its marks, where the list did not have them.
local function read_mark(child)
  if child.mark then
    return child.mark
  end
  local job, err = jobs.get(marks.split(child.key))
  if not job then
    return nil, err.code ~= "not_found" and err or nil
  end
  return marks.read(job)
end

-- Why nobody looks after it; nil: somebody does, or that cannot be known.
local function reason_of(mark, options, present)
  if not options.policies[mark.policy] then
    return ("policy %s is not loaded"):format(mark.policy)
  elseif present[mark.owner] then
    return nil
  end
  local owner, err = topics.read(mark.owner)
  if owner then
    return nil
  elseif err.code == "not_found" then
    return ("its owner %s is gone"):format(marks.show(mark.owner))
  end
  return nil, err
end

---@class operator.PruneOptions
---@field instance string
---@field namespace string of the list: one, or "*"
---@field wanted fun(namespace: string): boolean
---@field policies table<string, any> the loaded ones, by name
---@field unclear fun(key: string, err: host.nomad.Error) one of which it cannot be told

--- Finds them, in order of their keys.
---@async
---@param options operator.PruneOptions
---@return operator.Leftover[]?
---@return host.nomad.Error?
function prune.find(options)
  local children, present, err = list(options)
  if not children then
    return nil, err
  end
  local found = {}
  for _, child in ipairs(children) do
    local mark, reason, failed
    mark, failed = read_mark(child)
    if mark and mark.instance == options.instance then
      reason, failed = reason_of(mark, options, present)
      found[#found + 1] = reason and { key = child.key, mark = mark, reason = reason } or nil
    end
    if failed then
      options.unclear(child.key, failed)
    end
  end
  table.sort(found, function(a, b)
    return a.key < b.key
  end)
  return found
end

--- Stops one, or takes its marks away, if it is still as it was found.
---@async
---@param leftover operator.Leftover
---@param release boolean
---@return boolean? done false: it is gone or somebody's again meanwhile
---@return host.nomad.Error?
function prune.remove(leftover, release)
  local job, err = jobs.get(marks.split(leftover.key))
  if not job then
    return err.code == "not_found" and false or nil, err
  end
  local mark, was = marks.read(job), leftover.mark
  local same = mark and mark.instance == was.instance and mark.policy == was.policy
  if job.Stop or not same or mark.owner ~= was.owner then
    return false
  end
  local answer
  local options = { enforce_index = job.JobModifyIndex }
  if release then
    answer, err = jobs.register(jobs.strip(marks.released(job)), options)
  else
    answer, err = jobs.stop(job, options)
  end
  return answer and true or nil, err
end

return prune
