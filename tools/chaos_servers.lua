-- chaos_servers: chaos on three real Nomad servers and a client agent, then calm: is all as the policies say?
--
--     lua5.4 tools/chaos_servers.lua [-seed N] [-seconds N] [-nomad VERSION]
--
-- Prints what it does as it does it, and the verdict. Where that is wrong: what is different, and where the logs are.

package.path = "lib/?.lua;lib/?/init.lua;spec/?.lua;" .. package.path
package.cpath = "build/lib/?.so;" .. package.cpath

local function read_arguments(list)
  local options = { seed = 1, seconds = 600, nomad = "1.11.3" }
  for i = 1, #list, 2 do
    local name, value = list[i]:match "^%-%-?(%a+)$", list[i + 1]
    local number = math.tointeger(tonumber(value))
    if name == "nomad" and value then
      options.nomad = value
    elseif (name == "seed" or name == "seconds") and number and number > 0 then
      options[name] = number
    else
      io.stderr:write(
        "chaos_servers: ",
        list[i],
        ": there are -seed N, -seconds N, -nomad VERSION\n"
      )
      os.exit(1)
    end
  end
  return options
end

local function say(line)
  print(line)
  io.stdout:flush()
end

local FIGURES = "seed %d: %s; Nomad %s, %d s, %d outages, %d changes of the leader, "
  .. "%d starts of the operator, %d deeds of people (%d in vain), %d writes (%d of them stops), "
  .. "%d answers of a server that had lost touch, right %.1f s after"

local function main()
  require "support.helper"
  local options = read_arguments(arg)
  say(("seed %d, %d seconds, Nomad %s"):format(options.seed, options.seconds, options.nomad))
  local run = require("chaos.servers").run {
    seed = options.seed,
    seconds = options.seconds,
    version = options.nomad,
    say = say,
  }
  local right = #run.wrong == 0
  say(
    FIGURES:format(
      options.seed,
      right and "right" or "WRONG",
      options.nomad,
      options.seconds,
      run.outages,
      run.changes,
      run.starts,
      run.deeds,
      run.failed_deeds,
      run.wire.total,
      run.wire.stops,
      run.wire.stale,
      run.took or 0
    )
  )
  for _, text in ipairs(run.wrong) do
    say("  " .. text)
  end
  if not right then
    say("What all of them said is in " .. run.dir)
  end
  os.exit(right and 0 or 1, true)
end

main()
