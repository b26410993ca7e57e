--- modules: the operator's Lua modules loaded anew for one generation, as each real one has a Lua state of its own.
--- So what a module keeps dies with its generation, and a specification notices if anybody counted on more.

local json = require "host.json"

local ordered = require "operator.testing.ordered"

local modules = {}

--- What each generation has for itself. operator.testing is the world, not in it.
local function is_own(name)
  if name:find "^operator%.testing" then
    return false
  end
  return name == "operator"
    or name == "nomad"
    or name == "template"
    or name:find "^operator%." ~= nil
    or name:find "^nomad%." ~= nil
    or name:find "^template%." ~= nil
end

local function no_global(_, name)
  error(("a module sets the global %s; write: local %s = …"):format(tostring(name), name), 2)
end

--- A `require` with a memory of its own. Its modules see the keys of tables in their order, so that a world with the
--- same seed does the same.
---@param given table<string, any> modules that are handed in: host, host.nomad
---@return fun(name: string): any
function modules.loader(given)
  local loaded = {}
  for name, module in pairs(given) do
    loaded[name] = module
  end
  local own_require
  local env = { pairs = ordered.pairs }
  for name, read in pairs(json.raw) do
    env[name] = read
  end
  env._G = env
  setmetatable(env, {
    __index = function(_, name)
      return name == "require" and own_require or _G[name]
    end,
    __newindex = no_global,
  })

  function own_require(name)
    if loaded[name] ~= nil then
      return loaded[name]
    elseif not is_own(name) then
      return require(name)
    end
    local path = package.searchpath(name, package.path)
    if not path then
      -- Embedded, or missing: then there is one for all.
      return require(name)
    end
    local chunk, err = loadfile(path, "t", env)
    if not chunk then
      error(err, 0)
    end
    local value = chunk(name, path)
    loaded[name] = value == nil and true or value
    return loaded[name]
  end

  return own_require
end

return modules
