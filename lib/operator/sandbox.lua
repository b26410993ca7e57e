--- sandbox: the environment in which a policy script runs. It has the harmless part of the standard library and may
--- require the operator's own modules; a global that does not exist raises, and so does making one.

local nearest = require "operator.nearest"

local sandbox = {}

local FUNCTIONS = {
  "assert",
  "error",
  "ipairs",
  "next",
  "pairs",
  "pcall",
  "xpcall",
  "select",
  "tonumber",
  "tostring",
  "type",
  "rawequal",
  "rawget",
  "rawlen",
  "rawset",
  "setmetatable",
  "_VERSION",
}
local LIBRARIES = { "coroutine", "math", "string", "table", "utf8" }
local OS = { "clock", "date", "difftime", "time" }
local MODULES = { "operator", "nomad", "template", "cjson" }

local function copy(from, without)
  local to = {}
  for name, value in pairs(from) do
    if name ~= without then
      to[name] = value
    end
  end
  return to
end

local function checked_require(name)
  if
    type(name) == "string"
    and (
      name == "operator"
      or name == "nomad"
      or name == "template"
      or name == "cjson"
      or name:find("^nomad%.[%w_.]+$")
    )
  then
    return require(name)
  end
  error(
    ('a policy may require "operator", "nomad", "nomad.…", "template", "cjson"; not %q%s'):format(
      tostring(name),
      nearest.hint(name, MODULES)
    ),
    2
  )
end

-- Strings share one metatable with the libraries: a script must not reach it.
local function safe_getmetatable(value)
  if type(value) == "string" then
    return nil
  end
  return getmetatable(value)
end

--- A new environment.
---@param host table for print
---@return table
function sandbox.new(host)
  local env = {}
  for _, name in ipairs(FUNCTIONS) do
    env[name] = _G[name]
  end
  for _, name in ipairs(LIBRARIES) do
    env[name] = copy(_G[name], "dump")
  end
  env.os = {}
  for _, name in ipairs(OS) do
    env.os[name] = os[name]
  end
  env.getmetatable = safe_getmetatable
  env.require = checked_require
  env._G = env
  function env.print(...)
    local parts = table.pack(...)
    for i = 1, parts.n do
      parts[i] = tostring(parts[i])
    end
    host.log("info", table.concat(parts, " "))
  end
  function env.load(chunk, name, _, inner)
    if type(chunk) ~= "string" then
      error("load: a policy may load text only", 2)
    end
    return load(chunk, name, "t", inner or env)
  end
  return setmetatable(env, {
    __index = function(_, name)
      error(("undefined global %q%s"):format(tostring(name), nearest.hint(name, FUNCTIONS)), 2)
    end,
    __newindex = function(_, name)
      error(("a policy sets no globals; write: local %s = …"):format(tostring(name)), 2)
    end,
    __metatable = false,
  })
end

return sandbox
