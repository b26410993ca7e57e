--- least: the least ACL policy with which loaded policies can work, as HCL for `nomad acl policy apply`.

local least = {}

--- What a topic's events and lists need besides what jobs need. Namespaced ones are named by capability.
local TOPICS = {
  Job = {},
  Allocation = {},
  Deployment = {},
  Evaluation = {},
  Service = {},
  Node = { rule = "node", policy = "read" },
  NodePool = { rule = 'node_pool "*"', policy = "read" },
  CSIVolume = { capabilities = { "csi-list-volume", "csi-read-volume" } },
  CSIPlugin = { rule = "plugin", policy = "list" },
  HostVolume = { capabilities = { "host-volume-read" } },
  Variable = { variables = true },
}

local ORDER = {
  "list-jobs",
  "read-job",
  "parse-job",
  "submit-job",
  "csi-list-volume",
  "csi-read-volume",
  "host-volume-read",
}

local WHY = {
  ["list-jobs"] = "jobs are listed at the start and at each resync",
  ["read-job"] = "events are seen, and jobs are read before they are written",
  ["parse-job"] = "job files are parsed",
  ["submit-job"] = "%s: jobs are made, changed and stopped; job files are parsed",
}

---@class operator.Least
---@field private namespaces table<string, table<string, table<string, boolean>>> capability → policies, by namespace
---@field private variables table<string, boolean> namespaces in which variables are read
---@field private rules table<string, string> other rules: block → policy
---@field private notes string[] what cannot be known
local Least = {}
Least.__index = Least

local function grant(self, namespace, capability, policy)
  local block = self.namespaces[namespace] or {}
  self.namespaces[namespace] = block
  block[capability] = block[capability] or {}
  if policy then
    block[capability][policy] = true
  end
end

local function sorted_keys(set)
  local list = {}
  for key in pairs(set) do
    list[#list + 1] = key
  end
  table.sort(list)
  return list
end

-- Where a policy works: what it names and what -namespace names.
local function places(policy, wanted)
  local names = sorted_keys(policy.namespaces or wanted or { ["*"] = true })
  local both = {}
  for _, name in ipairs(names) do
    if not wanted or wanted[name] then
      both[#both + 1] = name
    end
  end
  return both
end

local FREE = { "reconcile", "on", "on_start", "on_stop" }

-- The parts of a policy whose calls are its own.
local function own_code(policy)
  local parts = {}
  for _, name in ipairs(FREE) do
    if policy[name] and (type(policy[name]) == "function" or next(policy[name])) then
      parts[#parts + 1] = name
    end
  end
  for _, name in ipairs({ "every", "cron" }) do
    if next(policy[name] or {}) then
      parts[#parts + 1] = name
    end
  end
  return parts
end

local function add_topic(self, policy, namespaces)
  local topic = TOPICS[policy.watch.topic]
  if not topic then
    local text = "policy %s watches the topic %s: what its events need"
    self.notes[#self.notes + 1] = text:format(policy.name, policy.watch.topic)
    return
  elseif topic.rule then
    self.rules[topic.rule] = topic.policy
  end
  for _, namespace in ipairs(namespaces) do
    for _, capability in ipairs(topic.capabilities or {}) do
      grant(self, namespace, capability)
    end
    if topic.variables then
      grant(self, namespace, "list-jobs")
      self.variables[namespace] = true
    end
  end
end

-- What a policy needs where the children of its jobs are to be, when that is another namespace.
local CROSSING = { "list-jobs", "read-job", "submit-job" }

local function works_in(namespaces, name)
  for _, one in ipairs(namespaces) do
    if one == "*" or one == name then
      return true
    end
  end
  return false
end

local function add_policy(self, policy, wanted, crossing)
  local namespaces = places(policy, wanted)
  for _, namespace in ipairs(namespaces) do
    grant(self, namespace, "list-jobs")
    grant(self, namespace, "read-job")
    if policy.desired then
      grant(self, namespace, "submit-job", policy.name)
    end
  end
  for _, pair in ipairs(policy.desired and crossing or {}) do
    local from, to = pair:match("^([^:]*):(.*)$")
    for _, capability in ipairs(works_in(namespaces, from) and CROSSING or {}) do
      grant(self, to, capability, policy.name)
    end
  end
  add_topic(self, policy, namespaces)
  local parts = own_code(policy)
  if #parts > 0 then
    local text = "policy %s has code of its own (%s): add what that asks Nomad for"
    self.notes[#self.notes + 1] = text:format(policy.name, table.concat(parts, ", "))
  end
end

-- Job files that no policy with the right to submit has are parsed all the same.
local function add_parsing(self)
  for _, block in pairs(self.namespaces) do
    if block["submit-job"] then
      return
    end
  end
  for _, block in pairs(self.namespaces) do
    block["parse-job"] = {}
  end
end

---@class operator.LeastOptions
---@field policies operator.Policy[]
---@field templates boolean they have job files
---@field wanted? table<string, boolean> what -namespace says; nil: all
---@field crossing string[] what -allow-cross-namespace says, "from:to"

---@param options operator.LeastOptions
---@return operator.Least
function least.of(options)
  local self = setmetatable({ namespaces = {}, variables = {}, rules = {}, notes = {} }, Least)
  for _, policy in ipairs(options.policies) do
    add_policy(self, policy, options.wanted, options.crossing)
  end
  -- What -namespace names is listed, whatever the policies want of it.
  for name in pairs(options.wanted or {}) do
    grant(self, name, "list-jobs")
    grant(self, name, "read-job")
  end
  if options.templates then
    add_parsing(self)
  end
  return self
end

local function add_namespace(out, name, block, variables)
  out[#out + 1] = ("namespace %q {"):format(name)
  out[#out + 1] = "  capabilities = ["
  for _, capability in ipairs(ORDER) do
    local policies = block[capability]
    if policies then
      local why = WHY[capability]
      local names = table.concat(sorted_keys(policies), ", ")
      out[#out + 1] = ('    "%s",%s'):format(capability, why and (" # " .. why:format(names)) or "")
    end
  end
  out[#out + 1] = "  ]"
  if variables then
    out[#out + 1] = "  variables {"
    out[#out + 1] = '    path "*" {'
    out[#out + 1] = '      capabilities = ["list", "read"]'
    out[#out + 1] = "    }"
    out[#out + 1] = "  }"
  end
  out[#out + 1] = "}"
end

--- The policy.
---@return string hcl
function Least:hcl()
  local out = {}
  for _, note in ipairs(self.notes) do
    out[#out + 1] = "# Not known here: " .. note .. "."
  end
  for _, name in ipairs(sorted_keys(self.namespaces)) do
    add_namespace(out, name, self.namespaces[name], self.variables[name])
  end
  for _, rule in ipairs(sorted_keys(self.rules)) do
    out[#out + 1] = ("%s {"):format(rule)
    out[#out + 1] = ("  policy = %q"):format(self.rules[rule])
    out[#out + 1] = "}"
  end
  return table.concat(out, "\n") .. "\n"
end

return least
