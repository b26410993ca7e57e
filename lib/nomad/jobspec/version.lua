--- Versions of Nomad, compared.

local version = {}

local function numbers(text)
  local major, minor, patch = tostring(text):match("^v?(%d+)%.(%d+)%.?(%d*)")
  if not major then
    return nil
  end
  return tonumber(major) * 1000000 + tonumber(minor) * 1000 + (tonumber(patch) or 0)
end

--- Is it at least the other? What stands behind the three numbers ("-beta.1", "+ent") does not count.
---@param this string "1.11.3"
---@param other string
---@return boolean false too where one of them is no version
function version.at_least(this, other)
  local a, b = numbers(this), numbers(other)
  return a ~= nil and b ~= nil and a >= b
end

---@param text any
---@return boolean
function version.is(text)
  return type(text) == "string" and numbers(text) ~= nil
end

return version
