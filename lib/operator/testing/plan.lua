--- plan: what a registration would change, as the dry run of a scheduler tells it.

local canonical = require "operator.testing.canonical"
local json = require "host.json"

local plan = {}

local NULL = json.null

-- Not part of what a person wrote.
local HIDDEN = {
  CreateIndex = true,
  ModifyIndex = true,
  JobModifyIndex = true,
  Version = true,
  Status = true,
  StatusDescription = true,
  Stable = true,
  SubmitTime = true,
  ID = true,
  NomadTokenID = true,
  ParentID = true,
}

local function text_of(value)
  return value == nil and "" or tostring(value)
end

local function field(name, old, new)
  local kind = old == nil and "Added" or new == nil and "Deleted" or "Edited"
  return {
    Annotations = NULL,
    Name = name,
    New = text_of(new),
    Old = text_of(old),
    Type = kind,
  }
end

local function keys_of(...)
  local seen, out = {}, {}
  for _, t in ipairs { ... } do
    for name in pairs(t) do
      if not seen[name] then
        seen[name] = true
        out[#out + 1] = name
      end
    end
  end
  table.sort(out)
  return out
end

local function add_map(out, name, old, new)
  for _, key in ipairs(keys_of(old, new)) do
    if old[key] ~= new[key] then
      out[#out + 1] = field(("%s[%s]"):format(name, key), old[key], new[key])
    end
  end
end

--- The scalars that differ, and one level of maps as Meta[name].
local function fields_of(old, new)
  local out = json.array {}
  for _, name in ipairs(keys_of(old, new)) do
    local a, b = old[name], new[name]
    if name == "Meta" or name == "Env" then
      add_map(out, name, a or {}, b or {})
    elseif a ~= b and not HIDDEN[name] and type(a) ~= "table" and type(b) ~= "table" then
      out[#out + 1] = field(name, a, b)
    end
  end
  return #out > 0 and out or NULL
end

local function by_name(list)
  local out = {}
  for _, item in ipairs(list or {}) do
    out[item.Name] = item
  end
  return out
end

local function kind(old, new)
  if not old then
    return "Added"
  elseif not new then
    return "Deleted"
  end
  return canonical.equal(old, new) and "None" or "Edited"
end

local function parts(old, new, one)
  local before, after = by_name(old), by_name(new)
  local out = json.array {}
  for _, name in ipairs(keys_of(before, after)) do
    out[#out + 1] = one(before[name], after[name], name)
  end
  return #out > 0 and out or NULL
end

local function task_diff(old, new, name)
  return {
    Annotations = NULL,
    Fields = fields_of(old or {}, new or {}),
    Name = name,
    Objects = NULL,
    Type = kind(old, new),
  }
end

local UPDATES = { Added = "create", Deleted = "destroy", Edited = "create/destroy update" }

local function group_diff(changed)
  return function(old, new, name)
    local what = kind(old, new)
    local update = what == "None" and (changed and "create/destroy update" or "ignore")
    return {
      Fields = fields_of(old or {}, new or {}),
      Name = name,
      Objects = NULL,
      Tasks = parts((old or {}).Tasks, (new or {}).Tasks, task_diff),
      Type = what,
      Updates = { [update or UPDATES[what]] = ((new or old).Count or 1) },
    }
  end
end

--- The Diff of a plan.
---@param old? table
---@param new table
---@return table
function plan.diff(old, new)
  local changed = not old or canonical.spec_changed(old, new)
  return {
    Fields = fields_of(old or {}, new),
    ID = new.ID,
    Objects = NULL,
    TaskGroups = parts((old or {}).TaskGroups, new.TaskGroups, group_diff(changed)),
    Type = not old and "Added" or changed and "Edited" or "None",
  }
end

--- What would become of each group's allocations.
---@param old? table
---@param new table
---@return table
function plan.annotations(old, new)
  local changed = old and canonical.spec_changed(old, new)
  local updates = {}
  for _, group in ipairs(new.TaskGroups or {}) do
    local place = not old and group.Count or 0
    local destroy = changed and group.Count or 0
    updates[group.Name] = {
      Canary = 0,
      DestructiveUpdate = destroy,
      Ignore = group.Count - place - destroy,
      InPlaceUpdate = 0,
      Migrate = 0,
      Place = place,
      Preemptions = 0,
      Stop = 0,
    }
  end
  return { DesiredTGUpdates = updates, PreemptedAllocs = NULL }
end

return plan
