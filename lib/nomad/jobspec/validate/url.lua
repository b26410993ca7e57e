--- The path of an HTTP check: a URL without a scheme, as Go reads one.

local text = require "nomad.jobspec.validate.text"

local url = {}

--- Signs that a host may have as they are, besides those that are not ASCII.
local IN_HOST = "[^%w!$&'()*+,;=:%[%]<>\"%-_.~\x80-\xff]"

--- Every % begins an escape.
local function percent_ok(part)
  return not part:gsub("%%%x%x", ""):find("%", 1, true)
end

--- In a host only % itself and what is not ASCII may be escaped.
local function plain_host(host)
  local bare = host:gsub("%%(%x)(%x)", function(high, low)
    return (high .. low == "25" or high:find "[89a-fA-F]") and "x" or nil
  end)
  return not bare:find(IN_HOST)
end

--- The zone of an address: nothing escaped that need not be.
local function zone_ok(zone)
  local bare = zone:gsub("%%(%x%x)", function(digits)
    local sign = string.char(tonumber(digits, 16))
    return (sign == "%" or sign == " " or sign < "\x80" and not sign:find(IN_HOST)) and "x" or nil
  end)
  return zone ~= "" and not bare:find(IN_HOST)
end

--- What stands in brackets: an address of IPv6, with a zone behind %25 or without.
local function bracketed(inside)
  local address, zone = inside:match("^(.-)%%25(.*)$")
  return text.ipv6(address or inside) and (not zone or zone_ok(zone))
end

local function port_ok(port)
  return port == "" or port:find("^:%d*$") ~= nil
end

local function host_ok(host)
  if host:find("[", 2, true) then
    return false
  elseif host:sub(1, 1) == "[" then
    local inside, port = host:match("^%[(.*)%](.*)$")
    return inside ~= nil and port_ok(port) and bracketed(inside)
  end
  return port_ok(host:match(".*(:.*)$") or "") and plain_host(host)
end

local function authority_ok(authority)
  local user, host = authority:match("^(.*)@(.*)$")
  if user and (user:find("[^%w%-._:~!$&'()*+,;=%%@]") or not percent_ok(user)) then
    return false
  end
  return host_ok(host or authority)
end

---@param value string
---@return boolean
function url.is_path(value)
  local bare = value:match("^[^#]*")
  if bare:find("[%z\1-\31\127]") then
    return false
  end
  local path = bare:match("^[^?]*")
  if not percent_ok(value:match("#(.*)$") or "") then
    return false
  elseif path:find("^//") and not path:find("^///") then
    local authority, rest = path:match("^//([^/]*)(.*)$")
    return authority_ok(authority) and percent_ok(rest)
  end
  -- A scheme, or a colon in the first part where a scheme would stand.
  local first = path:match("^[^/]*")
  return percent_ok(path) and (first == "*" or not first:find(":", 1, true))
end

return url
