--- child: what `desired` returned, as a job that is complete: rendered, in a namespace, with our marks. What must not
--- be written is refused here.

local json = require "host.json"
local jobspec = require "nomad.jobspec"
local failure = require "operator.failure"
local ignore = require "operator.ignore"
local marks = require "operator.marks"

local child = {}

---@class operator.WantedChild
---@field job table JSON job spec with marks; made when it is asked for, where there is its text
---@field text? string of the job, as JSON; made each time it is asked for
---@field namespace string
---@field key string
---@field digest string json.digest of the job without marks and without what the policy ignores

-- The JSON job spec behind an item of the list, as a table of our own.
---@async
local function resolve(value)
  local job = value
  if jobspec.is_rendering(value) then
    local err
    job, err = value.template:resolve(value, true)
    if not job then
      failure.raise(err)
    end
  elseif type(value) ~= "table" then
    failure.fail(
      (
        "desired returned a %s in its list; "
        .. "expected jobs: template:render(…), or a JSON job specification"
      ):format(type(value))
    )
  end
  if type(job.ID) ~= "string" or job.ID == "" then
    failure.fail("desired returned a job without an ID")
  end
  local copy = {}
  for name, field in pairs(job) do
    copy[name] = field
  end
  return copy
end

local function may_cross(pairs_allowed, from, to)
  for _, pair in ipairs(pairs_allowed or {}) do
    if pair == from .. ":" .. to then
      return true
    end
  end
  return false
end

-- Does -namespace let the operator look there?
local function may_go(names, namespace)
  for _, name in ipairs(names) do
    if name == namespace or name == "*" then
      return true
    end
  end
  return #names == 0
end

-- The child of an owner that is in no namespace says itself where it goes, and that is where the operator looks.
local function check_placed(job, owner, options)
  if job.Namespace == nil or job.Namespace == "" then
    failure.fail(
      (
        "job %s says no Namespace, and its owner (%s) is in none; "
        .. 'write where it goes, like Namespace = "default"'
      ):format(job.ID, owner)
    )
  elseif not may_go(options.namespaces, job.Namespace) then
    failure.fail(
      ("job %s would go to namespace %s, which is none of those that -namespace names"):format(
        job.ID,
        job.Namespace
      )
    )
  end
end

local function place_in_namespace(job, owner, options)
  local home = marks.split(owner)
  if not home then
    check_placed(job, owner, options)
  elseif job.Namespace == nil or job.Namespace == "" then
    job.Namespace = home
  elseif job.Namespace ~= home and not may_cross(options.cross_namespace, home, job.Namespace) then
    failure.fail(
      (
        "job %s would go to namespace %s, but its owner is in %s; "
        .. "allow it with -allow-cross-namespace %s:%s"
      ):format(job.ID, job.Namespace, home, home, job.Namespace)
    )
  end
end

local function keep_in_region(job, options)
  if job.Region == "global" or job.Region == "" then
    job.Region = nil -- HCL's default, which Nomad reads as the agent's own
  end
  if type(job.Multiregion) == "table" then
    failure.fail(("job %s is multiregion; one operator serves one region"):format(job.ID))
  elseif job.Region and job.Region ~= options.region then
    failure.fail(
      ("job %s asks for region %s; one operator serves one region, here %s"):format(
        job.ID,
        job.Region,
        options.region or "the agent's own (see -region)"
      )
    )
  end
end

-- Where the job goes. Raises where it may not.
local function place(job, owner, options)
  place_in_namespace(job, owner, options)
  keep_in_region(job, options)
  local key = marks.key(job.Namespace, job.ID)
  if key == owner then
    failure.fail(
      ("desired returned the owner itself (%s); a child needs an ID of its own"):format(job.ID)
    )
  end
  return key
end

-- The child as a table.
local function make(job, policy, owner, options)
  local key = place(job, owner, options)
  local digest = json.digest(ignore.strip(job, policy.ignored))
  marks.put(job, options.instance, policy.name, owner, digest)
  return { job = job, namespace = job.Namespace, key = key, digest = digest }
end

local function text_of(self)
  local hash = marks.carries_hash(self.made.head) and self.digest or nil
  return self.made:text(
    marks.text(self.options.instance, self.policy.name, self.owner, self.key, hash)
  )
end

-- What a child that is made as text is asked for: its text, to be sent; its table, which most do not need.
local WRITTEN = {
  __index = function(self, name)
    if name == "text" then
      return text_of(self)
    elseif name == "job" then
      self.job = make(resolve(self.value), self.policy, self.owner, self.options).job
      return self.job
    end
  end,
}

-- Templates whose own meta has a mark, by what their jobs are written with.
local marked = setmetatable({}, { __mode = "k" })

local function is_marked(cast)
  if marked[cast] == nil then
    marked[cast] = false
    for name in pairs(cast:meta()) do
      marked[cast] = marked[cast] or marks.is_mark(name)
    end
  end
  return marked[cast]
end

-- The child as text; nil where that would not be the job that `make` makes.
local function write(made, value, policy, owner, options)
  local job = made.head
  local region = job.Region
  local key = place(job, owner, options)
  if job.Region ~= region or is_marked(made.cast) then
    return nil
  end
  return setmetatable({
    namespace = job.Namespace,
    key = key,
    digest = made:digest(job.Namespace),
    made = made,
    value = value,
    policy = policy,
    owner = owner,
    options = options,
  }, WRITTEN)
end

--- Makes a complete child of one item that `desired` returned.
---@async
---@param value any a rendering, or a JSON job spec
---@param policy operator.Policy
---@param owner string key
---@param options host.Options
---@param check operator.Check
---@return operator.WantedChild
function child.new(value, policy, owner, options, check)
  local made = #policy.ignored == 0 and jobspec.is_rendering(value) and value:cast() or nil
  return made and check:has_passed(made) and write(made, value, policy, owner, options)
    or make(check:job(resolve(value), policy.name, made), policy, owner, options)
end

return child
