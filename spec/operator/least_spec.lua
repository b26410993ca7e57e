-- least: the ACL policy that loaded policies need.
local least = require "operator.least"

local function policy(fields)
  local all = { name = "p", watch = { topic = "Job" }, every = {}, cron = {} }
  for name, value in pairs(fields or {}) do
    all[name] = value
  end
  return all
end

local function desired() end

local function hcl(policies, options)
  options = options or {}
  return least
    .of({
      policies = policies,
      templates = options.templates or false,
      wanted = options.wanted,
      crossing = options.crossing or {},
    })
    :hcl()
end

-- The capabilities by namespace.
local function rules(text)
  local all = {}
  for namespace, block in text:gmatch 'namespace "([^"]+)" {\n(.-)\n}' do
    local list = {}
    for capability in block:gmatch '\n    "([%w-]+)"' do
      list[#list + 1] = capability
    end
    all[namespace] = table.concat(list, " ")
  end
  return all
end

describe("the least ACL policy", function()
  it("lets a policy that only looks write nothing", function()
    local text = hcl { policy { reconcile = desired } }
    assert.same({ ["*"] = "list-jobs read-job" }, rules(text))
    assert.matches("policy p has code of its own (reconcile)", text, 1, true)
  end)

  it("lets a policy write where it works", function()
    local text = hcl {
      policy { name = "a", desired = desired, namespaces = { ops = true, dev = true } },
      policy { name = "b", reconcile = desired },
    }
    assert.same({
      ["*"] = "list-jobs read-job",
      ops = "list-jobs read-job submit-job",
      dev = "list-jobs read-job submit-job",
    }, rules(text))
  end)

  it("is for what -namespace names", function()
    local options = { wanted = { ops = true, dev = true } }
    local text = hcl({ policy { desired = desired, namespaces = { ops = true } } }, options)
    assert.same({ ops = "list-jobs read-job submit-job", dev = "list-jobs read-job" }, rules(text))
  end)

  it("lets children be elsewhere only where that is allowed", function()
    local options = { wanted = { ops = true }, crossing = { "ops:dev", "other:test" } }
    local text = hcl({ policy { desired = desired } }, options)
    assert.same({
      ops = "list-jobs read-job submit-job",
      dev = "list-jobs read-job submit-job",
    }, rules(text))
  end)

  it("lets job files be parsed where nothing is written", function()
    local text = hcl({ policy { reconcile = desired } }, { templates = true })
    assert.same({ ["*"] = "list-jobs read-job parse-job" }, rules(text))
  end)

  it("has the rules of topics", function()
    local text = hcl { policy { watch = { topic = "Node" }, reconcile = desired } }
    assert.matches('node {\n  policy = "read"\n}', text, 1, true)
    text = hcl { policy { watch = { topic = "Unheard" }, reconcile = desired } }
    assert.matches("watches the topic Unheard", text, 1, true)
  end)
end)
