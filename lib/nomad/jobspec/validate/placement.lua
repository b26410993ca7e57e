--- The rules for constraints, affinities and spreads.

local common = require "nomad.jobspec.validate.common"
local regexp = require "nomad.jobspec.validate.regexp"
local schema = require "nomad.jobspec.schema"
local text = require "nomad.jobspec.validate.text"

local placement = {}

local each = common.each

local NEEDING = common.set(
  "=",
  "==",
  "is",
  "!=",
  "not",
  "<",
  "<=",
  ">",
  ">=",
  "set_contains",
  "set_contains_all",
  "set_contains_any"
)
local DISTINCT = common.set("distinct_hosts", "distinct_property")
local ASKING = common.set("is_set", "is_not_set")

local EXACT = common.set(
  "${node.unique.id}",
  "${node.datacenter}",
  "${node.unique.name}",
  "${node.class}",
  "${node.pool}"
)
local PREFIXES = { "${attr.", "${device.", "${meta." }

local regexp_fault = common.memo(function(value)
  local ok, why = regexp.check(value)
  return not ok and why
end)

local is_versions = common.memo(function(value)
  return text.versions(value, false)
end)

local is_semver = common.memo(function(value)
  return text.versions(value, true)
end)

--- What is wrong with the right side, by operator: a format; nil: nothing.
local VALUES = {
  regexp = function(value)
    local why = regexp_fault(value)
    return why and "is no regular expression that Nomad takes: %s", why
  end,
  version = function(value)
    local wrong = '%q is no constraint of versions; write it like ">= 1.2, < 2"'
    return not is_versions(value) and wrong, value
  end,
  semver = function(value)
    local wrong = '%q is no constraint of semantic versions; write it like ">= 1.2.0, < 2.0.0"'
    return not is_semver(value) and wrong, value
  end,
}

--- The right side, as the operator wants it: for constraints and affinities alike.
local function check_value(r, at, operand, value)
  if NEEDING[operand] then
    if value == "" then
      r:err(at, "RTarget", "is needed by operator %s", operand)
    end
  elseif VALUES[operand] then
    local wrong, what = VALUES[operand](value)
    if wrong then
      r:err(at, "RTarget", wrong, what)
    end
  else
    return false
  end
  return true
end

local function unknown(r, at, object, operand)
  local enum = schema.objects[object].by_name.operand.enum
  if operand == "" then
    r:err(at, "Operand", "is needed, one of %s", table.concat(enum, ", "))
  else
    r:err(at, "Operand", "%q is no operator, only %s", operand, table.concat(enum, ", "))
  end
end

local is_attribute = common.memo(function(target)
  if target:sub(1, 1) ~= "$" or EXACT[target] then
    return true
  end
  for _, prefix in ipairs(PREFIXES) do
    if target:sub(1, #prefix) == prefix then
      return target:sub(-1) == "}"
    end
  end
  return false
end)

local function check_attribute(r, at, target)
  if target == "" then
    r:err(at, "LTarget", "is needed, an attribute like ${attr.kernel.name}")
  elseif not is_attribute(target) then
    r:err(
      at,
      "LTarget",
      "%q is no attribute; allowed are ${attr.…}, ${meta.…}, ${device.…} and ${node.datacenter}, "
        .. "${node.class}, ${node.pool}, ${node.unique.id}, ${node.unique.name}",
      target
    )
  end
end

---@param r jobspec.Report
---@param constraint table
function placement.constraint(r, constraint)
  local operand, value = constraint.Operand or "", constraint.RTarget or ""
  if operand == "distinct_property" then
    r:want(
      value == "" or text.unsigned(value, 64) and not value:find("^0*$"),
      constraint,
      "RTarget",
      "%q must be a count of at least 1",
      value
    )
  elseif ASKING[operand] then
    r:want(value == "", constraint, "RTarget", "must be empty with operator %s", operand)
  elseif operand ~= "distinct_hosts" and not check_value(r, constraint, operand, value) then
    unknown(r, constraint, "Constraint", operand)
  end
  if operand ~= "distinct_hosts" then
    check_attribute(r, constraint, constraint.LTarget or "")
  end
end

---@param r jobspec.Report
---@param affinity table
function placement.affinity(r, affinity)
  local operand = affinity.Operand or ""
  if not check_value(r, affinity, operand, affinity.RTarget or "") then
    unknown(r, affinity, "Affinity", operand)
  end
  r:want(
    (affinity.LTarget or "") ~= "",
    affinity,
    "LTarget",
    "is needed, an attribute like ${node.datacenter}"
  )
  r:want(affinity.Weight ~= 0, affinity, "Weight", "must not be 0; allowed are -100 to 100")
end

local function spread(r, value)
  r:want(
    (value.Attribute or "") ~= "",
    value,
    "Attribute",
    "is needed, an attribute like ${node.datacenter}"
  )
  r:want((value.Weight or 50) > 0, value, "Weight", "must be 1 to 100")
  local seen, sum = {}, 0
  for _, target in each(value.SpreadTarget) do
    local name = target.Value or ""
    r:want(not seen[name], target, "Value", "%q is there twice", name)
    seen[name] = true
    sum = sum + (target.Percent or 0)
  end
  r:want(sum <= 100, value, "SpreadTarget", "the percentages make %d, at most 100 is allowed", sum)
end

---@param r jobspec.Report
---@param holder table a job or group
---@param type string the job's
function placement.spreads(r, holder, type)
  if type == "system" then
    r:want(not common.some(holder.Spreads), holder, "Spreads", "is not allowed in system jobs")
    return
  end
  for _, value in each(holder.Spreads) do
    spread(r, value)
  end
end

---@param r jobspec.Report
---@param holder table a job, group or task
---@param type string the job's
function placement.affinities(r, holder, type)
  if type == "system" then
    r:want(
      not common.some(holder.Affinities),
      holder,
      "Affinities",
      "is not allowed in system jobs"
    )
    return
  end
  for _, value in each(holder.Affinities) do
    placement.affinity(r, value)
  end
end

--- `where` names a place in which distinct_hosts and distinct_property mean nothing.
---@param r jobspec.Report
---@param holder table a job, group, task or device
---@param where string?
function placement.constraints(r, holder, where)
  for _, value in each(holder.Constraints) do
    if where and DISTINCT[value.Operand] then
      r:err(value, "Operand", "%s is not allowed in a %s", value.Operand, where)
    else
      placement.constraint(r, value)
    end
  end
end

return placement
