--- dry_run: judges what the shadows of a spec sent (see spec/support/shadow.lua): `dry_run.lua FILE SPEC` reads one
--- request a line, and says in TAP whether each only reads.

package.path = "spec/?.lua;" .. package.path
local reads = require "support.reads"

local path, spec = arg[1], arg[2]
local programs, requests, writes = 0, 0, {}
for line in io.lines(path) do
  local method, target = line:match "^(%S+) (.*)$"
  if method == "START" then
    programs = programs + 1
  else
    requests = requests + 1
    if not (method and reads.is(method, target)) then
      writes[#writes + 1] = line
    end
  end
end
local good = #writes == 0 and programs > 0 and requests > 0
print(
  ("%sok 1 - %s with -dry-run: %d programs, %d requests, %d of them no reads"):format(
    good and "" or "not ",
    spec,
    programs,
    requests,
    #writes
  )
)
for i = 1, math.min(#writes, 20) do
  print("# " .. writes[i])
end
print "1..1"
os.exit(good)
