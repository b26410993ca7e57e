--- listing: one pass over /v1/jobs, after those over the other topics that are watched, merged into what is known:
--- connects and resyncs both come down to this.

local packed = require "host.packed"
local jobs = require "nomad.jobs"
local keys = require "operator.keys"
local marks = require "operator.marks"
local newest = require "operator.newest"

local listing = {}

-- The owner of a child needs a look.
local function touch(generation, owner, policy)
  local touched = generation.touched
  touched[policy] = touched[policy] or packed.new(1)
  touched[policy]:add(owner)
end

-- A child as the list shows it; its owner is looked at when that is news.
local function see_child(generation, key, stub, mark, index)
  generation.known:compare_index(key, stub.JobModifyIndex, index)
  local controller = generation.by_name[mark.policy]
  local changed = generation.known:saw(key, mark, stub.JobModifyIndex, stub.Stop == true)
  local unsettled = generation.recall:child(key, stub, mark)
  if controller and (changed or unsettled) then
    touch(generation, mark.owner, mark.policy)
  end
end

local function wanted(generation, namespace)
  return generation.namespaces == nil or generation.namespaces[namespace] == true
end

local function in_list(present, key)
  return present:has(keys.topic(key), key)
end

-- Owners of children that are not in the list, and children of owners that are not: their owners are looked at, and
-- read what is true. A stopped child that is not there was collected. What the token cannot see is unknown.
local function missing_children(generation, present)
  local known, scope = generation.known, generation.scope
  local function there(key)
    return in_list(present, key)
  end
  for key in known:keys() do
    local owner, policy, stopped = known:whose(key)
    local unknown = scope:is_lost(marks.split(key))
      or scope:is_lost(marks.split(owner))
      or generation.watched:is_unknown(owner)
    if not unknown and stopped and not there(key) then
      known:forget(key)
    elseif not unknown and not stopped and not (there(key) and there(owner)) then
      if not there(key) then
        -- It may have been purged without an event: it is right only when it has been read.
        known:doubt(key)
      end
      touch(generation, owner, policy)
    end
  end
end

-- Owners whose children need a look. An owner that is not in the list at all makes its children orphans.
local function visit_owners(generation, cause, present)
  for policy, owners in pairs(generation.touched) do
    local controller = generation.by_name[policy]
    local record = controller and owners:next(0)
    while record do
      local owner = owners:key(record)
      local orphan = not in_list(present, owner) and generation.known:of(policy, owner)[1]
      controller:look_at(owner, orphan or nil, cause)
      record = owners:next(record)
    end
    owners:clear()
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
  for _, controller in ipairs(generation.watched:of("Job")) do
    controller:listed(key, stub, cause, index)
  end
  return key
end

-- Another cluster, or a restored snapshot: its indexes say nothing about what was seen before.
local function went_back(generation, before, index)
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
end

-- The list of one namespace, or of all. Returns how many jobs it has.
local function read(generation, reader, cause, present)
  local count = 0
  while true do
    local stub, failed = reader:next()
    if failed then
      return nil, failed
    elseif not stub then
      local left_out, has_meta = reader:left_out()
      generation.recall:left_out(has_meta)
      return count + left_out
    end
    count = count + 1
    if wanted(generation, stub.Namespace) then
      local key = see(generation, stub, cause, reader.index)
      present:add("Job", key)
      generation.recall:stub(key, stub)
    end
  end
end

-- Which stubs have to be looked at; the host leaves the others out before they are decoded. nil: all of them, for
-- want of a `where`, or because the list has namespaces that are none of ours.
local function pick(generation, present)
  if not generation.stubs or (generation.namespaces and generation.list_namespaces[1] == "*") then
    return nil
  end
  local where = { generation.recall:wants() }
  table.move(generation.stubs, 1, #generation.stubs, #where + 1, where)
  return { topic = "Job", where = where, keys = present }
end

-- A list that is there to be read. One of several may be refused: it is left out.
local function open(generation, namespace, present)
  local reader, err = jobs.list({ namespace = namespace, pick = pick(generation, present) })
  local several = #generation.list_namespaces > 1
  if several and (reader or err.code == "denied") then
    generation.scope:listed(namespace, err)
  end
  return reader, err, several
end

-- The first list that is answered tells the index of all. Returns false when it is behind what was seen before.
local function begin(generation, index)
  local before = generation.newest.floor
  local verdict = generation.newest:judge(index)
  if verdict == "behind" then
    return false
  elseif verdict == "back" then
    went_back(generation, before, index)
  end
  generation.round = generation.round + 1
  generation.recall:begin()
  return true
end

-- Reads the lists. Returns the index of the first that is answered, those that follow are no older; false where that
-- is behind; nil and an error. What a list that broke off has found in generation.touched is still there.
local function read_all(generation, cause, present)
  local count, index, refusal = 0, nil, nil
  for _, namespace in ipairs(generation.list_namespaces) do
    local reader <close>, err, several = open(generation, namespace, present)
    if reader then
      if not index and not begin(generation, reader.index) then
        return false, nil, 0
      end
      index = index or reader.index
      local seen, failed = read(generation, reader, cause, present)
      if not seen then
        return nil, failed, count
      end
      count = count + seen
    elseif not (several and err.code == "denied") then
      return nil, err, count
    end
    refusal = refusal or err
  end
  return index, refusal, count
end

-- What the lists do not have is looked at too.
local function settle(generation, cause, present)
  if generation.round > 1 then
    -- What is missing may be out of sight.
    generation.scope:refresh()
  end
  missing_children(generation, present)
  visit_owners(generation, cause, present)
  for _, controller in ipairs(generation.watched:of("Job")) do
    controller:list_ended(cause, present)
  end
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
  local present = generation.host.keys()
  generation.watched:list_all(generation, cause, present)
  local refusal = generation.watched:trouble()
  if refusal and generation.options.once then
    return nil, refusal, 0
  end
  local index, err, count = read_all(generation, cause, present)
  if index == false then
    generation.host.sleep(newest.BEHIND)
    return listing.run(generation, cause)
  elseif not index then
    return nil, err, count
  end
  local unknown = generation.recall:finish()
  if unknown then
    return nil, unknown, count
  end
  settle(generation, cause, present)
  return index, nil, count
end

return listing
