--- known: what is known of children, packed: which exist, whose they are, and with which index we last found them
--- right. A child is its key in three maps to integers and keys; no table of its own. Holds nothing that a list could
--- not bring back.

local watchlist = require "operator.watchlist"

local known = {}

-- The state of a child is one integer: its JobModifyIndex as last seen (-1: void), the number of its policy, and two
-- flags. SYNCED: at this index it was as `digests` says.
local STOPPED, SYNCED = 1, 2
local FLAGS, POLICY_BITS = 2, 20
local INDEX_SHIFT = FLAGS + POLICY_BITS
local POLICIES_MAX = 1 << POLICY_BITS

---@class operator.Known
---@field private states table<string, integer> by key of the child
---@field private owners table<string, string> key of the child → key of the owner
---@field private digests table<string, integer> json.digest of the desired job when it was last in sync
---@field private owned table<string, string|table<string, boolean>>[] by policy: owner → its child, or its children
---@field private names string[] policies by number
---@field private numbers table<string, integer>
---@field private alive integer[] children that are not stopped, by policy
---@field private unsettled table<string, true> stopped children whose runs may still be there
---@field private watched operator.Watchlist
local Known = {}
Known.__index = Known

---@param keys? operator.Watchlist is told of every child and its owner
---@return operator.Known
function known.new(keys)
  return setmetatable({
    watched = keys or watchlist.NONE,
    states = {},
    owners = {},
    digests = {},
    owned = {},
    names = {},
    numbers = {},
    alive = {},
    unsettled = {},
  }, Known)
end

local function index_of(state)
  -- An arithmetic shift: the index may be -1.
  return state // (1 << INDEX_SHIFT)
end

local function policy_of(state)
  return (state >> FLAGS) & (POLICIES_MAX - 1)
end

local function pack(index, number, flags)
  return index * (1 << INDEX_SHIFT) | number << FLAGS | flags
end

-- The same child, of which whatever is seen next is news.
local function void(state)
  return pack(-1, policy_of(state), state & STOPPED)
end

local function number_of(self, policy)
  local number = self.numbers[policy]
  if not number then
    number = #self.names + 1
    if number >= POLICIES_MAX then
      error(("children of more than %d policies"):format(POLICIES_MAX - 1), 0)
    end
    self.names[number], self.numbers[policy] = policy, number
    self.owned[number], self.alive[number] = {}, 0
  end
  return number
end

-- Most owners have one child: that is kept as its key alone.
local function add_owned(self, number, owner, key)
  local owned = self.owned[number]
  local before = owned[owner]
  if before == nil then
    owned[owner] = key
  elseif type(before) == "table" then
    before[key] = true
  elseif before ~= key then
    owned[owner] = { [before] = true, [key] = true }
  end
end

local function remove_owned(self, number, owner, key)
  local owned = self.owned[number]
  local before = owned[owner]
  if before == key then
    owned[owner] = nil
  elseif type(before) == "table" then
    before[key] = nil
    local one = next(before)
    if next(before, one) == nil then
      owned[owner] = one
    end
  end
end

local function set(self, key, index, number, flags)
  local before = self.states[key]
  if before and before & STOPPED == 0 then
    self.alive[policy_of(before)] = self.alive[policy_of(before)] - 1
  end
  if flags & STOPPED == 0 then
    self.alive[number] = self.alive[number] + 1
  end
  self.states[key] = pack(index, number, flags)
end

--- A child was seen, in a list, an event or an answer.
---@param key string of the child
---@param mark operator.Marks
---@param index integer JobModifyIndex
---@param stopped boolean
---@return boolean changed its index or state is news
function Known:saw(key, mark, index, stopped)
  local number, state = number_of(self, mark.policy), self.states[key]
  local flags = stopped and STOPPED or 0
  if state and (policy_of(state) ~= number or self.owners[key] ~= mark.owner) then
    self:forget(key)
    state = nil
  end
  if not state then
    add_owned(self, number, mark.owner, key)
    self.owners[key] = mark.owner
    self.watched:add(key)
    self.watched:add(mark.owner)
    set(self, key, index, number, flags)
    return true
  elseif index < index_of(state) then
    return false
  elseif index == index_of(state) then
    set(self, key, index, number, flags | state & SYNCED)
    return state & STOPPED ~= flags
  end
  set(self, key, index, number, flags)
  return true
end

-- json.digest is 16 hexadecimal digits.
local function packed(digest)
  return tonumber(digest, 16)
end

--- The child was found, or made, as the desired job says.
---@param key string
---@param digest string
function Known:synced(key, digest)
  self.states[key] = self.states[key] | SYNCED
  self.digests[key] = packed(digest)
end

--- The child may not be what it was: it is right only when it has been read again.
---@param key string
function Known:doubt(key)
  local state = self.states[key]
  if state then
    self.states[key] = state & ~SYNCED
  end
end

--- Is the stopped child not done with: may its runs still be there?
---@param key string
---@param unsettled boolean
function Known:settle(key, unsettled)
  self.unsettled[key] = self.states[key] and unsettled or nil
end

--- Was the child right at this index, when it was looked at last?
---@param key string
---@param index integer JobModifyIndex
---@return boolean
function Known:right_at(key, index)
  local state = self.states[key]
  return state ~= nil and state & SYNCED ~= 0 and index_of(state) == index
end

--- Is the child still as we last left it, this owner's, and is that what is wanted?
---@param key string
---@param digest string
---@param policy string
---@param owner string
---@return boolean
function Known:in_sync(key, digest, policy, owner)
  local state = self.states[key]
  return state ~= nil
    and state & (SYNCED | STOPPED) == SYNCED
    and self.digests[key] == packed(digest)
    and self.owners[key] == owner
    and self.names[policy_of(state)] == policy
end

--- Was the child last written, or found right, as this digest says? It need not be so any more.
---@param key string
---@param digest string
---@return boolean
function Known:was(key, digest)
  return self.digests[key] == packed(digest)
end

--- Whose child is it?
---@param key string
---@return string? owner nil: no child that we know of
---@return string? policy
---@return boolean? stopped
function Known:whose(key)
  local state = self.states[key]
  if not state then
    return nil
  end
  return self.owners[key], self.names[policy_of(state)], state & STOPPED ~= 0
end

--- The child no longer exists, or is no longer ours.
---@param key string
function Known:forget(key)
  local state = self.states[key]
  if not state then
    return
  end
  local number = policy_of(state)
  self.watched:remove(key)
  self.watched:remove(self.owners[key])
  remove_owned(self, number, self.owners[key], key)
  if state & STOPPED == 0 then
    self.alive[number] = self.alive[number] - 1
  end
  self.states[key], self.owners[key], self.digests[key] = nil, nil, nil
  self.unsettled[key] = nil
end

local function is_there(self, key)
  return self.states[key] & STOPPED == 0 or self.unsettled[key] == true
end

-- Calls fn for each child of the owner that exists and is not stopped and done with.
local function each_alive(self, policy, owner, fn)
  local number = self.numbers[policy]
  local owned = number and self.owned[number][owner]
  if type(owned) == "string" then
    owned = { [owned] = true }
  end
  for key in pairs(owned or {}) do
    if is_there(self, key) then
      fn(key)
    end
  end
end

--- The children of an owner that exist and are not stopped and done with, in order of their keys.
---@param policy string
---@param owner string
---@return string[] keys
function Known:of(policy, owner)
  local keys = {}
  each_alive(self, policy, owner, function(key)
    keys[#keys + 1] = key
  end)
  table.sort(keys)
  return keys
end

--- Does the owner have any such child?
---@param policy string
---@param owner string
---@return boolean
function Known:has(policy, owner)
  local number = self.numbers[policy]
  local owned = number and self.owned[number][owner]
  if type(owned) == "string" then
    return is_there(self, owned)
  end
  return owned ~= nil and #self:of(policy, owner) > 0
end

--- A list that is as new as what was seen of a child shows an older one: a snapshot was restored.
---@param key string
---@param index integer JobModifyIndex in the list
---@param list_index integer of the list
function Known:compare_index(key, index, list_index)
  local state = self.states[key]
  if state and index < index_of(state) and index_of(state) <= list_index then
    self.states[key] = void(state)
  end
end

--- The indexes of the cluster went back: whatever is seen next is news.
function Known:forget_indexes()
  for key, state in pairs(self.states) do
    self.states[key] = void(state)
  end
end

--- All children, in no order. They may be forgotten meanwhile, but none may come.
---@return fun(): string? key
---@return table
function Known:keys()
  return pairs(self.states)
end

--- How many children of the policy exist and are not stopped.
---@param policy string
---@return integer
function Known:count(policy)
  return self.alive[self.numbers[policy] or 0] or 0
end

return known
