--- command: the commands that are Lua programs: plan, prune, check, acl, jobspec, exec. Each runs as a task and
--- returns the exit code.

local host = require "host"
local generation = require "operator.generation"
local least = require "operator.least"
local marks = require "operator.marks"
local prune = require "operator.prune"

local command = {}

local SIGNS = { create = "+", update = "~", remove = "-", refuse = "!" }
local WORDS =
  { create = "create", update = "update", remove = "remove", refuse = "would not be removed" }

local function load_policies(options)
  local gen = generation.new(options)
  local ok, err = pcall(gen.load, gen)
  if not ok then
    host.log("error", tostring(err))
    return nil
  end
  return gen
end

local function print_plan(actions)
  table.sort(actions, function(a, b)
    return a.child < b.child
  end)
  local counts = { create = 0, update = 0, remove = 0, refuse = 0 }
  for _, action in ipairs(actions) do
    counts[action.op] = counts[action.op] + 1
    host.print(
      ("%s %s %s  (%s of %s%s)\n"):format(
        SIGNS[action.op],
        WORDS[action.op],
        host.escape(marks.show(action.child)),
        action.policy,
        host.escape(marks.show(action.owner)),
        action.detail and (": " .. host.escape(action.detail)) or ""
      )
    )
  end
  if #actions == 0 then
    host.print("Nothing to do: the cluster is as the policies say.\n")
    return
  end
  host.print(
    ("Plan: %d to create, %d to update, %d to remove%s.\n"):format(
      counts.create,
      counts.update,
      counts.remove,
      counts.refuse > 0
          and (", %d removals refused by the limit (-max-delete)"):format(counts.refuse)
        or ""
    )
  )
end

--- One pass over the cluster: prints what would be made, changed and removed; writes nothing.
---@async
---@return integer 0 nothing to do, 2 something, 1 an error
function command.plan()
  local actions, failed = {}, 0
  local done = host.signal()
  local gen = load_policies({
    planned = actions,
    once = true,
    fatal = function()
      failed = failed + 1
    end,
    idle = function()
      done:fire()
    end,
  })
  if not gen then
    return 1
  end
  gen:connected(1, false)
  local ok, err = pcall(gen.start, gen, true)
  if not ok then
    host.log("error", tostring(err))
    return 1
  end
  for _, one in ipairs(gen.controllers) do
    one.queue:start()
  end
  while not gen:idle() do
    done:wait(1)
  end
  print_plan(actions)
  if failed > 0 then
    host.print(("%d keys could not be planned; see the errors above.\n"):format(failed))
    return 1
  end
  return #actions > 0 and 2 or 0
end

local function find_leftovers(gen)
  local unclear = 0
  local found, err = prune.find({
    instance = host.options.instance,
    namespace = #gen.list_namespaces == 1 and gen.list_namespaces[1] or "*",
    wanted = function(namespace)
      return gen.namespaces == nil or gen.namespaces[namespace] == true
    end,
    policies = gen.by_name,
    unclear = function(key, failed)
      unclear = unclear + 1
      host.log("error", ("Job %s is left out: %s"):format(marks.show(key), tostring(failed)))
    end,
  })
  if not found then
    host.log("error", "The jobs cannot be listed: " .. tostring(err))
  end
  return found, unclear
end

local function print_leftovers(found)
  for _, one in ipairs(found) do
    host.print(("- %s  (%s)\n"):format(host.escape(marks.show(one.key)), host.escape(one.reason)))
  end
  host.print(
    ("%d %s of instance %s that nobody looks after.\n"):format(
      #found,
      #found == 1 and "job" or "jobs",
      host.options.instance
    )
  )
end

-- Is it to be done? Says why not.
local function confirmed(release)
  if host.options.dry_run then
    return false, "With -dry-run nothing is done."
  elseif host.options.yes then
    return true
  end
  local answer = host.ask(
    release and "Take the marks away (a service's allocations are replaced)?" or "Stop them?"
  )
  if answer == nil then
    return false, "There is no terminal to ask at; -yes does it without asking."
  end
  return answer, not answer and "Nothing was done." or nil
end

local function remove_leftovers(found, release)
  local failed = 0
  for _, one in ipairs(found) do
    local name = host.escape(marks.show(one.key))
    local done, err = prune.remove(one, release)
    if done == nil then
      failed = failed + 1
      host.log("error", ("Job %s: %s"):format(marks.show(one.key), tostring(err)))
    else
      local word = release and "released" or "stopped"
      host.print(("%s: %s\n"):format(name, done and word or "has changed meanwhile, left alone"))
    end
  end
  return failed
end

--- Lists what no loaded policy looks after, and after a yes stops it or takes its marks away.
---@async
---@return integer 0 nothing is left, 2 something is, 1 an error
function command.prune()
  local gen = load_policies()
  local found, unclear
  if gen then
    found, unclear = find_leftovers(gen)
  end
  if not found then
    return 1
  end
  print_leftovers(found)
  if #found == 0 then
    return unclear > 0 and 1 or 0
  end
  local release = host.options.release == true
  local yes, why = confirmed(release)
  if not yes then
    host.print(why .. "\n")
    return 2
  end
  return remove_leftovers(found, release) + unclear > 0 and 1 or 0
end

--- Loads scripts and says what they are; asks no Nomad.
---@return integer 0, or 1 with the error on stderr
function command.check()
  local gen = load_policies()
  if not gen then
    return 1
  end
  for _, policy in ipairs(gen.policies) do
    local does = {}
    for _, name in ipairs({ "desired", "reconcile", "on", "on_start", "on_stop" }) do
      if policy[name] then
        does[#does + 1] = name
      end
    end
    for _, name in ipairs({ "every", "cron" }) do
      for text in pairs(policy[name]) do
        does[#does + 1] = ("%s %s"):format(name, text)
      end
    end
    host.print(
      ("%s: policy %s watches %s: %s\n"):format(
        policy.source,
        policy.name,
        policy.watch.topic .. (policy.topic.by_list and " (by its list)" or ""),
        table.concat(does, ", ")
      )
    )
  end
  host.print(
    ("%d %s loaded, no error.\n"):format(
      #gen.policies,
      #gen.policies == 1 and "policy" or "policies"
    )
  )
  return 0
end

--- Prints the least ACL policy that the scripts need; asks no Nomad.
---@return integer 0, or 1 with the error on stderr
function command.acl()
  local gen = load_policies()
  if not gen then
    return 1
  end
  local rules = least.of({
    policies = gen.policies,
    templates = #gen.templates > 0,
    wanted = gen.namespaces,
    crossing = host.options.cross_namespace,
  })
  host.print(rules:hcl())
  return 0
end

--- Works on job specifications; JSON asks no Nomad.
---@async
---@param args string[] the subcommand, then what it takes
---@return integer 0, 1 an error or an invalid job, 2 two jobs are different
function command.jobspec(args)
  return require("operator.jobspec_command").run(args)
end

--- Runs a Lua program with the whole API. Its arguments are in `...`; an integer that it returns is the exit code.
---@async
---@param args string[] the file, then its arguments
---@return integer
function command.exec(args)
  local path = args[1]
  if not path then
    host.log("error", "exec takes a file: nomad-operator exec FILE.lua [ARG …]")
    return 1
  end
  local text, err = host.read_file(path)
  if not text then
    host.log("error", err)
    return 1
  end
  local chunk, syntax = load(text, "@" .. path, "t")
  if not chunk then
    host.log("error", syntax)
    return 1
  end
  local ok, result = xpcall(chunk, debug.traceback, table.unpack(args, 2))
  if not ok then
    host.log("error", tostring(result))
    return 1
  end
  return math.type(result) == "integer" and result or 0
end

return command
