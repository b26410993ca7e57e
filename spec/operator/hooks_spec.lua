-- hooks: on, every, cron, reconcile and requeue, in the model's world.
local looks = require "support.looks"
local testing = require "operator.testing"

local POLICY = require "support.core_policy"

local said = looks.said
local source = looks.source

local function new_world(options)
  options = options or {}
  options.files = options.files or { ["backup.lua"] = POLICY }
  return testing.world(options)
end

describe("the hooks of a policy", function()
  local world

  local function start_with(text)
    world = new_world({ files = { ["p.lua"] = 'local operator = require "operator"\n' .. text } })
    world:start()
  end

  it("give each event to its handler, in order, and try again what failed", function()
    start_with([[
      local failed = false
      return operator.policy { name = "h", watch = { topic = "Job" }, on = {
        JobRegistered = function(event, ctx)
          if event.object.ID == "b" and not failed then failed = true; error("not yet") end
          ctx.log("info", "got " .. event.object.ID .. " " .. event.object.Version)
        end,
      } }]])
    world.nomad:register(source("a"))
    world.nomad:register(source("b"))
    world.nomad:register(source("b", { x = "1" }))
    world:advance("10s")
    local text = said(world)
    local first, second = text:find("got b 0", 1, true), text:find("got b 1", 1, true)
    assert.is_truthy(text:find("got a 0", 1, true))
    assert.is_truthy(first and second and first < second, text)
  end)

  it(
    "see a change of the status where the policy asks for any change, by event and by list",
    function()
      local text =
        [[return operator.policy { name = "s", watch = { topic = "Job", changes = "any" },
      reconcile = function(job, ctx) ctx.log("info", job.ID .. " is " .. job.Status) end }]]
      start_with(text)
      world.nomad:register(source("web"))
      world:advance("10s")
      assert.matches("web is running", said(world), 1, true)
      world:disconnect()
      world.nomad:stop("default", "web")
      world:advance("5s")
      world:reconnect()
      world:advance("10s")
      assert.matches("web is dead", said(world), 1, true)
    end
  )

  it("tell of a gap", function()
    start_with([[return operator.policy { name = "h", watch = { topic = "Job" }, on = {
      gap = function(_, ctx) ctx.log("info", "a gap") end } }]])
    world:settle()
    assert.is_nil(said(world):find("a gap", 1, true))
    world:disconnect()
    world:reconnect()
    world:settle()
    assert.is_truthy(said(world):find("a gap", 1, true))
  end)

  it("run timers at their times, across reloads", function()
    start_with([[return operator.policy { name = "t", watch = { topic = "Job" }, every = {
      ["1h"] = function(ctx) ctx.log("info", "tick") end } }]])
    local function ticks()
      local _, count = said(world):gsub("tick\n", "")
      return count
    end
    world:advance("50m")
    assert.equal(0, ticks())
    world:reload()
    world:advance("15m")
    assert.equal(1, ticks())
    world:advance("3h")
    assert.equal(4, ticks())
  end)

  it("requeue a key, and reconcile freely", function()
    start_with([[
      local runs = 0
      return operator.policy { name = "r", watch = { topic = "Job", where = { ID = "web" } },
        reconcile = function(job, ctx)
          runs = runs + 1
          ctx.log("info", "run " .. runs)
          if runs == 1 then return operator.after("30s") end
          if runs == 2 then operator.retry("busy", "5s") end
        end }]])
    world.nomad:register(source("web"))
    world:settle()
    assert.matches("run 1\n--> Done, again in 30s", said(world), 1, true)
    world:advance("31s")
    assert.matches("Error: busy\n--> Failed, next try in 5s", said(world), 1, true)
    world:advance("10s")
    assert.matches("run 3\n--> Done\n", said(world), 1, true)
  end)
end)
