--- position: the file and line at which a script is while it loads.

local position = {}

-- A policy script usually ends in `return operator.policy { … }`. As a tail call that would leave no trace of its line;
-- in the scope of a variable that is to be closed it is none.
local NO_TAIL_CALL = "local _ <close> = nil; "

local path

--- A script's text as it is compiled. Its lines keep their numbers.
---@param text string
---@return string
function position.prepare(text)
  return NO_TAIL_CALL .. text
end

--- Runs a script's chunk with its position known.
---@param script string its path; the chunk's name is "@" .. script
---@param chunk function
---@return boolean ok
---@return any value or error
function position.run(script, chunk)
  path = script
  local ok, value = pcall(chunk)
  path = nil
  return ok, value
end

--- "scripts/backup.lua:12", or nil while no script loads.
---@return string?
function position.here()
  local level = 2
  local info = path and debug.getinfo(level, "Sl")
  while info and info.source ~= "@" .. path do
    level = level + 1
    info = debug.getinfo(level, "Sl")
  end
  return path and ("%s:%d"):format(path, info and info.currentline or 1)
end

return position
