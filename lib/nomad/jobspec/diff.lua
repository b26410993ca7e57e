--- diff: what is different between two jobs: groups, tasks, services and whatever else has a name are compared by that,
--- constraints, ports, templates … by what they are about, everything else by its place. Nothing, null, zero, false and
--- empty are the same.

local json = require "host.json"
local identity = require "nomad.jobspec.identity"
local kinds = require "nomad.jobspec.kinds"

local diff = {}

---@class jobspec.Change
---@field path string "TaskGroups[db].Tasks[dump].Resources.MemoryMB"
---@field kind "added"|"removed"|"changed"
---@field old? any
---@field new? any
---@field secret? boolean the values may be secrets, and are not to be shown
---@field steps { name: string, key?: string|integer }[] the path, step by step

---@class jobspec.DiffOptions
---@field partial? boolean fields that the second job does not set are not compared
---@field ignored? fun(path: string): boolean what is not compared

--- Values behind these may be secrets: the path has no indexes.
local SECRETS = {
  "%f[%w]Env%.",
  "%f[%w]Env$",
  "EmbeddedTmpl$",
  "GetterHeaders",
  "GetterOptions",
  "Header$",
  "Header%.",
  "Secrets%.Config",
  "Config%.auth",
  "Config%..*[Pp]assword",
  "Config%..*[Ss]ecret",
  "Config%..*[Tt]oken",
  "ConsulToken$",
  "VaultToken$",
}

local function may_be_secret(steps)
  local names = {}
  for i, step in ipairs(steps) do
    names[i] = step.name
  end
  local text = table.concat(names, ".")
  for _, pattern in ipairs(SECRETS) do
    if text:find(pattern) then
      return true
    end
  end
  return false
end

local function path_of(steps)
  local parts = {}
  for i, step in ipairs(steps) do
    parts[i] = step.key and ("%s[%s]"):format(step.name, step.key) or step.name
  end
  return table.concat(parts, ".")
end

local function extended(steps, step)
  local result = table.move(steps, 1, #steps, 1, {})
  result[#result + 1] = step
  return result
end

-- The path of an element is that of its list, with a key.
local function element_of(steps, key)
  local result = table.move(steps, 1, #steps, 1, {})
  result[#result] = { name = result[#result].name, key = key }
  return result
end

local function note(state, steps, path, old, new)
  local kind = "changed"
  if old == nil or old == json.null then
    kind = "added"
  elseif new == nil or new == json.null then
    kind = "removed"
  end
  state.changes[#state.changes + 1] = {
    path = path,
    kind = kind,
    old = old ~= json.null and old or nil,
    new = new ~= json.null and new or nil,
    secret = may_be_secret(steps) or nil,
    steps = steps,
  }
end

local compare

local function compare_fields(state, old, new, steps)
  local keys, seen = {}, {}
  for _, object in ipairs { new, state.partial and {} or old } do
    for key in pairs(object) do
      if not seen[key] then
        keys[#keys + 1], seen[key] = key, true
      end
    end
  end
  table.sort(keys, function(a, b)
    return tostring(a) < tostring(b)
  end)
  for _, key in ipairs(keys) do
    compare(state, old[key], new[key], extended(steps, { name = tostring(key) }))
  end
end

-- Elements with a key of their own: what went, then what is there, in the new order.
local function compare_keyed(state, old, new, steps, before, after)
  for _, key in ipairs(before.keys) do
    if not after.places[key] then
      compare(state, old[before.places[key]], nil, element_of(steps, key))
    end
  end
  for i, key in ipairs(after.keys) do
    local at = before.places[key]
    compare(state, at and old[at], new[i], element_of(steps, key))
  end
end

local function holds_objects(list)
  return kinds.is_object(list[1])
end

local function compare_lists(state, old, new, steps, path)
  local name = steps[#steps] and steps[#steps].name or ""
  local before, before_keys = identity.places(name, old)
  local after, after_keys = identity.places(name, new)
  if before and after then
    compare_keyed(
      state,
      old,
      new,
      steps,
      { places = before, keys = before_keys },
      { places = after, keys = after_keys }
    )
  elseif holds_objects(old) or holds_objects(new) then
    for i = 1, math.max(#old, #new) do
      compare(state, old[i], new[i], element_of(steps, i - 1))
    end
  elseif json.digest(old) ~= json.digest(new) then
    note(state, steps, path, old, new)
  end
end

function compare(state, old, new, steps)
  if kinds.is_zero(old) and kinds.is_zero(new) then
    return
  end
  local path = path_of(steps)
  if state.ignored and state.ignored(path) then
    return
  elseif kinds.is_list(old) and kinds.is_list(new) then
    compare_lists(state, old, new, steps, path)
  elseif kinds.is_object(old) and kinds.is_object(new) then
    compare_fields(state, old, new, steps)
  elseif old ~= new then
    note(state, steps, path, old, new)
  end
end

--- The changes that lead from one job to the other, in the order of the paths' parts.
---@param old table
---@param new table
---@param options? jobspec.DiffOptions
---@return jobspec.Change[]
function diff.jobs(old, new, options)
  options = options or {}
  local state = { changes = {}, partial = options.partial, ignored = options.ignored }
  compare_fields(state, old, new, {})
  return state.changes
end

-- A copy without what may be secret in it.
local function redacted(value, steps)
  if type(value) ~= "table" then
    return value
  end
  local result = json.is_array(value) and json.array {} or {}
  for key, item in pairs(value) do
    local inner = type(key) == "string" and extended(steps, { name = key }) or steps
    if may_be_secret(inner) then
      item = not kinds.is_zero(item) and "(not shown)" or item
    end
    result[key] = redacted(item, inner)
  end
  return result
end

--- The changes as data for JSON: values that may be secrets are left out.
---@param changes jobspec.Change[]
---@return table[]
function diff.plain(changes)
  local result = json.array {}
  for i, change in ipairs(changes) do
    result[i] = {
      path = change.path,
      kind = change.kind,
      old = not change.secret and redacted(change.old, change.steps) or nil,
      new = not change.secret and redacted(change.new, change.steps) or nil,
      secret = change.secret,
    }
  end
  return result
end

return diff
