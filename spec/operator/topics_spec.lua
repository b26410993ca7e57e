-- Topics other than Job: seen, followed, their children made and removed; on the newest and the oldest Nomad.
local testing = require "operator.testing"
local looks = require "support.looks"

local NODE = "5a1c0000-0000-4000-8000-000000000001"
local ALLOC = "a1100000-0000-4000-8000-00000000000"

local function world_of(version, options)
  local given = { version = version, files = { ["t.lua"] = (require "support.topic_policies") } }
  for name, value in pairs(options or {}) do
    given[name] = value
  end
  return testing.world(given)
end

local function count(text, what)
  local _, number = text:gsub(what:gsub("%p", "%%%0"), "")
  return number
end

local function node_as(world, fields, type)
  local node = {
    ID = NODE,
    Name = "model",
    Status = "ready",
    SchedulingEligibility = "eligible",
    Drain = false,
    Datacenter = "dc1",
    NodeClass = "",
    StatusDescription = "",
  }
  for name, value in pairs(fields) do
    node[name] = value
  end
  world.nomad:put("Node", node, type)
end

local function allocation(number, status, fields)
  local alloc = {
    ID = ALLOC .. number,
    Namespace = "default",
    JobID = "web",
    NodeID = NODE,
    DesiredStatus = "run",
    ClientStatus = status,
    Job = { ID = "web" },
  }
  for name, value in pairs(fields or {}) do
    alloc[name] = value
  end
  return alloc
end

local function registration(id)
  return { ID = id, ServiceName = "web", Namespace = "default", JobID = "web", Port = 80 }
end

local function variable(world, method, job)
  local answer = world.nomad:http({
    method = method,
    path = "/v1/var/app/keyed",
    body = job and ('{"Path":"app/keyed","Items":{"job":"%s"}}'):format(job),
    inside = true,
  })
  assert.is_true(answer.status < 300, answer.body)
end

for _, version in ipairs { "1.11.3", "1.4.3" } do
  describe("on Nomad " .. version .. ", topics:", function()
    local world

    before_each(function()
      world = world_of(version)
      world:start()
    end)

    -- Times that the transcript has the text.
    local function said(text)
      return count(world:blocks(), text)
    end

    it("what is there is listed at the start, and worked once", function()
      assert.equal(1, said("saw Node " .. NODE .. ": ready eligible"))
      assert.equal(1, said("saw Namespace default: Default shared namespace"))
      world:advance "1h"
      assert.equal(1, said("saw Node " .. NODE))
    end)

    it("a node's status, eligibility and drain are news, its moods are not", function()
      node_as(world, { Drivers = { exec = { Healthy = false } } }, "NodeStreamEvent")
      world:settle()
      assert.equal(1, said("saw Node "))
      node_as(world, { Status = "down" }, "NodeStreamEvent")
      world:settle()
      assert.equal(1, said("NodeStreamEvent: Node " .. NODE .. " (down)"))
      assert.equal(1, said("saw Node " .. NODE .. ": down eligible"))
      world:advance "1h"
      assert.equal(2, said("saw Node "))
    end)

    it("an allocation's states are news, what happens to its tasks is not", function()
      world.nomad:put("Allocation", allocation(1, "pending"), "PlanResult")
      world:settle()
      world.nomad:put("Allocation", allocation(1, "running"))
      world:settle()
      world.nomad:put("Allocation", allocation(1, "running", { TaskStates = { t = {} } }))
      world:settle()
      assert.equal(1, said(": web running"))
      world.nomad:put("Allocation", allocation(1, "failed"))
      world.nomad:put("Allocation", allocation(2, "failed", { JobID = "other" }))
      world:settle()
      assert.equal(1, said("AllocationUpdated: Allocation " .. ALLOC .. "1 (failed)"))
      assert.equal(0, said("other failed"))
    end)

    it("an event that got lost is made up for by the list", function()
      world:disconnect()
      world.nomad:put("Allocation", allocation(1, "failed"))
      world.nomad:put("Deployment", { ID = "d1", JobID = "web", Status = "successful" })
      world:advance "5s"
      world:reconnect()
      world:settle()
      assert.equal(1, said(": web failed"))
      assert.equal(1, said("saw Deployment default/d1: web successful"))
    end)

    it("handlers see events of their topic", function()
      world.nomad:register(looks.source("web"))
      world:settle()
      assert.equal(1, said("event Evaluation of web"))
      assert.truthy(said("saw Evaluation default/") >= 1)
    end)

    it("a child of what is in no namespace is placed by its policy, and goes again", function()
      node_as(world, { SchedulingEligibility = "ineligible" }, "NodeDrain")
      world:settle()
      local child = looks.alive(world, "resting-5a1c0000")
      assert.equal("Node " .. NODE, child.Meta["operator-owner"])
      world:advance "1h"
      assert.equal(1, #world.nomad:writes())
      assert.is_true(world:reload())
      world:advance "1h"
      assert.equal(1, #world.nomad:writes())
      world.nomad:remove("Node", NODE)
      world:advance "11m"
      assert.is_nil(looks.alive(world, "resting-5a1c0000"))
    end)

    it("a child that was changed by hand is put right", function()
      node_as(world, { SchedulingEligibility = "ineligible" }, "NodeDrain")
      world:settle()
      world.nomad:stop("default", "resting-5a1c0000")
      world:settle()
      assert.is_table(looks.alive(world, "resting-5a1c0000"))
    end)

    it("a registration that goes takes its child with it", function()
      world.nomad:put("Service", registration "_nomad-1")
      world:settle()
      local child = looks.alive(world, "served-web")
      assert.equal("Service default/web/_nomad-1", child.Meta["operator-owner"])
      world.nomad:remove("Service", "_nomad-1")
      world:settle()
      assert.is_nil(looks.alive(world, "served-web"))
    end)

    it("a variable is followed by its list, without a resync", function()
      variable(world, "PUT", "one")
      world:advance "3s"
      assert.is_table(looks.alive(world, "keyed-one"))
      variable(world, "PUT", "two")
      world:advance "3s"
      assert.is_nil(looks.alive(world, "keyed-one"))
      assert.is_table(looks.alive(world, "keyed-two"))
      variable(world, "DELETE")
      world:advance "3s"
      assert.is_nil(looks.alive(world, "keyed-two"))
      assert.is_table(world:logged("The topic Variable is followed by its list"))
    end)

    it(
      "node pools are followed by their list where there are any, else that is said once",
      function()
        world.nomad:put("NodePool", { Name = "blue", Description = "a new pool" })
        world:advance "1h"
        local refused = count(world:log_text(), "The topic NodePool cannot be listed")
        if version == "1.11.3" then
          assert.equal(1, said("saw NodePool blue: a new pool"))
          assert.equal(0, refused)
          return
        end
        assert.equal(1, refused)
        assert.is_table(world:logged("Nomad has /v1/node/pools since 1.6.0"))
        local _, health = world:tell(world.current, "health")
        assert.is_nil(health.list_error)
      end
    )

    it("work without a stream too", function()
      world = world_of(version, { live = false })
      world:start()
      node_as(world, { Status = "down" }, "NodeStreamEvent")
      world.nomad:put("Allocation", allocation(1, "failed"))
      world:advance "5s"
      assert.equal(1, said("saw Node " .. NODE .. ": down eligible"))
      assert.equal(1, said(": web failed"))
    end)

    it("evaluations that were collected are not asked for one by one", function()
      for i = 1, 20 do
        world.nomad:put("Deployment", { ID = "d" .. i, JobID = "web", Status = "successful" })
      end
      world:settle()
      assert.equal(20, said ": web successful")
      for i = 1, 20 do
        world.nomad:remove("Deployment", "d" .. i)
      end
      world:advance "11m"
      for _, request in ipairs(world.nomad.requests) do
        assert.is_nil(request.path:find "^/v1/deployment/")
      end
    end)

    it("plan says what a node's child would be, and prune finds one whose node is gone", function()
      node_as(world, { SchedulingEligibility = "ineligible" }, "NodeDrain")
      world:settle()
      world:stop()
      world.nomad:stop("default", "resting-5a1c0000")
      local code, text = world_of(version, { beside = world }):command "plan"
      assert.equal(2, code)
      assert.matches(
        "create resting-5a1c0000  (resting of Node " .. NODE .. ": was stopped)",
        text,
        1,
        true
      )
      world:start()
      world:stop()
      world.nomad:remove("Node", NODE)
      code, text = world_of(version, { beside = world }):command "prune"
      assert.equal(2, code)
      assert.matches("resting-5a1c0000  (its owner Node " .. NODE .. " is gone)", text, 1, true)
    end)

    it("a restored snapshot is looked at anew", function()
      local saved = world.nomad:snapshot()
      node_as(world, { Status = "down" }, "NodeStreamEvent")
      world:settle()
      world.nomad:restore(saved)
      world:advance "1m"
      assert.equal(2, said("saw Node " .. NODE .. ": ready eligible"))
    end)

    it(
      "a policy of one topic that watches another finds its old children no more wanted",
      function()
        node_as(world, { SchedulingEligibility = "ineligible" }, "NodeDrain")
        world:settle()
        local text = (require "support.topic_policies"):gsub(
          'watch = { topic = "Node", where = { SchedulingEligibility = "ineligible" } }',
          'watch = { topic = "Job", where = { ID = "nothing" } }'
        )
        assert.is_true(world:reload({ ["t.lua"] = text }))
        world:settle()
        assert.is_nil(looks.alive(world, "resting-5a1c0000"))
      end
    )
  end)
end

describe("topics under a token", function()
  local function world_with(token)
    local world = world_of("1.11.3", { token = "t" })
    world.nomad:token(token)
    world.nomad:token { secret = "root", management = true }
    return world
  end

  local RIGHTS = { "list-jobs", "read-job", "submit-job", "parse-job", "variables" }

  it(
    "that may not read nodes: what it needs is named, readiness says no, the others work",
    function()
      local world = world_with { secret = "t", namespaces = { ["*"] = RIGHTS } }
      world:start()
      world.nomad:put("Allocation", allocation(1, "failed"))
      world:advance "1m"
      local record = world:logged("The topic Node cannot be listed", "error")
      assert.matches(
        'to watch the topic Node a token needs node { policy = "read" }',
        record.message,
        1,
        true
      )
      assert.equal(1, count(world:log_text(), "The topic Node cannot be listed"))
      assert.equal(1, count(world:blocks(), ": web failed"))
      local _, health = world:tell(world.current, "health")
      assert.matches("denied", health.list_error)
      assert.is_true(health.denied)
    end
  )

  it("that is given the right: it goes on by itself", function()
    local world = world_with { secret = "t", namespaces = { ["*"] = RIGHTS } }
    world:start()
    world.nomad:token { secret = "t", namespaces = { ["*"] = RIGHTS }, wide = { node = "read" } }
    world:advance "3m"
    assert.is_table(world:logged("The topic Node can be listed again"))
    assert.equal(1, count(world:blocks(), "saw Node " .. NODE))
    local _, health = world:tell(world.current, "health")
    assert.is_nil(health.list_error)
  end)

  it("that loses it: no child is removed", function()
    local world = world_with {
      secret = "t",
      namespaces = { ["*"] = RIGHTS },
      wide = { node = "read" },
    }
    world:start()
    node_as(world, { SchedulingEligibility = "ineligible" }, "NodeDrain")
    world:settle()
    assert.is_table(looks.alive(world, "resting-5a1c0000"))
    world.nomad:token { secret = "t", namespaces = { ["*"] = RIGHTS } }
    world:advance "2h"
    assert.is_table(looks.alive(world, "resting-5a1c0000"))
  end)

  it("limited to namespaces: nodes are seen, and children go nowhere else", function()
    local world = world_of("1.11.3", { options = { namespaces = { "ops" } } })
    world.nomad:namespace "ops"
    world:start()
    node_as(world, { SchedulingEligibility = "ineligible" }, "NodeDrain")
    world:settle()
    assert.matches("saw Node " .. NODE:gsub("%p", "%%%0") .. ": ready ineligible", world:blocks())
    local text = world:blocks()
    assert.matches(
      "would go to namespace default, which is none of those that -namespace",
      text,
      1,
      true
    )
    assert.is_nil(looks.alive(world, "resting-5a1c0000"))
  end)
end)

describe("docs/topics.md", function()
  local topics = require "operator.topics"

  it("has each topic as its row in topics.lua has it", function()
    local file <close> = assert(io.open "docs/topics.md")
    local text = file:read "a"
    for _, name in ipairs(topics.names) do
      local topic = topics[name]
      local row = text:match("\n(| " .. name .. " |[^\n]*)")
      assert.is_string(row, name)
      local function has(part)
        assert.truthy(row:find(part, 1, true), name .. ": " .. part)
      end
      has(topic.by_list and "| its list |" or "| the stream |")
      has("| " .. table.concat(topic.types, " ") .. (topic.types[1] and " |" or "|"))
      has(topic.rights)
      has(topic.facts and table.concat(topic.facts, " ") or "")
    end
  end)
end)

describe("a policy's topic", function()
  local function complaint(fields)
    local text = 'local operator = require "operator"\nreturn operator.policy {\n%s\n}'
    local ok, err = pcall(function()
      testing.world({ files = { ["p.lua"] = text:format(fields) } }):start()
    end)
    assert.is_false(ok)
    return tostring(err)
  end

  it("is refused at load where nothing would come of it", function()
    local cases = {
      { 'watch = { topic = "Alocation" }', 'unknown topic "Alocation", did you mean Allocation?' },
      { 'watch = { topic = "Node" }, on = { NodeDeregistration = print }', "Nomad never sends it" },
      { 'watch = { topic = "Node" }, on = { NodeDrian = print }', "did you mean NodeDrain?" },
      {
        'watch = { topic = "Node" }, namespaces = { "a" }, reconcile = print',
        "namespaces: a Node is in no namespace",
      },
      {
        'watch = { topic = "Service" }, keep_on_stop = true, desired = print',
        "only a job is stopped",
      },
      {
        'watch = { topic = "Allocation", where = { Job = { ID = "x" } } }, reconcile = print',
        "watch.where.Job: events of the topic Allocation do not have it",
      },
    }
    for _, case in ipairs(cases) do
      assert.matches(case[2], complaint('name = "x", ' .. case[1]), 1, true)
    end
  end)

  it("subscribes to what a list tells of only for handlers", function()
    local function topics(fields)
      local text =
        'return require "operator".policy { name = "x", watch = { topic = "NodePool" }, %s }'
      local world = testing.world { files = { ["p.lua"] = text:format(fields) } }
      world:start()
      return world.feed.interests.topics
    end
    assert.same({ "Evaluation", "Job" }, topics "reconcile = print")
    assert.same({ "Evaluation", "Job", "NodePool" }, topics "on = { NodePoolDeleted = print }")
  end)
end)
