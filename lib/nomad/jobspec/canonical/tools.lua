--- tools: small things that all parts of the canonicalizer need.

local json = require "host.json"

local tools = {}

tools.SECOND = 1000000000
tools.MINUTE = 60 * tools.SECOND
tools.HOUR = 60 * tools.MINUTE

--- Sets what is not set.
---@param object table
---@param defaults table<string, any>
---@return table object
function tools.fill(object, defaults)
  for name, value in pairs(defaults) do
    if object[name] == nil then
      object[name] = value
    end
  end
  return object
end

--- Sets what is not set, or is an empty string.
---@param object table
---@param name string
---@param value string
function tools.fill_empty(object, name, value)
  if object[name] == nil or object[name] == "" then
    object[name] = value
  end
end

--- The elements; of nothing, none.
---@param list? any[]
---@return any[]
function tools.each(list)
  return list or {}
end

--- Empty lists and maps become null.
---@param object table
---@param ... string names
function tools.drop_empty(object, ...)
  for _, name in ipairs { ... } do
    if type(object[name]) == "table" and next(object[name]) == nil then
      object[name] = nil
    end
  end
end

--- Copies of each value of `over`, laid over `base`: a new table.
---@param base? table
---@param over? table
---@return table? nil where both are nil
function tools.merged(base, over)
  if not base and not over then
    return nil
  end
  local result = {}
  for _, source in ipairs { base or {}, over or {} } do
    for name, value in pairs(source) do
      result[name] = value
    end
  end
  return result
end

--- Appends, making the list where there is none.
---@param object table
---@param name string of the list
---@param value any
function tools.append(object, name, value)
  object[name] = object[name] or json.array {}
  table.insert(object[name], value)
end

--- ${NAME} replaced where `values` has it, everything else as it stands.
---@param text string
---@param values table<string, string>
---@return string
function tools.replace_env(text, values)
  return (text:gsub("%${([%w_%-%.]+)}", values))
end

return tools
