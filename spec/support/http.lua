-- http: one HTTP request at a time, for specs. HTTP/1.0, so that an answer simply ends with its connection.
local uv = require "luv"
local wait = require "support.wait"

local http = {}

local function parse(text)
  local head, body = text:match("^(.-)\r\n\r\n(.*)$")
  local status = head and tonumber(head:match("^HTTP/%d%.%d (%d%d%d)"))
  if not status then return nil, ("no HTTP answer: %q"):format(text:sub(1, 200)) end
  local headers = {}
  for name, value in head:gmatch("\r\n([^:\r\n]+):%s*([^\r\n]*)") do
    headers[name:lower()] = value
  end
  return { status = status, headers = headers, body = body }
end

local function head_of(options)
  local body = options.body or ""
  local lines = {
    ("%s %s HTTP/1.0"):format(options.method or "GET", options.path),
    ("Host: 127.0.0.1:%d"):format(options.port),
    ("Content-Length: %d"):format(#body),
  }
  for name, value in pairs(options.headers or {}) do lines[#lines + 1] = name .. ": " .. value end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. body
end

-- request{ port=, method=, path=, body=, headers=, timeout= } -> { status, headers, body } | nil, error
-- Runs the loop meanwhile. Goes to 127.0.0.1.
function http.request(options)
  local tcp = uv.new_tcp()
  local text, over, failure = {}, false, nil
  local function stop(err)
    failure, over = failure or err, true
    if not tcp:is_closing() then tcp:close() end
  end
  tcp:connect("127.0.0.1", options.port, function(err)
    if err then return stop(err) end
    tcp:write(head_of(options))
    tcp:read_start(function(read_err, data)
      if data then
        text[#text + 1] = data
      else
        stop(read_err)
      end
    end)
  end)
  local ok, late = pcall(wait.until_true, options.timeout or 10, "no answer", function()
    return over
  end)
  if not ok then stop(late) end
  uv.run("nowait")
  if failure then
    return nil, ("%s %s: %s"):format(options.method or "GET", options.path, failure)
  end
  return parse(table.concat(text))
end

function http.escape(text)
  return (text:gsub("[^%w%-_.~]", function(c) return ("%%%02X"):format(c:byte()) end))
end

return http
