--- Versions of Nomad, compared.

local version = {}

--- "1.11.3-rc.1" → a number that orders releases. What stands behind the three numbers ("-beta.1", "+ent") does not
--- count.
---@param text any
---@return integer? nil: it is no version
function version.number(text)
  local major, minor, patch = tostring(text):match("^v?(%d+)%.(%d+)%.?(%d*)")
  if not major then
    return nil
  end
  return tonumber(major) * 1000000 + tonumber(minor) * 1000 + (tonumber(patch) or 0)
end

--- Is it at least the other?
---@param this string "1.11.3"
---@param other string
---@return boolean false too where one of them is no version
function version.at_least(this, other)
  local a, b = version.number(this), version.number(other)
  return a ~= nil and b ~= nil and a >= b
end

---@param text any
---@return boolean
function version.is(text)
  return type(text) == "string" and version.number(text) ~= nil
end

return version
