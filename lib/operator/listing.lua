--- listing: one pass over /v1/jobs, merged into what is known: connects and resyncs both come down to this.

local jobs = require "nomad.jobs"
local marks = require "operator.marks"

local listing = {}

-- A child as the list shows it; its owner is looked at when that is news.
local function see_child(generation, key, stub, mark, index)
  generation.known:compare_index(key, stub.JobModifyIndex, index)
  local controller = generation.by_name[mark.policy]
  local changed = generation.known:saw(key, mark, stub.JobModifyIndex, stub.Stop == true)
  local unsettled = generation.recall:child(key, stub, mark)
  if controller and (changed or unsettled) then
    generation.touched[mark.owner .. "\0" .. mark.policy] = key
  end
end

local function wanted(generation, namespace)
  return generation.namespaces == nil or generation.namespaces[namespace] == true
end

-- Owners of children that are not in the list, and children of owners that are not: their owners are looked at, and
-- read what is true. A stopped child that is not there was collected.
local function missing_children(generation, present)
  local known = generation.known
  for key in known:keys() do
    local owner, policy, stopped = known:whose(key)
    if stopped and not present[key] then
      known:forget(key)
    elseif not stopped and not (present[key] and present[owner]) then
      if not present[key] then
        -- It may have been purged without an event: it is right only when it has been read.
        known:doubt(key)
      end
      generation.touched[owner .. "\0" .. policy] = key
    end
  end
end

-- Owners whose children need a look. An owner that is not in the list at all makes its children orphans.
local function visit_owners(generation, cause, jobs_seen)
  for slot, child in pairs(generation.touched) do
    local owner, policy = slot:match("^(.*)\0(.*)$")
    local controller = generation.by_name[policy]
    if controller then
      controller:look_at(owner, not jobs_seen[owner] and child or nil, cause)
    end
  end
  generation.touched = {}
end

-- One element of the list. A stub that is older than the event by which the job went says nothing: what became of
-- the job is read because of that event.
local function see(generation, stub, cause, index)
  local key = marks.key(stub.Namespace, stub.ID)
  if generation.tombstones:covers(key, stub.JobModifyIndex) then
    return key
  end
  local mark = marks.read(stub)
  if mark and mark.instance == generation.instance then
    see_child(generation, key, stub, mark, index)
  end
  for _, controller in ipairs(generation.controllers) do
    controller:listed(key, stub, cause, index)
  end
  return key
end

--- An event may come a moment before the list knows of it: so long this takes at most. Seconds.
local BEHIND = 1

-- Is the list older than what was seen before it was asked for? Asked a second time it is not, unless the index of the
-- cluster has gone back.
local function is_behind(generation, index, before)
  local behind = index > 0 and index < before
  local again = behind and not generation.behind
  generation.behind = again
  return again
end

-- Another cluster, or a restored snapshot: its indexes say nothing about what was seen before.
local function check_index(generation, index, before)
  if index > 0 and index < before then
    generation.host.log(
      "warn",
      (
        "The index went back from %d to %d (a restored snapshot, or another cluster): "
        .. "looking at every job anew"
      ):format(before, index)
    )
    for _, controller in ipairs(generation.controllers) do
      controller:forget_indexes()
    end
    generation.known:forget_indexes()
    generation.newest = index
  end
  generation.newest = math.max(generation.newest, index)
end

-- Everything of one answer.
local function merge(generation, reader, cause)
  local count, present = 0, {}
  while true do
    local stub, failed = reader:next()
    if failed then
      return nil, failed, count
    elseif not stub then
      break
    end
    count = count + 1
    if wanted(generation, stub.Namespace) then
      local key = see(generation, stub, cause, reader.index)
      present[key] = true
      generation.recall:stub(key, stub)
    end
  end
  local unknown = generation.recall:finish()
  if unknown then
    return nil, unknown, count
  end
  missing_children(generation, present)
  visit_owners(generation, cause, present)
  for _, controller in ipairs(generation.controllers) do
    controller:list_ended(cause, present)
  end
  return reader.index, nil, count
end

--- Lists and merges. The queues of the generation's controllers have what is to be done afterwards.
---@async
---@param generation operator.Generation
---@param cause operator.Cause
---@return integer? index X-Nomad-Index of the list
---@return host.nomad.Error?
---@return integer count jobs seen
function listing.run(generation, cause)
  local grave <close> = generation.tombstones:open() -- luacheck: ignore 211
  local before = generation.newest
  local reader <close>, err = jobs.list({ namespace = generation.list_namespace })
  if not reader then
    return nil, err, 0
  elseif is_behind(generation, reader.index, before) then
    reader:close()
    generation.host.sleep(BEHIND)
    return listing.run(generation, cause)
  end
  check_index(generation, reader.index, before)
  generation.round = generation.round + 1
  generation.recall:begin()
  -- What a list that broke off has found in generation.touched is still there.
  return merge(generation, reader, cause)
end

return listing
