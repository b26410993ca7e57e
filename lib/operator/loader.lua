--- loader: reads policy scripts, files and directories, and returns the policies they declare. Every failure is one
--- error with file:line.

local jobspec = require "nomad.jobspec"
local policy = require "operator.policy"
local position = require "operator.position"
local sandbox = require "operator.sandbox"

local loader = {}

--- What runs when the command line names no script.
loader.DEFAULT = "builtin:scripts/backup.lua"

-- The files behind one argument.
local function files_of(host, argument)
  local path = argument:gsub("(.)/+$", "%1")
  local names = host.list_dir(path)
  if not names then
    return { path }
  end
  local files = {}
  for _, name in ipairs(names) do
    if name:find("%.lua$") and not name:find("^%.") then
      files[#files + 1] = path .. "/" .. name
    end
  end
  if #files == 0 then
    error(("%s: there is no policy in this directory (no file that ends in .lua)"):format(path), 0)
  end
  return files
end

-- What a script returned, as a list of policies.
local function policies_of(path, value)
  local list = policy.is(value) and { value } or value
  if type(list) ~= "table" or #list == 0 then
    error(
      (
        "%s: a policy script returns operator.policy { … }, or a list of them; "
        .. "this one returns %s"
      ):format(
        path,
        type(list) == "table" and "an empty table"
          or ("a " .. type(list)):gsub("^a nil$", "nothing")
      ),
      0
    )
  end
  for i, item in ipairs(list) do
    if not policy.is(item) then
      error(
        (
          "%s: item %d of the returned list is a %s, not a policy; "
          .. "wrap it in operator.policy { … }"
        ):format(path, i, type(item)),
        0
      )
    end
  end
  return list
end

-- An error value as one sentence that begins with a position.
local function positioned(path, err)
  local text = tostring(err)
  return text:find("^[^\n]-:%d+:") and text or (path .. ": " .. text)
end

local function run(host, path)
  local text, err = host.read_file(path)
  if not text then
    error(err, 0)
  end
  local chunk, syntax = load(position.prepare(text), "@" .. path, "t", sandbox.new(host))
  if not chunk then
    error(syntax, 0)
  end
  local ok, value = position.run(path, chunk)
  if not ok then
    error(positioned(path, value), 0)
  end
  return policies_of(path, value)
end

local function load_all(host, arguments)
  local policies, names = {}, {}
  for _, argument in ipairs(arguments) do
    for _, path in ipairs(files_of(host, argument)) do
      for _, one in ipairs(run(host, path)) do
        local other = names[one.name]
        if other then
          error(
            ("%s: a policy named %q is already declared at %s"):format(
              one.source,
              one.name,
              other.source
            ),
            0
          )
        end
        names[one.name] = one
        policies[#policies + 1] = one
      end
    end
  end
  return policies
end

--- Loads scripts. Raises one error with file:line.
---@param host table read_file, list_dir, log
---@param arguments string[] files and directories; empty: the built-in backup policy
---@return operator.Policy[]
---@return table[] templates that the scripts declared
function loader.load(host, arguments)
  if #arguments == 0 then
    arguments = { loader.DEFAULT }
  end
  local templates, policies = jobspec.collect(load_all, host, arguments)
  return policies, templates
end

return loader
