--- command: the commands that are Lua programs: plan, check and exec. Each runs as a task and returns the exit code.

local host = require "host"
local generation = require "operator.generation"
local marks = require "operator.marks"

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
        policy.watch.topic,
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
