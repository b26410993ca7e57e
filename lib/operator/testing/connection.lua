--- connection: the server's end of one HTTP/1.1 connection on a luv socket: requests in, answers out, kept alive.
-- It can write slowly and end badly, as servers in trouble do.

local uv = require "luv"

local connection = {}

local HEAD_MAX = 64 * 1024
local BODY_MAX = 64 * 1024 * 1024

local reasons = {
  [200] = "OK",
  [204] = "No Content",
  [400] = "Bad Request",
  [403] = "Forbidden",
  [404] = "Not Found",
  [405] = "Method Not Allowed",
  [409] = "Conflict",
  [411] = "Length Required",
  [413] = "Content Too Large",
  [429] = "Too Many Requests",
  [431] = "Request Header Fields Too Large",
  [500] = "Internal Server Error",
  [503] = "Service Unavailable",
}

---@class operator.testing.Request
---@field method string
---@field target string as it came: path and query
---@field path string still percent-encoded
---@field query table<string, string> decoded; of a repeated name the last
---@field pairs { [1]: string, [2]: string }[] the query in its order
---@field headers table<string, string> names in lower case
---@field body string

---@class operator.testing.Pace how slowly to write
---@field bytes? integer so many at once
---@field delay number milliseconds before each

---@class operator.testing.ConnectionOptions
---@field request fun(conn: operator.testing.Connection, request: operator.testing.Request)
---@field closed? fun(conn: operator.testing.Connection)
---@field pace? fun(conn: operator.testing.Connection): operator.testing.Pace?

---@class operator.testing.Connection
---@field closed boolean
---@field peer integer the other end's port
local Connection = {}
Connection.__index = Connection

local CLOSE, RESET = {}, {}

local function unescape(text)
  text = text:gsub("+", " ")
  return (text:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

local function parse_query(text)
  local query, list = {}, {}
  for part in text:gmatch "[^&]+" do
    local name, value = part:match "^([^=]*)=?(.*)$"
    name, value = unescape(name), unescape(value)
    query[name] = value
    list[#list + 1] = { name, value }
  end
  return query, list
end

---@return operator.testing.Request? request nil: not HTTP
---@return boolean? keep whether the connection is kept
local function parse_head(head)
  local method, target, minor = head:match "^(%u+) (%S+) HTTP/1%.([01])\r\n"
  if not method then
    return nil
  end
  local path, query = target:match "^([^?]*)%??(.*)$"
  local request = { method = method, target = target, path = path, headers = {}, body = "" }
  request.query, request.pairs = parse_query(query)
  for name, value in head:gmatch "\r\n([^:\r\n]+):[ \t]*([^\r\n]*)" do
    request.headers[name:lower()] = value
  end
  local wish = (request.headers.connection or ""):lower()
  return request, minor == "1" and wish ~= "close" or wish == "keep-alive"
end

-- -- writing

function Connection:finish_close(reset)
  if self.closed then
    return
  end
  self.closed = true
  if self.timer then
    self.timer:close()
  end
  if reset then
    self.tcp:close_reset()
  elseif not self.tcp:is_closing() then
    self.tcp:close()
  end
  if self.options.closed then
    self.options.closed(self)
  end
end

-- Writes the first of what is queued, `bytes` of it at most.
function Connection:write_piece(bytes)
  local item = self.queue[1]
  if bytes and bytes < #item then
    self.queue[1] = item:sub(bytes + 1)
    item = item:sub(1, bytes)
  else
    table.remove(self.queue, 1)
  end
  self.tcp:write(item)
end

function Connection:wait_and_pump(pace)
  self.timer = self.timer or uv.new_timer()
  self.pacing = true
  self.timer:start(math.floor(pace.delay), 0, function()
    self.pacing = false
    if type(self.queue[1]) == "string" then
      self:write_piece(pace.bytes)
    end
    self:pump()
  end)
end

-- Writes what is queued, as slowly as the pace says.
function Connection:pump()
  while not self.closed and not self.pacing and self.queue[1] do
    local item = self.queue[1]
    if item == CLOSE or item == RESET then
      return self:finish_close(item == RESET)
    end
    local pace = self.options.pace and self.options.pace(self)
    if pace then
      return self:wait_and_pump(pace)
    end
    self:write_piece()
  end
end

--- Sends bytes as they are.
---@param text string
function Connection:raw(text)
  if not self.closed and text ~= "" then
    self.queue[#self.queue + 1] = text
    self:pump()
  end
end

--- Closes when all is written.
function Connection:close()
  if not self.closed then
    self.queue[#self.queue + 1] = CLOSE
    self:pump()
  end
end

--- Ends the connection at once with a RST.
function Connection:reset()
  self.queue = { RESET }
  self.pacing = false
  self:pump()
end

local function write_head(status, headers)
  local lines = { ("HTTP/1.1 %d %s"):format(status, reasons[status] or "Status") }
  local names = {}
  for name in pairs(headers) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    lines[#lines + 1] = ("%s: %s"):format(name, headers[name])
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

--- A whole answer; with `cut` only that much of its body, and then the end of the connection.
---@param status integer
---@param headers? table<string, string>
---@param body? string
---@param cut? integer
function Connection:respond(status, headers, body, cut)
  local out = {}
  for name, value in pairs(headers or {}) do
    out[name] = value
  end
  body = status ~= 204 and body or ""
  out["Content-Length"] = status ~= 204 and tostring(#body) or nil
  if not self.keep then
    out.Connection = "close"
  end
  self:raw(write_head(status, out) .. (self.method ~= "HEAD" and body:sub(1, cut) or ""))
  if cut then
    return self:close()
  end
  self:done()
end

--- Begins an answer without an end in sight: chunked, or hijacked: until the connection ends.
---@param headers table<string, string>
---@param chunked boolean
function Connection:start(headers, chunked)
  local out = chunked and { ["Transfer-Encoding"] = "chunked" } or { Connection = "close" }
  for name, value in pairs(headers) do
    out[name] = value
  end
  self.chunked = chunked
  self:raw(write_head(200, out))
end

--- More of it.
---@param text string
function Connection:more(text)
  self:raw(self.chunked and ("%x\r\n%s\r\n"):format(#text, text) or text)
end

--- Its end.
function Connection:finish()
  if not self.chunked then
    return self:close()
  end
  self:raw "0\r\n\r\n"
  self:done()
end

-- -- reading

--- The answer is written: close, or read the next request.
function Connection:done()
  if not self.keep then
    return self:close()
  end
  self.busy = false
  self:read_requests()
end

function Connection:refuse(status, body)
  self.keep, self.busy = false, true
  self:respond(status, { ["Content-Type"] = "text/plain" }, body)
end

-- The next request's head from what has come; nil: not yet, or it was refused.
function Connection:take_head()
  if self.input:find "^[^%u]" then -- a TLS handshake, perhaps
    self:refuse(400, "this is not HTTP")
    return nil
  end
  local stop = self.input:find("\r\n\r\n", 1, true)
  if not stop then
    if #self.input > HEAD_MAX then
      self:refuse(431, "head too long")
    end
    return nil
  end
  local request, keep = parse_head(self.input:sub(1, stop + 1))
  if not request then
    self:refuse(400, "this is not HTTP")
    return nil
  end
  self.keep, self.method = keep, request.method
  local length = tonumber(request.headers["content-length"] or "0")
  if request.headers["transfer-encoding"] or not length then
    self:refuse(411, "Content-Length is missing")
    return nil
  elseif length > BODY_MAX then
    self:refuse(413, "body too long")
    return nil
  end
  if (request.headers.expect or ""):lower() == "100-continue" then
    self:raw "HTTP/1.1 100 Continue\r\n\r\n"
  end
  self.input = self.input:sub(stop + 4)
  return request, length
end

function Connection:read_requests()
  while not self.busy and not self.closed do
    if not self.head then
      self.head, self.length = self:take_head()
    end
    local request = self.head
    if not request or #self.input < self.length then
      return
    end
    request.body = self.input:sub(1, self.length)
    self.input = self.input:sub(self.length + 1)
    self.head, self.busy = nil, true
    self.options.request(self, request)
  end
end

--- Serves a socket that was accepted.
---@param tcp any
---@param options operator.testing.ConnectionOptions
---@return operator.testing.Connection
function connection.serve(tcp, options)
  local self = setmetatable({
    tcp = tcp,
    options = options,
    input = "",
    queue = {},
    closed = false,
    pacing = false,
    busy = false,
    keep = true,
    peer = (tcp:getpeername() or {}).port,
  }, Connection)
  tcp:nodelay(true)
  tcp:read_start(function(err, data)
    if err or not data then
      return self:finish_close(false)
    end
    self.input = self.input .. data
    self:read_requests()
  end)
  return self
end

return connection
