-- HCL that we write from JSON is parsed back to the same job by a real Nomad 1.11.3.
local canonicalize = require "nomad.jobspec.canonicalize"
local exact = require "support.exact"
local fixtures = require "support.jobspec.fixtures"
local http = require "support.http"
local json = require "host.json"
local live = require "support.live"
local odd_values = require "support.odd_values"
local process = require "support.process"
local to_hcl = require "nomad.jobspec.to_hcl"

local NOMAD = { nomad = "1.11.3" }

local function canonical(job)
  return exact.of(canonicalize.canonicalize(job, NOMAD))
end

-- Takes out of the job what a warning says is left out; false for what HCL says otherwise.
local function leave_out(job, warning)
  if not warning.message:find("left out", 1, true) then
    return false
  end
  local steps = {}
  for name, index in warning.path:gmatch("([^%.%[%]]*)%[?(%d*)%]?") do
    if name ~= "" then steps[#steps + 1] = name:match '^"(.*)"$' or name end
    if index ~= "" then steps[#steps + 1] = tonumber(index) + 1 end
  end
  local holder = job
  for i = 1, #steps - 1 do
    holder = holder[steps[i]]
  end
  if holder[steps[#steps]] == json.null and math.type(steps[#steps]) == "integer" then
    -- A list of nothing but null.
    local last = table.remove(steps)
    assert.equal(1, last)
    holder = job
    for i = 1, #steps - 1 do
      holder = holder[steps[i]]
    end
    holder[steps[#steps]] = nil
  elseif math.type(steps[#steps]) == "integer" then
    table.remove(holder, steps[#steps])
  else
    holder[steps[#steps]] = nil
  end
  return true
end

describe("HCL made of JSON, parsed by a real Nomad", function()
  local cluster

  setup(function()
    if live.at_least(11) then cluster = live.cluster() end
  end)
  teardown(function() if cluster then cluster:close() end end)

  local function parsed(text)
    local answer = assert(http.request {
      port = cluster.port,
      method = "POST",
      path = "/v1/jobs/parse",
      body = json.encode { JobHCL = text, Canonicalize = false },
      timeout = 20,
    })
    assert.equal(200, answer.status, answer.body .. "\n" .. text)
    return json.decode(answer.body)
  end

  it("is the same job, for every valid fixture", function()
    if not cluster then return end
    local verdicts, wrong = fixtures.verdicts(), {}
    local same, other = 0, 0
    for _, fixture in ipairs(fixtures.all()) do
      if verdicts[fixture.name] == "accepted" then
        local job = json.decode(fixture.text, { nulls = true })
        local text, warnings = to_hcl.job(job, NOMAD)
        local sayable = true
        for _, warning in ipairs(warnings) do
          sayable = leave_out(job, warning) and sayable
        end
        local differences = exact.differences(canonical(job), canonical(parsed(text)))
        if #differences == 0 then
          same = same + 1
        elseif sayable then
          wrong[#wrong + 1] = fixture.name .. ": " .. table.concat(differences, "; ")
        else
          other = other + 1
        end
      end
    end
    assert.equal("", table.concat(wrong, "\n"))
    assert.is_true(same > 650, ("only %d are the same"):format(same))
    -- Volumes whose name is not their key, reserved ports without a number: told, with the path.
    assert.is_true(other <= 6, ("%d are said otherwise"):format(other))
  end)

  it("keeps every string, key and shape of a config", function()
    if not cluster then return end
    math.randomseed(6)
    for _ = 1, 400 do
      local task = {
        Name = odd_values.text(),
        Driver = "x",
        Config = odd_values.map(3, "^[%a_][%w_%-]*$"),
        Env = odd_values.strings(),
        Meta = odd_values.strings(),
        Templates = json.array { { EmbeddedTmpl = odd_values.text(), DestPath = "a" } },
        KillTimeout = math.random(0, 1 << 45),
      }
      local group = { Name = odd_values.text(), Tasks = json.array { task } }
      local job = { ID = odd_values.text(), TaskGroups = json.array { group } }
      local text, warnings = to_hcl.job(job)
      assert.same({}, warnings)
      local back = parsed(text).TaskGroups[1]
      local got = back.Tasks[1]
      assert.equal(group.Name, back.Name)
      assert.equal(task.Name, got.Name)
      assert.equal(task.KillTimeout, got.KillTimeout)
      assert.equal(task.Templates[1].EmbeddedTmpl, got.Templates[1].EmbeddedTmpl)
      for _, name in ipairs { "Config", "Env", "Meta" } do
        -- An empty map comes back as null.
        local encode = { sorted = true }
        local before = json.encode(task[name], encode)
        assert.equal(before, json.encode(got[name] or {}, encode), text)
      end
    end
  end)

  it("goes both ways on the command line, which asks this Nomad", function()
    if not cluster then return end
    local script = ([[
      set -e
      dir=$(mktemp -d)
      trap 'rm -rf "$dir"' EXIT
      program=$(realpath "%s")
      jobspec() { "$program" jobspec "-address=%s" "$@"; }
      jobspec convert spec/fixtures/jobspec/readme/web.json > "$dir/web.nomad.hcl"
      jobspec convert "$dir/web.nomad.hcl" > "$dir/back.json"
      jobspec diff spec/fixtures/jobspec/readme/web.json "$dir/back.json"
      jobspec validate -nomad=server "$dir/web.nomad.hcl"
      jobspec diff "$dir/web.nomad.hcl" spec/fixtures/jobspec/readme/web.json
      printf 'job "x" {\n  grup {}\n}\n' > "$dir/bad.hcl"
      cd "$dir" && jobspec validate bad.hcl
    ]]):format(process.program(), cluster.address)
    local code, out = process.run { "bash", "-c", script }
    assert.equal(1, code)
    assert.equal(
      "The jobs are the same.\n0 errors in 1 file, 0 warnings; 0 invalid.\nThe jobs are the same.\n"
        .. 'bad.hcl: line 2: Unsupported block type; Blocks of type "grup" are not expected here. '
        .. 'Did you mean "group"?\n1 error in 1 file, 0 warnings; 1 invalid.\n',
      out
    )
  end)
end)
