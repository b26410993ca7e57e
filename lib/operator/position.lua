--- position: the file and line at which a script is while it loads. A policy script usually ends in
--- `return operator.policy { … }`, a tail call: then no stack level names its line, but the line hook has seen it.

local position = {}

local path, line

--- Runs a script's chunk with its position known.
---@param script string its path; the chunk's name is "@" .. script
---@param chunk function
---@return boolean ok
---@return any value or error
function position.run(script, chunk)
  path, line = script, nil
  debug.sethook(function(_, current)
    if debug.getinfo(2, "S").source == "@" .. script then
      line = current
    end
  end, "l")
  local ok, value = pcall(chunk)
  debug.sethook()
  path = nil
  return ok, value
end

--- "scripts/backup.lua:12", or nil while no script loads.
---@return string?
function position.here()
  return path and ("%s:%d"):format(path, line or 1)
end

return position
