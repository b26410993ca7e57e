--- listing: one pass over /v1/jobs, merged into what is known: connects and resyncs both come down to this.

local jobs = require "nomad.jobs"
local marks = require "operator.marks"

local listing = {}

-- A child as the list shows it; its owner is looked at when that is news.
local function see_child(generation, key, stub, mark, round)
  local known = generation.known
  local controller = generation.by_name[mark.policy]
  local child = known.children[key]
  local changed = known:saw(key, mark, stub.JobModifyIndex, stub.Stop == true)
  child = known.children[key] or child
  child.round = round
  if controller and changed then
    generation.touched[mark.owner .. "\0" .. mark.policy] = key
  end
end

local function wanted(generation, namespace)
  return generation.namespaces == nil or generation.namespaces[namespace] == true
end

-- Children that were known and are not in the list: their owners are looked at, and read what is true.
local function missing_children(generation, round)
  for key, child in pairs(generation.known.children) do
    if child.round ~= round and not child.stopped then
      generation.touched[child.owner .. "\0" .. child.policy] = key
    end
  end
end

-- Owners whose children need a look. An owner that is not in the list at all makes its children orphans.
local function visit_owners(generation, cause, jobs_seen)
  for slot, child in pairs(generation.touched) do
    local owner, policy = slot:match("^(.*)%z(.*)$")
    local controller = generation.by_name[policy]
    if controller then
      local orphan = not jobs_seen[owner]
      controller:put(owner, { cause = orphan and { kind = "sweep", detail = marks.show(child) .. " has no owner" }
        or { kind = cause.kind } })
    end
  end
  generation.touched = {}
end

--- Lists and merges. The queues of the generation's controllers have what is to be done afterwards.
---@async
---@param generation operator.Generation
---@param cause operator.Cause
---@return integer? index X-Nomad-Index of the list
---@return host.nomad.Error?
---@return integer count jobs seen
function listing.run(generation, cause)
  local reader, err = jobs.list({ namespace = generation.list_namespace })
  if not reader then
    return nil, err, 0
  end
  generation.round = generation.round + 1
  generation.touched = {}
  local round, count, owners_seen = generation.round, 0, {}
  while true do
    local stub, failed = reader:next()
    if failed then
      return nil, failed, count
    elseif not stub then
      break
    end
    count = count + 1
    local namespace = stub.Namespace
    if wanted(generation, namespace) then
      local key = marks.key(namespace, stub.ID)
      local mark = marks.read(stub)
      if mark and mark.instance == generation.instance then
        see_child(generation, key, stub, mark, round)
      end
      owners_seen[key] = true
      for _, controller in ipairs(generation.controllers) do
        controller:listed(key, stub, cause, round)
      end
    end
  end
  missing_children(generation, round)
  -- Children whose owner is not there any more, though nothing about the child itself is news.
  for key, child in pairs(generation.known.children) do
    if not child.stopped and not owners_seen[child.owner] then
      generation.touched[child.owner .. "\0" .. child.policy] = key
    end
  end
  visit_owners(generation, cause, owners_seen)
  for _, controller in ipairs(generation.controllers) do
    controller:list_ended(cause, round)
  end
  return reader.index, nil, count
end

return listing
