--- approve: a person confirms the removals that the budget refuses.

local approve = {}

--- Makes them now, and lets the count begin anew.
---@param generation operator.Generation
---@param policy? string its name; nil: all
---@return integer? removals
---@return string? why not
function approve.run(generation, policy)
  local count, latched = 0, false
  if policy and not generation.by_name[policy] then
    return nil, ("no policy is called %s"):format(policy)
  end
  for _, one in ipairs(generation.controllers) do
    if not policy or one.policy.name == policy then
      local refused, was_latched = generation.budget:approve(one.policy.name)
      count, latched = count + refused, latched or was_latched
    end
  end
  local log = generation.host.log
  if latched then
    local noun = count == 1 and "removal" or "removals"
    log("warn", ("Approved: %d %s that were refused are made now"):format(count, noun))
  else
    log("info", "Approved: no removals were held back; the count of removals begins anew")
  end
  generation:unpark({ kind = "approved" })
  return count
end

return approve
