-- Topics other than Job on a real Nomad: what their policies see, make and remove.
local uv = require "luv"
local claims = require "support.topic_claims"
local http = require "support.http"
local json = require "host.json"
local live = require "support.live"
local model = require "operator.testing.model"
local process = require "support.process"
local wait = require "support.wait"

-- A directory with the policies in it.
local function scripts()
  local dir = assert(uv.fs_mkdtemp((os.getenv("TMPDIR") or "/tmp") .. "/nomad-operator-XXXXXX"))
  local file <close> = assert(io.open(dir .. "/topics.lua", "w"))
  file:write((require "support.topic_policies"))
  return dir
end

local function web()
  local job = live.service("web")
  job.Meta = nil
  job.TaskGroups[1].Services = { { Name = "web", Provider = "nomad" } }
  job.TaskGroups[1].Update = {
    MaxParallel = 1, MinHealthyTime = 1000000, HealthyDeadline = 60000000000,
    ProgressDeadline = 120000000000,
  }
  return job
end

describe("topics other than Job", function()
  local cluster, dir, operator, node

  local function send(method, path, body)
    local status, answer = cluster:request(method, path, body)
    assert.is_true(status == 200 or status == 204, json.encode { status, answer })
    return answer
  end

  local function expect(text)
    wait.poll(live.patience, function()
      return ("%q is not said; %s"):format(text, operator:said())
    end, function()
      return operator:said():find(text, 1, true)
    end)
  end

  local function expect_child(id, there)
    wait.poll(live.patience, function()
      local what = there and "be there" or "be gone"
      return ("child %s should %s; %s"):format(id, what, operator:said())
    end, function()
      local job = cluster:job("default", id)
      return (job ~= nil and not job.Stop) == there
    end)
  end

  local function count(text)
    local _, number = operator:said():gsub(text:gsub("%p", "%%%0"), "")
    return number
  end

  setup(function()
    cluster = live.cluster()
    dir = scripts()
    operator = live.operator(cluster, dir)
    node = send("GET", "/v1/nodes")[1].ID
  end)

  teardown(function()
    if operator then operator:stop() end
    if cluster then cluster:close() end
    if dir then process.run { "rm", "-rf", dir } end
  end)

  it("are listed at the start", function()
    expect("saw Node " .. node .. ": ready eligible")
    expect("saw Namespace default: Default shared namespace")
    expect("The topic Variable is followed by its list")
    expect("The topic NodePool is followed by its list")
  end)

  it("show allocations, deployments, evaluations and services of a job", function()
    cluster:register(web())
    expect(": web running")
    expect(": web complete")
    expect("event Evaluation of web")
    expect(": web successful")
    expect_child("served-web", true)
    local owner = cluster:job("default", "served-web").Meta["operator-owner"]
    assert.matches("^Service default/web/_nomad", owner)
  end)

  it("show a service go, and its child with it", function()
    cluster:stop("default", "web")
    expect(": web complete")
    expect_child("served-web", false)
  end)

  it("show a node that takes no work, whose child the policy places", function()
    local id = "resting-" .. node:sub(1, 8)
    local function set(eligibility)
      local path = ("/v1/node/%s/eligibility"):format(node)
      send("PUT", path, { NodeID = node, Eligibility = eligibility })
    end
    set("ineligible")
    expect("saw Node " .. node .. ": ready ineligible")
    expect_child(id, true)
    assert.equal("Node " .. node, cluster:job("default", id).Meta["operator-owner"])
    set("eligible")
    expect_child(id, false)
  end)

  it("show a variable by its list, and its end", function()
    local path = "/v1/var/app/keyed"
    send("PUT", path, { Namespace = "default", Path = "app/keyed", Items = { job = "one" } })
    expect_child("keyed-one", true)
    send("PUT", path, { Namespace = "default", Path = "app/keyed", Items = { job = "two" } })
    expect_child("keyed-two", true)
    expect_child("keyed-one", false)
    send("DELETE", path)
    expect_child("keyed-two", false)
  end)

  it("show a namespace by its list", function()
    send("PUT", "/v1/namespace/later", { Name = "later", Description = "made later" })
    expect("saw Namespace later: made later")
  end)

  it("show a node pool where there are any, else say so once", function()
    if not live.at_least(6) then
      expect("The topic NodePool cannot be listed")
      expect("Nomad has /v1/node/pools since 1.6.0")
      assert.equal(1, count("The topic NodePool cannot be listed"))
      return
    end
    send("POST", "/v1/node/pools", { Name = "blue", Description = "a new pool" })
    expect("saw NodePool blue: a new pool")
    assert.equal(0, count("cannot be listed"), operator:said())
  end)

  it("are answered by the model as by the real one", function()
    local told = model.new {
      clock = { now = os.time }, version = os.getenv("NOMAD_VERSION") or "1.11.3",
    }
    local found = {}
    for _, request in ipairs(claims.requests) do
      local method, target, body = table.unpack(request)
      local text, query = body and json.encode(body), {}
      for name, value in target:gmatch("[?&](%w+)=([^&]*)") do query[name] = value end
      local theirs = assert(http.request {
        port = cluster.port, method = method, path = target, body = text, timeout = 20,
      })
      local path = target:match("^[^?]*")
      local ours = told:http { method = method, path = path, query = query, body = text }
      local said = claims.difference(ours, theirs)
      if said then found[#found + 1] = ("%s %s: %s"):format(method, target, said) end
    end
    assert.same({}, found)
  end)

  it("are worked without an error", function()
    assert.equal(0, count("Error:"), operator:said())
  end)
end)

-- The token may read jobs and no node, and so has no stream with the topic Node either.
describe("topics that the token may not read", function()
  local cluster, dir, operator

  setup(function()
    cluster = live.cluster { acl = true }
    dir = scripts()
  end)

  teardown(function()
    if operator then operator:stop() end
    if cluster then cluster:close() end
    if dir then process.run { "rm", "-rf", dir } end
  end)

  it("are named with the right that is missing; the others are worked, by their lists", function()
    cluster:policy("jobs", { ["*"] = { "read-job", "list-jobs", "submit-job", "parse-job" } })
    local secret = cluster:client_token("jobs")
    operator = process.operator {
      "run", "-log-format", "text", dir,
      env = { NOMAD_ADDR = cluster.address, NOMAD_TOKEN = secret },
    }
    cluster:register(web())
    -- Twice ten seconds of silence tell a refused stream from a slow one.
    wait.poll(60, function()
      return operator:said()
    end, function()
      return operator:said():find(": web running", 1, true)
    end)
    local said = operator:said()
    assert.matches('to watch the topic Node a token needs node { policy = "read" }', said, 1, true)
  end)
end)
