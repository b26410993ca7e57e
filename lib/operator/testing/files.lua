--- files: what a world's scripts are read from: texts in memory first, then the project's own files.

local files = {}

--- Where the project is: lib/operator/testing/files.lua is this file.
local ROOT = debug.getinfo(1, "S").source:match "^@(.*)lib/operator/testing/files%.lua$" or ""

---@class operator.testing.Files
---@field texts table<string, string>
local Files = {}
Files.__index = Files

---@param texts table<string, string>
---@return operator.testing.Files
function files.new(texts)
  local self = setmetatable({ texts = {} }, Files)
  self:put(texts)
  return self
end

--- Adds or changes files; false takes one away.
---@param texts table<string, string|false>
function Files:put(texts)
  for path, text in pairs(texts) do
    self.texts[path] = text or nil
  end
end

--- On disk: a path relative to the project, builtin: beside it.
local function on_disk(path)
  path = path:gsub("^builtin:", "")
  return path:sub(1, 1) == "/" and path or ROOT .. path
end

---@param path string
---@return string? text
---@return string? error
function Files:read(path)
  if self.texts[path] then
    return self.texts[path]
  end
  local file = io.open(on_disk(path), "rb")
  local text = file and file:read "a"
  if file then
    file:close()
  end
  if not text then
    return nil, path .. ": No such file or directory"
  end
  return text
end

local function in_memory(texts, path)
  local names, prefix = {}, path .. "/"
  for name in pairs(texts) do
    if name:sub(1, #prefix) == prefix then
      names[name:sub(#prefix + 1):match "^[^/]+"] = true
    end
  end
  return names
end

--- The names on disk; ls, for Lua itself cannot list. False: no directory.
local function add_real(names, path)
  local quoted = "'" .. (on_disk(path) .. "/"):gsub("'", "'\\''") .. "'"
  local pipe = assert(io.popen("ls -1A " .. quoted .. " 2>/dev/null", "r"))
  for name in pipe:lines() do
    names[name] = true
  end
  return pipe:close() == true
end

---@param path string
---@return string[]? names
---@return string? error
function Files:list(path)
  local names = in_memory(self.texts, path)
  local found = next(names) ~= nil
  if not found and not self.texts[path] then
    found = add_real(names, path)
  end
  local list = {}
  for name in pairs(names) do
    list[#list + 1] = name
  end
  table.sort(list)
  if not found then
    return nil, path .. ": Not a directory"
  end
  return list
end

--- The scripts among the files in memory that no directory holds.
---@return string[]
function Files:scripts()
  local list = {}
  for path in pairs(self.texts) do
    if path:find "%.lua$" and not path:find "/" then
      list[#list + 1] = path
    end
  end
  table.sort(list)
  return list
end

return files
