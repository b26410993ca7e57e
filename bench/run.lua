--- run: measures every peer on every workload, side by side, and prints one table.
---
---     lua5.4 bench/run.lua [-quick] [-rounds N] [-scale F] [-peers ours,floor] [-out FILE]
---         [-only W1,W3,idle,heap,stalled,N,soak]

package.path = "bench/?.lua;" .. package.path

local heap = require "heap"
local idle = require "idle"
local known = require "known"
local machine = require "machine"
local measure = require "measure"
local peers = require "peers"
local plan = require "plan"
local report = require "report"
local soak = require "soak"
local stalled = require "stalled"
local workloads = require "workloads"

local DIRECTORY = "build/bench"

--- What a full and a quick run do. `deadline`: seconds of one run of one peer.
local KINDS = {
  full = {
    rounds = 3,
    scale = 1,
    starts = 5,
    rest = 2,
    known = { 100, 10000, 100000 },
    events = 5000,
    soak = 1000000,
    settle = 500,
  },
  quick = {
    rounds = 1,
    scale = 0.04,
    starts = 2,
    rest = 0.3,
    known = { 100, 10000 },
    events = 1000,
    soak = nil,
    settle = 150,
    peers = { api = true, naive = true, floor = true, slim = true, ours = true },
  },
}

local function set_of(text)
  local set = {}
  for word in text:gmatch "[^,]+" do
    set[word] = true
  end
  return set
end

local function read_arguments(arguments)
  local options, i = { kind = "full" }, 1
  local take = {
    ["-rounds"] = function(v)
      options.rounds = assert(tonumber(v), "-rounds takes a number")
    end,
    ["-scale"] = function(v)
      options.scale = assert(tonumber(v), "-scale takes a number")
    end,
    ["-only"] = function(v)
      options.only = set_of(v)
    end,
    ["-peers"] = function(v)
      options.peers = set_of(v)
    end,
    ["-out"] = function(v)
      options.out = v
    end,
  }
  while arguments[i] do
    if arguments[i] == "-quick" then
      options.kind = "quick"
    elseif take[arguments[i]] and arguments[i + 1] then
      i = i + 1
      take[arguments[i - 1]](arguments[i])
    else
      io.stderr:write(("bench/run.lua: %s is no flag, or lacks its value\n"):format(arguments[i]))
      os.exit(2)
    end
    i = i + 1
  end
  return setmetatable(options, { __index = KINDS[options.kind] })
end

local function progress(text, ...)
  io.stderr:write(text:format(...), "\n")
end

local function wants(options, name)
  return not options.only or options.only[name]
end

local function keep(measured, workload, name, result)
  measured[workload] = measured[workload] or {}
  measured[workload][name] = measured[workload][name] or {}
  table.insert(measured[workload][name], result)
end

-- One workload of one round: a run of each peer after the other.
local function measure_streams(found, measured, failures, workload, run, made)
  for _, peer in ipairs(found) do
    local ok, result = pcall(measure.run, peer, run)
    if not ok then
      result = { wrong = tostring(result) }
    end
    result.events = made.events
    if result.wrong then
      failures[#failures + 1] = ("%s on %s: %s"):format(peer.name, workload.name, result.wrong)
      progress("  %-7s %-7s %s", workload.name, peer.name, result.wrong)
    else
      result.needless = measure.needless(result.calls)
      progress(
        "  %-7s %-7s %9.0f ev/s %7.2f s %7.1f MB %6.2f s cpu",
        workload.name,
        peer.name,
        made.events / result.seconds,
        result.seconds,
        result.peak,
        result.cpu
      )
    end
    keep(measured, workload.name, peer.name, result)
  end
end

local function measure_idle(options, found, measured)
  local path = DIRECTORY .. "/idle.plan"
  plan.idle():write(path)
  for _ = 1, options.starts do
    for _, peer in ipairs(peers.taking_part(found, "idle")) do
      local result = idle.measure(peer, path, options.rest)
      keep(measured, "idle", peer.name, result)
    end
  end
  progress("  idle    done")
end

local function note(alone, name, value)
  alone[name] = alone[name] or {}
  table.insert(alone[name], value)
end

local function measure_known(options, alone, failures)
  for _, jobs in ipairs(options.known) do
    local result = known.measure(jobs, options.events, DIRECTORY)
    if result.wrong then
      failures[#failures + 1] = ("ours with %d jobs known: %s"):format(jobs, result.wrong)
    end
    note(alone, ("N %d: RSS MB"):format(jobs), result.rss)
    note(alone, ("N %d: list to synced s"):format(jobs), result.synced)
    note(alone, ("N %d: list to all looked at s"):format(jobs), result.quiet)
    note(alone, ("N %d: one event us"):format(jobs), result.event)
    note(alone, "N: needless writes", result.needless)
    progress(
      "  N       %d known: %.1f MB, synced in %.2f s, %.1f us an event",
      jobs,
      result.rss or 0,
      result.synced or 0,
      result.event or 0
    )
  end
end

-- What is asked of ours alone on the lines of W1: what of them stays in Lua, and a policy that keeps the processor.
local function measure_reading(options, alone, failures)
  local lines = math.max(2001, math.floor(100001 * options.scale))
  if wants(options, "heap") then
    local result = heap.measure(lines, DIRECTORY)
    failures[#failures + 1] = result.wrong and "ours, its heap: " .. result.wrong
    note(alone, "W1: Lua MB before", result.before)
    note(alone, "W1: Lua MB after", result.after)
    progress("  heap    %.1f MB, then %.1f MB", result.before or 0, result.after or 0)
  end
  if wants(options, "stalled") then
    local result = stalled.measure(lines, DIRECTORY)
    failures[#failures + 1] = result.wrong and "ours, stalled: " .. result.wrong
    note(alone, "stalled: MB/s still read", result.rate)
    progress("  stalled %.0f MB/s", result.rate or 0)
  end
end

local function measure_soak(options, alone, failures)
  local result = soak.measure(options.soak, DIRECTORY)
  if result.wrong then
    failures[#failures + 1] = "ours, soaked: " .. result.wrong
  end
  note(alone, "soak: RSS MB of the second tenth", result.second)
  note(alone, "soak: RSS MB of the last tenth", result.last)
  progress("  soak    %d events: %.1f MB, then %.1f MB", options.soak, result.second, result.last)
end

local function measure_all(options, found)
  local measured, alone, failures, prepared = {}, {}, {}, {}
  for _, workload in ipairs(workloads.streams) do
    if wants(options, workload.name) then
      local run, made = workloads.prepare(workload, options, DIRECTORY)
      prepared[#prepared + 1] = { workload, run, made }
      progress(
        "%s: %d lines, %.0f MB: %s",
        workload.name,
        #made.lines,
        made.bytes / 1e6,
        workload.what
      )
    end
  end
  for round = 1, options.rounds do
    progress("round %d of %d", round, options.rounds)
    for _, p in ipairs(prepared) do
      measure_streams(peers.taking_part(found, p[1].name), measured, failures, table.unpack(p))
    end
    measure_reading(options, alone, failures)
    if wants(options, "N") then
      measure_known(options, alone, failures)
    end
  end
  if wants(options, "idle") then
    measure_idle(options, found, measured)
  end
  if options.soak and wants(options, "soak") then
    measure_soak(options, alone, failures)
  end
  return measured, alone, failures
end

-- What a reader has to know to read the table.
local function notes(options, left_out, failures)
  local flags = #peers.flags > 0 and table.concat(peers.flags, " ") or "none"
  local lines = {
    ("Medians of %d runs (starts: %d), one peer after the other in each; sizes x %g"):format(
      options.rounds,
      options.starts,
      options.scale
    ) .. ". MB are 1024² bytes.",
    "ours is build/nomad-operator run scripts with the default log settings; flags: " .. flags,
    "Every peer's output goes to /dev/null. floor has 4 connections for writes, 8 on W2@2ms.",
    "N jobs known are N/2 sources and their N/2 backups; one event is an update of a source, of "
      .. "which 1,000 come a second, in processor time.",
  }
  for _, sentence in ipairs(left_out) do
    lines[#lines + 1] = sentence .. "."
  end
  for _, sentence in ipairs(failures) do
    lines[#lines + 1] = "Not counted, for it went wrong: " .. sentence .. "."
  end
  return lines
end

local function main()
  local options = read_arguments(arg)
  local found, left_out = peers.find(options.peers)
  local names, about = {}, machine.lines()
  for _, peer in ipairs(found) do
    names[#names + 1] = peer.name
  end
  local measured, alone, failures = measure_all(options, found)
  local lines = report.peers(measured, names)
  lines[#lines + 1] = ""
  for _, line in ipairs(report.alone(alone)) do
    lines[#lines + 1] = line
  end
  lines[#lines + 1] = ""
  for _, line in ipairs(notes(options, left_out, failures)) do
    lines[#lines + 1] = "- " .. line
  end
  print(table.concat(lines, "\n"))
  if options.out then
    local file = assert(io.open(options.out, "w"))
    file:write(
      "# make bench, ",
      os.date "%Y-%m-%d",
      "\n\n",
      table.concat(about, "\n"),
      "\n\n",
      table.concat(lines, "\n"),
      "\n"
    )
    assert(file:close())
    print("\nWritten to " .. options.out)
  end
  return #failures == 0
end

os.exit(main())
