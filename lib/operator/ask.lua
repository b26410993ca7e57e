--- ask: what a person asks of a running operator over its admin pages: which removals are held back, that they be made,
--- and that a key be tried now.

local marks = require "operator.marks"

local ask = {}

---@class operator.Answer
---@field status integer of HTTP
---@field lines string[]

local function no_policy(name)
  return { status = 404, lines = { ("No policy is called %s."):format(name) } }
end

-- The removals that the budget refuses, a line each: "policy child".
local function refused(generation, policy)
  if policy and not generation.by_name[policy] then
    return no_policy(policy)
  end
  local lines = {}
  for _, one in ipairs(generation.controllers) do
    local name = one.policy.name
    for _, child in ipairs((not policy or policy == name) and generation.budget:held(name) or {}) do
      lines[#lines + 1] = ("%s (policy %s)"):format(marks.show(child), name)
    end
  end
  return { status = 200, lines = lines }
end

local function approve(generation, policy)
  if policy and not generation.by_name[policy] then
    return no_policy(policy)
  end
  local count = generation:approve(policy)
  local noun = count == 1 and "removal is" or "removals are"
  return { status = 202, lines = { ("Approved: %d %s made now."):format(count or 0, noun) } }
end

local function retry(generation, text)
  if not text or text == "" then
    return { status = 400, lines = { "Which job? Say ?key=NAMESPACE/ID." } }
  end
  local key = text:find("/", 1, true) and text or "default/" .. text
  local names = {}
  for _, one in ipairs(generation.controllers) do
    if one:concerns(key, one.queue:has(key)) then
      one:put(key, { cause = { kind = "retry" } })
      names[#names + 1] = one.policy.name
    end
  end
  if #names == 0 then
    return { status = 404, lines = { ("No policy looks after job %s."):format(marks.show(key)) } }
  end
  local line = ("Job %s is tried again by %s."):format(marks.show(key), table.concat(names, ", "))
  return { status = 202, lines = { line } }
end

local QUESTIONS = { refused = refused, approve = approve, retry = retry }

---@param generation operator.Generation
---@param question "refused"|"approve"|"retry"
---@param argument? string the policy, or the key; nil: all
---@return operator.Answer
function ask.run(generation, question, argument)
  return QUESTIONS[question](generation, argument)
end

return ask
