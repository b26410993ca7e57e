--- parse_fixture: asks a Nomad to parse job templates, and prints the module operator.testing.parsed with its answers.
---
---     nomad-operator exec tools/parse_fixture.lua scripts/backup.nomad.hcl > lib/operator/testing/parsed.lua

local host = require "host"
local json = require "host.json"
local jobs = require "nomad.jobs"
local template = require "nomad.jobspec.template"

local HEAD = "--- parsed: what Nomad's /v1/jobs/parse answers for the templates of this "
  .. "repository, by the digest of the\n--- text that is sent. Made by tools/parse_fixture.lua; "
  .. "the live specs compare it with the oldest and the newest Nomad.\n\nreturn {\n"

--- A long string that the text cannot end.
local function quoted(text)
  local level = ""
  while text:find("]" .. level .. "]", 1, true) do
    level = level .. "="
  end
  return ("[%s[\n%s\n]%s]"):format(level, text, level)
end

--- Decoding has left out the nulls, which each version of Nomad has others of: so one text holds for all.
local parts = { HEAD }
for _, path in ipairs { ... } do
  local text = assert(host.read_file(path))
  local sent = template.new(text, path):token_text()
  local job = assert(jobs.parse(sent))
  parts[#parts + 1] = ("  -- %s\n  [%q] = %s,\n"):format(path, json.digest(sent),
    quoted(json.encode(job, { sorted = true, indent = 1 })))
end
parts[#parts + 1] = "}\n"
host.print(table.concat(parts))
