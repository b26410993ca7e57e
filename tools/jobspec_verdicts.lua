-- jobspec_verdicts: asks a running Nomad 1.11.3 about every fixture of the job specification, and prints what lies in
-- spec/fixtures/jobspec/verdicts.txt:   lua5.4 tools/jobspec_verdicts.lua PORT > spec/fixtures/jobspec/verdicts.txt
package.path = "lib/?.lua;lib/?/init.lua;spec/?.lua;" .. package.path
package.cpath = "build/lib/?.so;" .. package.cpath

local fixtures = require "support.jobspec.fixtures"
local oracle = require "support.jobspec.oracle"

for _, fixture in ipairs(fixtures.all()) do
  io.write((oracle.verdict(tonumber(arg[1]), fixture.text)), " ", fixture.name, "\n")
end
