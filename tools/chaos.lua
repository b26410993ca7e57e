-- chaos: random jobs, people and troubles in a world of the model, then calm: is all as the policies say?
--
--     lua5.4 tools/chaos.lua [-seed N] [-seeds N] [-faults N] [-v]
--
-- -seeds runs so many, from -seed on. A run that ends wrong is shortened and shown: its seed, its steps, and the
-- difference; -v shows the transcript too. The same seed and number of faults give the same run.

local root = (arg[0]:match "^(.*)/[^/]*$" or ".") .. "/.."
package.path = ("%s/lib/?.lua;%s/lib/?/init.lua;%s/spec/?.lua;"):format(root, root, root)
  .. package.path
package.cpath = root .. "/build/lib/?.so;" .. package.cpath

local function read_arguments(list)
  local options, i = { seed = 1, seeds = 1, faults = 1000 }, 1
  while list[i] do
    local name = list[i]:match "^%-%-?(%a+)$"
    if name == "v" then
      options.verbose = true
    elseif options[name or ""] and math.tointeger(tonumber(list[i + 1])) then
      i = i + 1
      options[name] = math.tointeger(tonumber(list[i]))
    else
      io.stderr:write("chaos: ", list[i], ": there are -seed N, -seeds N, -faults N, -v\n")
      os.exit(1)
    end
    i = i + 1
  end
  return options
end

local function show_failure(steps, failed, settings, verbose)
  local shrink = require "chaos.shrink"
  print("  " .. failed.wrong[1])
  local shorter, again = shrink.steps(steps, failed, settings)
  print(("  of %d steps these %d are enough:"):format(#steps, #shorter))
  for _, text in ipairs(again.said) do
    print("  " .. text)
  end
  print "  and then:"
  for _, text in ipairs(again.wrong) do
    print("    " .. text)
  end
  if verbose then
    for _, record in ipairs(again.world.log) do
      print(("  %9.2f %s %s"):format(record.at - 1799971200, record.level, record.message))
    end
    print(table.concat(again.world.transcript))
  end
end

local function main()
  require "support.helper"
  local run = require "chaos.run"
  local options, failures = read_arguments(arg), 0
  for seed = options.seed, options.seed + options.seeds - 1 do
    local began = os.clock()
    local steps, settings = run.steps(seed, options.faults), run.settings(seed)
    local result = run.carry_out(steps, settings)
    print(
      ("seed %d: %s; %d faults, %d steps, %.1f hours, Nomad %s, right %.0f s after; %.1f s"):format(
        seed,
        #result.wrong == 0 and "right" or "WRONG",
        options.faults,
        #steps,
        result.world.clock.monotonic() / 3600,
        settings.version,
        result.took or 0,
        os.clock() - began
      )
    )
    if #result.wrong > 0 then
      failures = failures + 1
      show_failure(steps, result, settings, options.verbose)
    end
    io.stdout:flush()
  end
  os.exit(failures == 0 and 0 or 1, true)
end

main()
