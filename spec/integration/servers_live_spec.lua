-- Three real servers: a short run of chaos, and what the operator says and does while they have no quorum.
local uv = require "luv"
local agents = require "support.agents"
local cluster = require "chaos.cluster"
local http = require "support.http"
local live = require "support.live"
local nomad = require "support.nomad"
local ports = require "support.ports"
local process = require "support.process"
local wait = require "support.wait"

-- How long the chaos is, and what it must have had to be any.
local SECONDS, LEAST = 60, { outages = 3, deeds = 51, writes = 21 }

describe("on three real servers", function()
  it("all is as the policies say after chaos", function()
    local seed = tonumber(os.getenv "SEED") or 2
    local version = os.getenv "NOMAD_VERSION"
    local run = require("chaos.servers").run {
      seed = seed,
      seconds = SECONDS,
      version = version,
      least = LEAST,
    }
    if #run.wrong > 0 then
      local text = "SEED=%d, the logs are in %s:\n%s\nafter:\n%s"
      local wrong, lines = table.concat(run.wrong, "\n"), table.concat(run.lines, "\n")
      error(text:format(seed, run.dir, wrong, lines), 0)
    end
    local text = "%d outages, %d deeds, %d writes"
    assert.is_true(
      run.outages >= LEAST.outages and run.deeds >= LEAST.deeds and run.wire.total >= LEAST.writes,
      text:format(run.outages, run.deeds, run.wire.total)
    )
  end)
end)

describe("without a quorum", function()
  local servers, dir, world, operator, scripts, admin

  setup(function()
    dir = assert(uv.fs_mkdtemp((os.getenv "TMPDIR" or "/tmp") .. "/nomad-operator-quorum-XXXXXX"))
    local program = assert(nomad.find(os.getenv "NOMAD_VERSION"))
    servers = agents.new { program = program, dir = dir }
    servers:launch()
    servers:wait_healthy(60)
    world, scripts, admin = cluster.new(servers), live.scripts(), ports.free(1)
  end)

  teardown(function()
    if operator then
      operator:stop()
    end
    if servers then
      servers:halt()
    end
    if scripts then
      scripts.remove()
    end
    process.run { "rm", "-rf", dir }
  end)

  local function ready()
    local answer = http.request { port = admin, path = "/ready", timeout = 3 }
    return answer and answer.status, answer and answer.body or "no answer"
  end

  local function wait_ready(status, pattern)
    local got, text
    wait.poll(60, function()
      return ("/ready should say %d, it says %s %s; %s"):format(
        status,
        tostring(got),
        text,
        operator:said()
      )
    end, function()
      got, text = ready()
      return got == status and text:find(pattern)
    end)
  end

  local function backup(id)
    local job
    wait.poll(30, function()
      return ("backup-%s is not there; %s"):format(id, operator:said())
    end, function()
      job = world:job("default", "backup-" .. id)
      return job and not job.Stop
    end)
    return job
  end

  it("the operator says so, removes nothing, and goes on when there is one again", function()
    local leader = servers:leader()
    local spared = servers.servers[1] == leader and servers.servers[2] or servers.servers[1]
    for _, id in ipairs { "a", "b", "c" } do
      world:register(live.parameterized(id))
    end
    operator = process.operator {
      "run",
      "-log-format",
      "text",
      "-address",
      spared.address,
      "-http-addr",
      "127.0.0.1:" .. admin,
      scripts.dir,
    }
    local before = {}
    for _, id in ipairs { "a", "b", "c" } do
      before[id] = backup(id).JobModifyIndex
    end
    wait_ready(200, "")
    operator:forget()
    for _, server in ipairs(servers.servers) do
      if server ~= spared then
        server:hold()
      end
    end
    wait_ready(503, "jobs cannot be listed.*No cluster leader")
    for _, server in ipairs(servers.servers) do
      if server.held then
        server:go_on()
      end
    end
    servers:wait_healthy(60)
    world:register(live.parameterized "d")
    backup "d"
    wait_ready(200, "")
    for id, index in pairs(before) do
      assert.equal(index, backup(id).JobModifyIndex)
    end
    assert.is_nil(operator.stderr:find "removed")
  end)
end)
