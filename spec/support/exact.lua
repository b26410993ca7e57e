-- exact: JSON compared to the letter: null, {}, [] and a field that is not there are four things.
local json = require "host.json"

local exact = {}

-- In an object our decoder reads a null as nothing; this stands for it.
local NULL = "\0null"

-- A null that is a value stands behind : [ or , and before , ] or } (in strings too, but then in both alike).
local function mark_nulls(text)
  local marked = text
  repeat
    local count
    marked, count = marked:gsub("([:%[,]%s*)null(%s*[,%]}])", '%1"\\u0000null"%2')
  until count == 0
  return marked
end

function exact.decode(text)
  return assert(json.decode(mark_nulls(text)))
end

local function shown(value)
  if value == nil then
    return "absent"
  elseif value == NULL then
    return "null"
  end
  local text = json.encode(value, { sorted = true }):gsub('"\\u0000null"', "null")
  return #text > 200 and text:sub(1, 200) .. "…" or text
end

local compare

local function compare_lists(a, b, path, found)
  for i = 1, math.max(#a, #b) do
    compare(a[i], b[i], ("%s[%d]"):format(path, i - 1), found)
  end
end

local function compare_objects(a, b, path, found)
  local names = {}
  for _, object in ipairs { a, b } do
    for name in pairs(object) do
      names[name] = true
    end
  end
  for name in pairs(names) do
    compare(a[name], b[name], path == "" and name or path .. "." .. name, found)
  end
end

function compare(a, b, path, found)
  if type(a) ~= "table" or type(b) ~= "table" or json.is_array(a) ~= json.is_array(b) then
    if a ~= b then
      found[#found + 1] = ("%s: ours %s, theirs %s"):format(path, shown(a), shown(b))
    end
  elseif json.is_array(a) then
    compare_lists(a, b, path, found)
  else
    compare_objects(a, b, path, found)
  end
end

-- What is different between two decoded values: a list of sentences.
function exact.differences(a, b)
  local found = {}
  compare(a, b, "", found)
  table.sort(found)
  return found
end

-- The value as a text of JSON would say it.
function exact.of(value)
  return exact.decode(json.encode(value))
end

local RUNTIME = {
  "Status",
  "StatusDescription",
  "Stable",
  "Version",
  "SubmitTime",
  "CreateIndex",
  "ModifyIndex",
  "JobModifyIndex",
}

local function strip_scaling(policy)
  if type(policy) == "table" then
    policy.ID, policy.CreateIndex, policy.ModifyIndex = nil, nil, nil
  end
end

-- A server's answer without what the server made by itself. Changes it.
function exact.without_runtime(job)
  for _, name in ipairs(RUNTIME) do
    job[name] = nil
  end
  for _, group in ipairs(type(job.TaskGroups) == "table" and job.TaskGroups or {}) do
    strip_scaling(group.Scaling)
    for _, task in ipairs(type(group.Tasks) == "table" and group.Tasks or {}) do
      local policies = task.ScalingPolicies
      for _, policy in ipairs(type(policies) == "table" and policies or {}) do
        strip_scaling(policy)
      end
    end
  end
  return job
end

return exact
