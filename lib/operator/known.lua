--- known: what is known of children: which exist, whose they are, and with which index we last found them right.
--- Holds nothing that a list could not bring back.

local known = {}

---@class operator.Child
---@field policy string
---@field owner string key
---@field index integer JobModifyIndex as last seen
---@field stopped boolean
---@field synced? integer JobModifyIndex at which the child was as `digest` says
---@field digest? string json.digest of the desired job then
---@field round? integer the list in which it was last seen

---@class operator.Known
---@field children table<string, operator.Child> by key
---@field owned table<string, table<string, boolean>> "policy\0owner" → keys of children
local Known = {}
Known.__index = Known

---@return operator.Known
function known.new()
  return setmetatable({ children = {}, owned = {} }, Known)
end

local function owner_slot(policy, owner)
  return policy .. "\0" .. owner
end

--- A child was seen, in a list, an event or an answer.
---@param key string of the child
---@param mark operator.Marks
---@param index integer JobModifyIndex
---@param stopped boolean
---@return boolean changed its index or state is news
function Known:saw(key, mark, index, stopped)
  local child = self.children[key]
  if child and (child.policy ~= mark.policy or child.owner ~= mark.owner) then
    self:forget(key)
    child = nil
  end
  if not child then
    local slot = owner_slot(mark.policy, mark.owner)
    self.owned[slot] = self.owned[slot] or {}
    self.owned[slot][key] = true
    self.children[key] =
      { policy = mark.policy, owner = mark.owner, index = index, stopped = stopped }
    return true
  end
  if index < child.index then
    return false
  end
  local changed = child.index ~= index or child.stopped ~= stopped
  child.index, child.stopped = index, stopped
  return changed
end

--- The child was found, or made, as the desired job says.
---@param key string
---@param digest string
function Known:synced(key, digest)
  local child = self.children[key]
  child.synced, child.digest = child.index, digest
end

--- Is the child still as we last left it, this owner's, and is that what is wanted?
---@param key string
---@param digest string
---@param policy string
---@param owner string
---@return boolean
function Known:in_sync(key, digest, policy, owner)
  local child = self.children[key]
  if child and (child.policy ~= policy or child.owner ~= owner) then
    return false
  end
  return child ~= nil
    and not child.stopped
    and child.synced == child.index
    and child.digest == digest
end

--- The child no longer exists, or is no longer ours.
---@param key string
function Known:forget(key)
  local child = self.children[key]
  if not child then
    return
  end
  self.children[key] = nil
  local slot = owner_slot(child.policy, child.owner)
  self.owned[slot][key] = nil
  if next(self.owned[slot]) == nil then
    self.owned[slot] = nil
  end
end

--- The children of an owner that exist and are not stopped, in order of their keys.
---@param policy string
---@param owner string
---@return string[] keys
function Known:of(policy, owner)
  local keys = {}
  for key in pairs(self.owned[owner_slot(policy, owner)] or {}) do
    if not self.children[key].stopped then
      keys[#keys + 1] = key
    end
  end
  table.sort(keys)
  return keys
end

--- Does the owner have any child that is not stopped?
---@param policy string
---@param owner string
---@return boolean
function Known:has(policy, owner)
  for key in pairs(self.owned[owner_slot(policy, owner)] or {}) do
    if not self.children[key].stopped then
      return true
    end
  end
  return false
end

--- The indexes of the cluster went back: whatever is seen next is news.
function Known:forget_indexes()
  for _, child in pairs(self.children) do
    child.index, child.synced = -1, nil
  end
end

--- How many children of the policy exist and are not stopped.
---@param policy string
---@return integer
function Known:count(policy)
  local count = 0
  for _, child in pairs(self.children) do
    if child.policy == policy and not child.stopped then
      count = count + 1
    end
  end
  return count
end

return known
