-- Each fixture of the job specification, and random changes of valid jobs, asked of a real Nomad 1.11.3: it must take
-- what we take and refuse what we refuse.
local json = require "host.json"
local arrays = require "support.jobspec.arrays"
local bases = require "support.jobspec.bases"
local fixtures = require "support.jobspec.fixtures"
local live = require "support.live"
local oracle = require "support.jobspec.oracle"

local changes = 600

-- Values that are odd somewhere.
local odd = { "", "x", -1, 0, 7, true, json.null, "${node.class}", "signal", 1 << 40, 1.5 }

local function by_name(a, b) return tostring(a) < tostring(b) end

-- All places of a value: { holder, key }. Always in one order: a seed must make the same changes in each run.
local function places(value, list)
  local keys = {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys, by_name)
  for _, key in ipairs(keys) do
    list[#list + 1] = { value, key }
    if type(value[key]) == "table" then places(value[key], list) end
  end
  return list
end

-- The last base has fields of Nomad 2.0, at which this one does not look.
local known = #bases.names - 1
assert(bases.names[known + 1] == "newest")

-- One random change of a random base.
local function changed()
  local job = arrays.mark(bases[bases.names[math.random(known)]]())
  local list = places(job, {})
  local place = list[math.random(#list)]
  local holder, key = place[1], place[2]
  if type(key) == "string" and math.random(3) == 1 then
    holder[key] = nil
  else
    holder[key] = odd[math.random(#odd)]
  end
  return json.encode(job, { sorted = true })
end

describe("jobspec.validate beside a real Nomad", function()
  local cluster

  setup(function()
    if live.at_least(11) then cluster = live.cluster { config = oracle.config } end
  end)
  teardown(function() if cluster then cluster:close() end end)

  -- Sentences on the jobs about which we differ.
  local function compare(list)
    local different = {}
    for _, fixture in ipairs(list) do
      local theirs, why = oracle.verdict(cluster.port, fixture.text)
      local ours, reason = fixtures.ours(fixture.text, { lenient = true })
      if theirs ~= ours then
        different[#different + 1] = ("%s: Nomad %s (%s), we %s (%s)"):format(fixture.name, theirs,
          why, ours, reason or "")
      end
    end
    return different
  end

  it("agrees on every fixture", function()
    -- Older releases have other rules, and other fields.
    if not cluster then return end
    assert.same({}, compare(fixtures.all()))
  end)

  it("agrees on random changes", function()
    if not cluster then return end
    math.randomseed(20)
    local list = {}
    for i = 1, changes do list[i] = { name = "change " .. i, text = changed() } end
    assert.same({}, compare(list))
  end)
end)
