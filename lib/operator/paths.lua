--- paths: how the fields of a job are named, "TaskGroups[web].Tasks[server].Env.PORT", and patterns of such names, in
--- which * stands for any one name: "TaskGroups[*].Count". Elements of a list go by their Name where all have one.

local paths = {}

--- Patterns, ready to be matched.
---@param texts? string[] "TaskGroups[*].Count"
---@return string[]
function paths.compile(texts)
  local patterns = {}
  for i, text in ipairs(texts or {}) do
    local pattern = text:gsub("[%^%$%(%)%%%.%[%]%+%-%?]", "%%%0"):gsub("%*", "[^%%]]*")
    patterns[i] = "^" .. pattern .. "$"
  end
  return patterns
end

---@param patterns string[] of paths.compile
---@param path string
---@return boolean
function paths.match(patterns, path)
  for _, pattern in ipairs(patterns) do
    if path:find(pattern) then
      return true
    end
  end
  return false
end

--- The path of a field.
---@param path string of the object, "" for the job
---@param name string
---@return string
function paths.field(path, name)
  return path == "" and name or (path .. "." .. name)
end

--- The path of an element.
---@param path string of the list
---@param name string|integer its Name, or its place from 1
---@return string
function paths.element(path, name)
  if math.type(name) == "integer" then
    name = name - 1 -- as Nomad counts
  end
  return ("%s[%s]"):format(path, name)
end

--- The elements by name; nil where not every one has a name of its own.
---@param list any[]
---@return table<string, table>?
function paths.by_name(list)
  local names = {}
  for _, item in ipairs(list) do
    local name = type(item) == "table" and item.Name
    if type(name) ~= "string" or name == "" or names[name] then
      return nil
    end
    names[name] = item
  end
  return names
end

return paths
