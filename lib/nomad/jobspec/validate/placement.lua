--- The rules for constraints, affinities and spreads.

local common = require "nomad.jobspec.validate.common"
local regexp = require "nomad.jobspec.validate.regexp"
local schema = require "nomad.jobspec.schema"
local text = require "nomad.jobspec.validate.text"

local placement = {}

local each = common.each

local COMPARING = common.set("=", "==", "is", "!=", "not", "<", "<=", ">", ">=")
local SETS = common.set("set_contains", "set_contains_all", "set_contains_any")
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

--- The right side, as the operator wants it: for constraints and affinities alike.
local function check_value(r, at, operand, value)
  if SETS[operand] or COMPARING[operand] then
    r:want(value ~= "", at, "RTarget", "is needed by operator %s", operand)
  elseif operand == "regexp" then
    local ok, why = regexp.check(value)
    r:want(ok, at, "RTarget", "is no regular expression that Nomad takes: %s", why)
  elseif operand == "version" then
    r:want(
      text.versions(value, false),
      at,
      "RTarget",
      '%q is no constraint of versions; write it like ">= 1.2, < 2"',
      value
    )
  elseif operand == "semver" then
    r:want(
      text.versions(value, true),
      at,
      "RTarget",
      '%q is no constraint of semantic versions; write it like ">= 1.2.0, < 2.0.0"',
      value
    )
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

local function check_attribute(r, at, target)
  if target == "" then
    r:err(at, "LTarget", "is needed, an attribute like ${attr.kernel.name}")
    return
  elseif target:sub(1, 1) ~= "$" or EXACT[target] then
    return
  end
  local known = false
  for _, prefix in ipairs(PREFIXES) do
    known = known or target:sub(1, #prefix) == prefix
  end
  r:want(
    known and target:sub(-1) == "}",
    at,
    "LTarget",
    "%q is no attribute; allowed are ${attr.…}, ${meta.…}, ${device.…} and ${node.datacenter}, "
      .. "${node.class}, ${node.pool}, ${node.unique.id}, ${node.unique.name}",
    target
  )
end

---@param r jobspec.Report
---@param at jobspec.Place
---@param constraint table
function placement.constraint(r, at, constraint)
  local operand, value = constraint.Operand or "", constraint.RTarget or ""
  if operand == "distinct_property" then
    r:want(
      value == "" or text.unsigned(value, 64) and not value:find("^0*$"),
      at,
      "RTarget",
      "%q must be a count of at least 1",
      value
    )
  elseif ASKING[operand] then
    r:want(value == "", at, "RTarget", "must be empty with operator %s", operand)
  elseif operand ~= "distinct_hosts" and not check_value(r, at, operand, value) then
    unknown(r, at, "Constraint", operand)
  end
  if operand ~= "distinct_hosts" then
    check_attribute(r, at, constraint.LTarget or "")
  end
end

---@param r jobspec.Report
---@param at jobspec.Place
---@param affinity table
function placement.affinity(r, at, affinity)
  local operand = affinity.Operand or ""
  if not check_value(r, at, operand, affinity.RTarget or "") then
    unknown(r, at, "Affinity", operand)
  end
  r:want(
    (affinity.LTarget or "") ~= "",
    at,
    "LTarget",
    "is needed, an attribute like ${node.datacenter}"
  )
  r:want(affinity.Weight ~= 0, at, "Weight", "must not be 0; allowed are -100 to 100")
end

local function spread(r, at, value)
  r:want(
    (value.Attribute or "") ~= "",
    at,
    "Attribute",
    "is needed, an attribute like ${node.datacenter}"
  )
  r:want((value.Weight or 50) > 0, at, "Weight", "must be 1 to 100")
  local seen, sum = {}, 0
  for _, target, place in each(at, "SpreadTarget", value.SpreadTarget) do
    local name = target.Value or ""
    r:want(not seen[name], place, "Value", "%q is there twice", name)
    seen[name] = true
    sum = sum + (target.Percent or 0)
  end
  r:want(sum <= 100, at, "SpreadTarget", "the percentages make %d, at most 100 is allowed", sum)
end

---@param r jobspec.Report
---@param at jobspec.Place?
---@param holder table a job or group
---@param type string the job's
function placement.spreads(r, at, holder, type)
  if type == "system" then
    r:want(not common.some(holder.Spreads), at, "Spreads", "is not allowed in system jobs")
    return
  end
  for _, value, place in each(at, "Spreads", holder.Spreads) do
    spread(r, place, value)
  end
end

---@param r jobspec.Report
---@param at jobspec.Place?
---@param holder table a job, group or task
---@param type string the job's
function placement.affinities(r, at, holder, type)
  if type == "system" then
    r:want(not common.some(holder.Affinities), at, "Affinities", "is not allowed in system jobs")
    return
  end
  for _, value, place in each(at, "Affinities", holder.Affinities) do
    placement.affinity(r, place, value)
  end
end

--- `where` names a place in which distinct_hosts and distinct_property mean nothing.
---@param r jobspec.Report
---@param at jobspec.Place?
---@param holder table a job, group, task or device
---@param where string?
function placement.constraints(r, at, holder, where)
  for _, value, place in each(at, "Constraints", holder.Constraints) do
    if where and DISTINCT[value.Operand] then
      r:err(place, "Operand", "%s is not allowed in a %s", value.Operand, where)
    else
      placement.constraint(r, place, value)
    end
  end
end

return placement
