-- What jobspec.canonicalize makes of a job is what a real Nomad returns after it was registered.
local canonical = require "nomad.jobspec.canonicalize"
local canonical_cases = require "support.canonical_cases"
local canonical_jobs = require "support.canonical_jobs"
local exact = require "support.exact"
local fake_consul = require "support.fake_consul"
local fixtures = require "support.jobspec.fixtures"
local http = require "support.http"
local json = require "host.json"
local live = require "support.live"

local NOMAD = os.getenv "NOMAD_VERSION" or "1.11.3"

--- Nothing is scheduled, so that no status, and no allocation, depends on the moment.
local CONFIG = [[
server {
  default_scheduler_config {
    pause_eval_broker = true
  }
}
consul {
  address = "%s"
}
]]
local VAULT = [[
vault {
  enabled = true
  address = "http://127.0.0.1:1"
}
]]

describe("the canonical form, compared with a real Nomad", function()
  local cluster, consul

  setup(function()
    consul = fake_consul.start()
    -- Before 1.10 a server had to have a token of Vault's.
    local config = CONFIG:format(consul.address) .. (live.at_least(10) and VAULT or "")
    cluster = live.cluster { config = config }
  end)
  teardown(function()
    if cluster then
      cluster:close()
    end
    if consul then
      consul.close()
    end
  end)

  -- A job as text, for "30s" is ours alone.
  local function encode(job)
    local text = json.encode { Job = job }
    return (
      text:gsub('"(%d+)s"', function(seconds)
        return ("%d"):format(seconds * 1000000000)
      end)
    )
  end

  local function send(method, path, body)
    -- A job that the server trips over is answered by nothing at all.
    local answer = http.request {
      port = cluster.port,
      method = method,
      path = path,
      body = body,
      timeout = 20,
    }
    return answer or { status = 0, body = "" }
  end

  -- What the server keeps of the job; nil where it does not take it.
  local function registered(job)
    if send("POST", "/v1/jobs", encode(job)).status ~= 200 then
      return nil
    end
    local namespace = type(job.Namespace) == "string" and job.Namespace or ""
    local path = ("/v1/job/%s?namespace=%s"):format(
      http.escape(job.ID),
      namespace ~= "" and namespace or "default"
    )
    local answer = send("GET", path)
    assert.equal(200, answer.status, answer.body)
    send("DELETE", path .. "&purge=true")
    return exact.without_runtime(exact.decode(answer.body))
  end

  -- Compares each job; returns how many the server took, and how many not.
  local function compare(each)
    local taken, refused, wrong = 0, 0, {}
    each(function(name, job)
      local theirs = registered(job)
      if not theirs then
        refused = refused + 1
        return
      end
      taken = taken + 1
      local ours = exact.of(canonical.canonicalize(job, { nomad = NOMAD }))
      for _, difference in ipairs(exact.differences(ours, theirs)) do
        wrong[#wrong + 1] = name .. ": " .. difference
      end
    end)
    assert.equal("", table.concat(wrong, "\n"))
    return taken, refused
  end

  it("agrees where fields depend on each other", function()
    local taken, refused = compare(canonical_cases.each)
    -- 1.4 wants datacenters and a priority, and has no Vault here.
    assert.is_true(refused <= (live.at_least(10) and 0 or 3), ("%d refused"):format(refused))
    assert.is_true(taken >= 50, ("%d taken"):format(taken))
  end)

  it("agrees for the validator's fixtures that are valid", function()
    local verdicts = fixtures.verdicts()
    local taken = compare(function(visit)
      for _, fixture in ipairs(fixtures.all()) do
        if verdicts[fixture.name] == "accepted" then
          visit(fixture.name, json.decode(fixture.text, { nulls = true }))
        end
      end
    end)
    assert.is_true(taken >= (live.at_least(10) and 600 or 150), ("%d taken"):format(taken))
  end)

  it("agrees for each field of the schema, with each kind of value", function()
    assert.same({}, canonical_jobs.missing())
    local taken = compare(canonical_jobs.each)
    assert.is_true(taken >= 1200, ("%d taken"):format(taken))
  end)
end)
