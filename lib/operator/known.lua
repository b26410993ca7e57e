--- known: what is known of children, packed: which exist, whose they are, and with which index we last found them
--- right. A child is a record of the host (host.packed), not a table; the children of an owner are a chain.
--- Holds nothing that a list could not bring back.

local packed = require "host.packed"
local watchlist = require "operator.watchlist"

local known = {}

-- The state of a child is one integer: its JobModifyIndex as last seen (-1: void), the number of its policy, and
-- flags. SYNCED: at this index it was as the digest says. UNSETTLED: it is stopped, but its runs may still be there.
local STOPPED, SYNCED, DIGESTED, UNSETTLED = 1, 2, 4, 8
local FLAGS, POLICY_BITS = 4, 18
local INDEX_SHIFT = FLAGS + POLICY_BITS
local POLICIES_MAX = 1 << POLICY_BITS

-- The fields of a child's record, in this order: its state, the json.digest of the desired job when it was last in
-- sync, the record of its owner, and its neighbours in the chain. And the one of an owner's.
local STATE, OWNER, NEXT, BEFORE, CHILD_FIELDS = 1, 3, 4, 5, 5
local FIRST, OWNER_FIELDS = 1, 1

---@class operator.Known
---@field private children host.Packed
---@field private owners host.Packed
---@field private names string[] policies by number
---@field private numbers table<string, integer>
---@field private alive integer[] children that are not stopped, by policy
---@field private watched operator.Watchlist
local Known = {}
Known.__index = Known

---@param keys? operator.Watchlist is told of every child and its owner
---@return operator.Known
function known.new(keys)
  return setmetatable({
    watched = keys or watchlist.NONE,
    children = packed.new(CHILD_FIELDS),
    owners = packed.new(OWNER_FIELDS),
    names = {},
    numbers = {},
    alive = {},
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

local function flags_of(state)
  return state & ((1 << FLAGS) - 1)
end

-- The same child, of which whatever is seen next is news.
local function void(state)
  return pack(-1, policy_of(state), flags_of(state) & ~SYNCED)
end

local function number_of(self, policy)
  local number = self.numbers[policy]
  if not number then
    number = #self.names + 1
    if number >= POLICIES_MAX then
      error(("children of more than %d policies"):format(POLICIES_MAX - 1), 0)
    end
    self.names[number], self.numbers[policy] = policy, number
    self.alive[number] = 0
  end
  return number
end

-- A new child, before the others of its owner.
local function link(self, key, owner, state, digest)
  local record = self.owners:add(owner)
  local first = self.owners:get(record, FIRST)
  local child = self.children:add(key, state, digest, record, first)
  if first > 0 then
    self.children:set(first, BEFORE, child)
  end
  self.owners:set(record, FIRST, child)
end

local function unlink(self, child)
  local children, owner = self.children, self.children:get(child, OWNER)
  local before, after = children:get(child, BEFORE), children:get(child, NEXT)
  if after > 0 then
    children:set(after, BEFORE, before)
  end
  if before > 0 then
    children:set(before, NEXT, after)
  elseif after > 0 then
    self.owners:set(owner, FIRST, after)
  else
    self.owners:remove(owner)
  end
end

local function add_alive(self, state, change)
  if state & STOPPED == 0 then
    local number = policy_of(state)
    self.alive[number] = self.alive[number] + change
  end
end

-- What does not go with an index stays.
local function set(self, child, before, index, number, flags)
  local state = pack(index, number, flags | before & (DIGESTED | UNSETTLED))
  add_alive(self, before, -1)
  add_alive(self, state, 1)
  self.children:set(child, STATE, state)
end

local function add(self, key, owner, state, digest)
  link(self, key, owner, state, digest)
  add_alive(self, state, 1)
  self.watched:add(key)
  self.watched:add(owner)
end

--- A child was seen, in a list, an event or an answer.
---@param key string of the child
---@param mark operator.Marks
---@param index integer JobModifyIndex
---@param stopped boolean
---@return boolean changed its index or state is news
function Known:saw(key, mark, index, stopped)
  local number = number_of(self, mark.policy)
  local flags = stopped and STOPPED or 0
  local child, state, _, owner = self.children:find(key)
  if child and (policy_of(state) ~= number or self.owners:key(owner) ~= mark.owner) then
    self:forget(key)
    child = nil
  end
  if not child then
    add(self, key, mark.owner, pack(index, number, flags), 0)
    return true
  elseif index < index_of(state) then
    return false
  elseif index == index_of(state) then
    set(self, child, state, index, number, flags | state & SYNCED)
    return state & STOPPED ~= flags
  end
  set(self, child, state, index, number, flags)
  return true
end

-- json.digest is 16 hexadecimal digits.
local function from_digest(digest)
  return tonumber(digest, 16)
end

--- The child was found, or made, as the desired job says: right, unless a newer one was seen meanwhile.
---@param key string
---@param digest string
---@param index integer JobModifyIndex of what was found or made
function Known:synced(key, digest, index)
  local child, state = self.children:find(key)
  local right = index_of(state) == index and SYNCED or 0
  self.children:set(child, STATE, state | right | DIGESTED, from_digest(digest))
end

--- The child was made or changed as the desired job says: seen, and right, unless a newer one was seen meanwhile.
---@param key string
---@param policy string
---@param owner string
---@param digest string
---@param index integer JobModifyIndex of the answer
function Known:wrote(key, policy, owner, digest, index)
  if self.children:find(key) then
    self:saw(key, { policy = policy, owner = owner }, index, false)
    self:synced(key, digest, index)
  else
    local state = pack(index, number_of(self, policy), SYNCED | DIGESTED)
    add(self, key, owner, state, from_digest(digest))
  end
end

--- The child may not be what it was: it is right only when it has been read again.
---@param key string
---@param index? integer of the event that tells so: what is older is not what became of it
function Known:doubt(key, index)
  local child, state = self.children:find(key)
  if child then
    local newest = math.max(index_of(state), index or -1)
    self.children:set(child, STATE, pack(newest, policy_of(state), flags_of(state) & ~SYNCED))
  end
end

--- The newest index that an event, a list or an answer has shown of the child.
---@param key string
---@return integer? nil: nothing is known of it
function Known:newest(key)
  local child, state = self.children:find(key)
  return child and index_of(state)
end

--- Is the stopped child not done with: may its runs still be there?
---@param key string
---@param unsettled boolean
function Known:settle(key, unsettled)
  local child, state = self.children:find(key)
  if child then
    self.children:set(child, STATE, unsettled and state | UNSETTLED or state & ~UNSETTLED)
  end
end

--- Was the child right at this index, when it was looked at last?
---@param key string
---@param index integer JobModifyIndex
---@return boolean
function Known:right_at(key, index)
  local child, state = self.children:find(key)
  return child ~= nil and state & SYNCED ~= 0 and index_of(state) == index
end

--- Is the child still as we last left it, this owner's, and is that what is wanted?
---@param key string
---@param digest string
---@param policy string
---@param owner string
---@return boolean
function Known:in_sync(key, digest, policy, owner)
  local child, state, last, record = self.children:find(key)
  return child ~= nil
    and state & (SYNCED | STOPPED) == SYNCED
    and last == from_digest(digest)
    and self.owners:key(record) == owner
    and self.names[policy_of(state)] == policy
end

--- Was the child last written, or found right, as this digest says? It need not be so any more.
---@param key string
---@param digest string
---@return boolean
function Known:was(key, digest)
  local child, state, last = self.children:find(key)
  return child ~= nil and state & DIGESTED ~= 0 and last == from_digest(digest)
end

--- Whose child is it?
---@param key string
---@return string? owner nil: no child that we know of
---@return string? policy
---@return boolean? stopped
function Known:whose(key)
  local child, state, _, owner = self.children:find(key)
  if not child then
    return nil
  end
  return self.owners:key(owner), self.names[policy_of(state)], state & STOPPED ~= 0
end

--- The child no longer exists, or is no longer ours.
---@param key string
function Known:forget(key)
  local child, state, _, owner = self.children:find(key)
  if not child then
    return
  end
  self.watched:remove(key)
  self.watched:remove(self.owners:key(owner))
  unlink(self, child)
  add_alive(self, state, -1)
  self.children:remove(child)
end

-- The child of the chain, this one or one behind it, that is of the policy and not stopped and done with; and the one
-- behind that. nil: none is.
local function alive_from(self, child, number)
  while (child or 0) > 0 do
    local state, _, _, after = self.children:values(child)
    if policy_of(state) == number and state & (STOPPED | UNSETTLED) ~= STOPPED then
      return child, after
    end
    child = after
  end
end

--- The children of an owner that exist and are not stopped and done with, in order of their keys.
---@param policy string
---@param owner string
---@param except? table<string, any> by key: children that are not asked for
---@return string[] keys
function Known:of(policy, owner, except)
  local keys, number = {}, self.numbers[policy]
  local _, first = self.owners:find(owner)
  local child, after = alive_from(self, first, number)
  while child do
    local key = self.children:key(child)
    if not (except and except[key]) then
      keys[#keys + 1] = key
    end
    child, after = alive_from(self, after, number)
  end
  if #keys > 1 then
    table.sort(keys)
  end
  return keys
end

--- Does the owner have any such child?
---@param policy string
---@param owner string
---@return boolean
function Known:has(policy, owner)
  local _, first = self.owners:find(owner)
  return alive_from(self, first, self.numbers[policy]) ~= nil
end

--- A list that is as new as what was seen of a child shows an older one: a snapshot was restored.
---@param key string
---@param index integer JobModifyIndex in the list
---@param list_index integer of the list
function Known:compare_index(key, index, list_index)
  local child, state = self.children:find(key)
  if child and index < index_of(state) and index_of(state) <= list_index then
    self.children:set(child, STATE, void(state))
  end
end

--- The indexes of the cluster went back: whatever is seen next is news.
function Known:forget_indexes()
  local children, child = self.children, self.children:next(0)
  while child do
    children:set(child, STATE, void(children:get(child, STATE)))
    child = children:next(child)
  end
end

--- All children, in no order. They may be forgotten meanwhile, but none may come.
---@return fun(): string? key
function Known:keys()
  local child = 0
  return function()
    child = self.children:next(child)
    return child and self.children:key(child)
  end
end

--- Memory that is not in the Lua heap.
---@return integer bytes
function Known:bytes()
  return self.children:bytes() + self.owners:bytes()
end

--- How many children of the policy exist and are not stopped.
---@param policy string
---@return integer
function Known:count(policy)
  return self.alive[self.numbers[policy] or 0] or 0
end

return known
