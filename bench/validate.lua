--- validate: what it costs to validate a job of 1 MB: lua-cjson's decoding of the same text, ours, and, with a Nomad at
--- $NOMAD_ADDR, `nomad job validate` of the same file.
---
---     make && lua5.4 bench/validate.lua [ROUNDS]

package.path = "lib/?.lua;lib/?/init.lua;" .. package.path
package.cpath = "build/lib/?.so;" .. package.cpath

local cjson = require "cjson"
local json = require "host.json"
local jobspec_validate = require("nomad.jobspec.validate").job

local FILE = "build/bench/validate.json"

--- What `exec` runs: it has no files of its own, so the job stands in it.
local PROGRAM = [[
local job = require("cjson").decode([==[%s]==])
assert(#require("nomad.jobspec").validate(job, { floats = true }) == 0, "the job is not valid")
]]

local GROUPS = 980

--- A group as people write them.
local GROUP = [[{"Name":"api-%d","Count":3,
"Constraints":[{"LTarget":"${attr.kernel.name}","Operand":"=","RTarget":"linux"}],
"RestartPolicy":{"Attempts":3,"Delay":15000000000,"Interval":600000000000,"Mode":"delay"},
"Update":{"MaxParallel":1,"MinHealthyTime":10000000000,"HealthyDeadline":300000000000},
"Networks":[{"Mode":"bridge","DynamicPorts":[{"Label":"http","To":8080}]}],
"Services":[{"Name":"api-%d","PortLabel":"http","Tags":["team=shop","public"],
"Checks":[{"Type":"http","Path":"/health","Interval":10000000000,"Timeout":2000000000}]}],
"Tasks":[{"Name":"api","Driver":"docker",
"Config":{"image":"registry.example.com/api:1.2.%d","ports":["http"]},
"Env":{"LOG_LEVEL":"info","DB_HOST":"db.service.consul","DB_NAME":"shop_%d",
"QUEUE":"amqp://queue.example.com/shop"},
"Templates":[{"DestPath":"local/app.env","Envvars":true,
"EmbeddedTmpl":"{{ with nomadVar \"nomad/jobs/api\" }}\nTOKEN={{ .token }}\n{{ end }}\n"}],
"Resources":{"CPU":500,"MemoryMB":512},"KillTimeout":30000000000}]}]]

local HEAD = '{"ID":"shop","Name":"shop","Type":"service","Datacenters":["dc1"],"TaskGroups":['

local function job_text()
  local groups = {}
  for i = 1, GROUPS do
    groups[i] = GROUP:format(i, i, i, i)
  end
  return HEAD .. table.concat(groups, ",") .. "]}"
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  assert(file:write(text))
  file:close()
end

local function median(list)
  table.sort(list)
  return list[(#list + 1) // 2]
end

--- Wall time of a command in milliseconds; nil: it failed.
local function run(command)
  local pipe = assert(io.popen("s=$(date +%s%N); " .. command .. ' && echo "$s $(date +%s%N)"'))
  local from, to = pipe:read("a"):match "(%d+) (%d+)\n$"
  pipe:close()
  return from and (to - from) / 1e6
end

--- The median wall time of a command; nil: it failed.
local function wall(command, rounds)
  local times = {}
  for i = 1, rounds do
    times[i] = run(command)
  end
  return #times == rounds and median(times) or nil
end

--- Processor time of a call in milliseconds, from a swept heap on.
local function cpu(fn, value)
  collectgarbage()
  collectgarbage()
  local from = os.clock()
  local result = fn(value)
  return (os.clock() - from) * 1000, result
end

--- Decoding and validating in turn: two medians, and that of the ratios.
local function compare(text, rounds)
  local job = json.decode(text)
  local decoding, validating, ratios = {}, {}, {}
  for i = 1, rounds do
    decoding[i] = cpu(cjson.decode, text)
    local problems
    validating[i], problems = cpu(jobspec_validate, job)
    assert(#problems == 0, "the job is not valid")
    ratios[i] = validating[i] / decoding[i]
  end
  return median(decoding), median(validating), median(ratios)
end

local rounds = tonumber(arg[1]) or 9
os.execute "mkdir -p build/bench"
local text = job_text()
write(FILE, '{"Job":' .. text .. "}")
write(FILE .. ".lua", PROGRAM:format(text))

print(("a job of %.2f MB, medians of %d:"):format(#text / 1e6, rounds))
local decode, validate, ratio = compare(text, rounds)
print(("cjson.decode               %8.1f ms"):format(decode))
print(("jobspec.validate           %8.1f ms  %.2fx, goal <= 3x"):format(validate, ratio))
local ours = wall(("build/nomad-operator exec %s.lua"):format(FILE), rounds)
assert(ours, "build/nomad-operator does not take the job")
print(("our program, whole         %8.1f ms"):format(ours))
local nomad = os.getenv "NOMAD_BIN" or "nomad"
local theirs = os.getenv "NOMAD_ADDR"
  and wall(("%s job validate -json %s >/dev/null"):format(nomad, FILE), rounds)
if theirs then
  print(("nomad job validate, whole  %8.1f ms  ours is to be faster"):format(theirs))
else
  print "nomad job validate, whole  left out: it needs $NOMAD_ADDR, and its program ($NOMAD_BIN)"
end
