-- The bench, kept alive: tiny workloads, and whether the verdicts are right. Nothing here looks at speed.
package.path = "bench/?.lua;" .. package.path

local http = require "support.http"
local measure = require "measure"
local peers = require "peers"
local plan = require "plan"
local report = require "report"

-- A peer by name; nil where it cannot be run here.
local function peer_named(name)
  return peers.find({ [name] = true })[1]
end

local TINY = {
  {
    "W1",
    function()
      return plan.filtering(402)
    end,
  },
  {
    "W2",
    function()
      return plan.writing(40)
    end,
  },
  {
    "W3",
    function()
      return plan.session(200)
    end,
  },
  {
    "W4",
    function()
      return plan.latency(120)
    end,
  },
  {
    "W5",
    function()
      return plan.big(4)
    end,
  },
}

describe("the bench", function()
  local path = os.tmpname()

  teardown(function()
    os.remove(path)
  end)

  local function run(peer, made, options)
    made:write(path)
    local settings = { plan = path, flags = { "-settle", "50" }, deadline = 30 }
    for name, value in pairs(options or {}) do
      settings[name] = value
    end
    return measure.run(peer, settings)
  end

  for _, name in ipairs { "ours", "floor", "python" } do
    for _, workload in ipairs(TINY) do
      it(("finds that %s ends %s with the right backups"):format(name, workload[1]), function()
        local peer = peer_named(name)
        if not peer then
          pending(name .. " cannot be run here")
          return
        end
        local result = run(peer, workload[2]())
        assert.is_nil(result.wrong)
        assert.is_true(result.seconds > 0)
        assert.is_true(result.calls.writes > 0)
      end)
    end
  end

  it("counts no needless call of a peer that makes none", function()
    local result = run(peer_named "floor", plan.filtering(402))
    assert.same({ 0, 5, 5 }, {
      measure.needless(result.calls),
      result.calls.writes,
      result.calls.needed,
    })
  end)

  it("counts reads, and writes that nobody needs", function()
    local calls = { writes = 6, removals = 2, reads = 3, parses = 1, needed = 5, lists = 1 }
    assert.equal(6, measure.needless(calls))
  end)

  it("answers a write only after its delay", function()
    local result = run(peer_named "floor", plan.writing(80), { write_delay = 20 })
    assert.is_nil(result.wrong)
    -- 80 writes on 8 connections: the last of ten waits for nine answers.
    assert.is_true(result.seconds >= 9 * 0.020)
  end)

  it("times calls from the event's last byte", function()
    local result = run(peer_named "floor", plan.latency(60), { flags = { "-rate", "500" } })
    assert.is_nil(result.wrong)
    assert.is_true(result.p50 > 0 and result.p50 <= result.p99)
  end)

  it("says what is missing where a peer does nothing", function()
    local idle = {
      name = "idle",
      command = function()
        return { "sleep", "60" }
      end,
    }
    local server, address = measure.serve {
      plan = (plan.known(2, 1):write(path) or path),
      flags = { "-initial", "2" },
    }
    assert.is_string(address)
    local result = measure.counted(server)
    assert.matches("missing backup%-j0000001", result.wrong)
    result = run(idle, plan.writing(3), { deadline = 0.3 })
    assert.matches("^not done in time", result.wrong)
  end)

  it("says what is there and should not be", function()
    plan.writing(1):write(path)
    local server, address = measure.serve { plan = path }
    local answer = assert(http.request {
      port = tonumber(address:match "%d+$"),
      method = "POST",
      path = "/v1/jobs",
      body = '{"Job":{"ID":"backup-nobody"}}',
      timeout = 5,
    })
    assert.equal(200, answer.status)
    assert.equal("surplus backup-nobody", measure.counted(server).wrong)
  end)

  it("says that a peer has ended", function()
    local broken = {
      name = "broken",
      command = function()
        return { "false" }
      end,
    }
    assert.matches("^it ended, with 1", run(broken, plan.writing(3)).wrong)
  end)

  it("renames the jobs of each cycle, so that their backups are others", function()
    local result = run(peer_named "floor", plan.session(300))
    local once = run(peer_named "floor", plan.session(10))
    assert.equal(3 * once.calls.needed, result.calls.needed)
  end)
end)

describe("the bench's table", function()
  local function with(ours)
    local measured = { W3 = {} }
    for name, seconds in pairs { api = { 9, 1, 2 }, ours = { ours } } do
      measured.W3[name] = {}
      for _, value in ipairs(seconds) do
        table.insert(measured.W3[name], { events = 1000, seconds = value })
      end
    end
    return table.concat(report.peers(measured, { "api", "ours" }), "\n")
  end

  it("has medians, ratios and whether the goal holds", function()
    assert.matches("W3 ev/s | 500 | 5,000 | +10.00x | +%- | >= 8x api | +holds", with(0.2))
    assert.matches("does not hold", with(0.5))
  end)

  it("does not judge what was not measured, nor count what went wrong", function()
    local measured = { W3 = { ours = { { events = 1, seconds = 1, wrong = "late" } } } }
    assert.matches("not measured", table.concat(report.peers(measured, { "ours" }), "\n"))
  end)
end)
