-- packaging/operator.nomad.hcl on a real Nomad: the operator as a task, its token from the workload identity, the
-- API through the task's socket, its policy in a Nomad variable, reloaded when that changes.
local uv = require "luv"
local http = require "support.http"
local live = require "support.live"
local process = require "support.process"
local wait = require "support.wait"

local function read(path)
  local file = assert(io.open(path))
  local text = file:read("a")
  file:close()
  return text
end

local function program()
  return assert(uv.fs_realpath(os.getenv("NOMAD_OPERATOR_BIN") or "build/nomad-operator"))
end

describe("the operator under Nomad", function()
  -- Workload identities may read the event stream from 1.9.6 on.
  if not live.at_least(10) then
    pending("needs Nomad 1.10 or newer")
    return
  end

  local cluster, policy

  setup(function()
    policy = read("scripts/backup.lua")
    cluster = live.cluster()
  end)

  teardown(function()
    if cluster then cluster:close() end
  end)

  local function put_policy(text)
    local path = "/v1/var/nomad/jobs/nomad-operator"
    local status, answer = cluster:request("PUT", path, {
      Path = "nomad/jobs/nomad-operator",
      Items = { policy = text, template = read("scripts/backup.nomad.hcl") },
    })
    assert.equal(200, status, tostring(answer))
  end

  local function allocation()
    local list = cluster:get("/v1/job/nomad-operator/allocations")
    return list[1]
  end

  local function said()
    local one = allocation()
    if not one then return "there is no allocation" end
    local path = "/v1/client/fs/logs/%s?task=operator&type=stderr&plain=true"
    local _, text = cluster:request("GET", path:format(one.ID))
    local events = {}
    for _, event in ipairs(one.TaskStates and one.TaskStates.operator.Events or {}) do
      events[#events + 1] = event.DisplayMessage
    end
    return ("the task: %s\nthe operator said:\n%s"):format(table.concat(events, "; "),
      tostring(text))
  end

  local function expect(id, schedule)
    local found
    wait.poll(30, function()
      return ("job %s should have schedule %s, it has %s; %s"):format(id, tostring(schedule),
        tostring(live.schedule(found)), said())
    end, function()
      found = cluster:job("default", id)
      return live.schedule(found) == (schedule or nil)
    end)
  end

  it("gives backups, and follows a changed policy without a restart", function()
    put_policy(policy)
    local code, out, err = process.run {
      cluster.program, "job", "run", "-detach", "-var", "command=" .. program(),
      "packaging/operator.nomad.hcl", env = { NOMAD_ADDR = cluster.address },
    }
    assert.equal(0, code, out .. err)
    cluster:register(live.service("hosted"))
    expect("backup-hosted", "@daily")
    local before = allocation()

    put_policy((policy:gsub("@daily", "@weekly")))
    expect("backup-hosted", "@weekly")
    local after = allocation()
    assert.equal(before.ID, after.ID)
    assert.equal(0, after.TaskStates.operator.Restarts)

    wait.poll(30, said, function()
      local one = cluster:get("/v1/service/nomad-operator")[1]
      local page = one and http.request { port = one.Port, path = "/ready" }
      return page and page.status == 200
    end)

    cluster:stop("default", "hosted")
    expect("backup-hosted", false)
    cluster:stop("default", "nomad-operator")
    wait.poll(20, said, function() return allocation().ClientStatus == "complete" end)
    assert.is_false(allocation().TaskStates.operator.Failed)
  end)
end)
