-- exchange: reads HTTP/1.1 out of the two directions of a connection, whose bytes may be cut anywhere: which requests
-- were sent, and what each was answered. Nothing is changed, and nothing asked: it only listens.
local exchange = {}
exchange.__index = exchange

-- Takes a head off the text: the head, and the rest. nil: it is not complete.
local function head_of(text)
  local _, to = text:find("\r\n\r\n", 1, true)
  if to then
    return text:sub(1, to), text:sub(to + 1)
  end
end

local function header(head, name)
  return head:lower():match("\r\n" .. name:gsub("%-", "%%-") .. ":%s*([^\r\n]*)")
end

-- -- requests

local function read_request(self)
  if not self.asked_head then
    local head, rest = head_of(self.asked)
    if not head then
      return false
    end
    self.asked_head, self.asked = head, rest
  end
  local length = tonumber(header(self.asked_head, "content-length")) or 0
  if #self.asked < length then
    return false
  end
  local method, target = self.asked_head:match "^(%u+) (%S+) HTTP"
  local path, query = (target or "?"):match "^([^?]*)%??(.*)$"
  local request = { method = method, path = path, query = query, body = self.asked:sub(1, length) }
  self.asked, self.asked_head = self.asked:sub(length + 1), nil
  table.insert(self.waiting, request)
  self.tell.request(request)
  return true
end

-- Bytes of the one who asks.
function exchange:from_client(data)
  self.asked = self.asked .. data
  while read_request(self) do
  end
end

-- -- answers

-- A part of an answer's body; of a stream each line is told when it is whole.
local function body_part(self, answer, data)
  answer.body = answer.body .. data
  if not answer.request.path:find "^/v1/event/stream" then
    return
  end
  for line in answer.body:gmatch "([^\n]*)\n" do
    self.tell.line(answer.request, line)
  end
  answer.body = answer.body:match "[^\n]*$"
end

local function ended(self)
  local answer = self.answer
  self.answer = nil
  self.tell.answer(answer.request, answer)
  return true
end

local readers = {}

function readers.head(self)
  local head, rest = head_of(self.said)
  local request = head and table.remove(self.waiting, 1)
  if not request then
    return false
  end
  self.said = rest
  local length = tonumber(header(head, "content-length"))
  local chunked = (header(head, "transfer-encoding") or ""):find "chunked"
  self.answer = {
    request = request,
    status = tonumber(head:match "^HTTP/%S+ (%d+)"),
    index = tonumber(header(head, "x-nomad-index")),
    body = "",
    left = length,
    how = chunked and "chunk" or length and "counted" or "rest",
  }
  return true
end

function readers.counted(self)
  local answer = self.answer
  if #self.said < answer.left then
    return false
  end
  body_part(self, answer, self.said:sub(1, answer.left))
  self.said = self.said:sub(answer.left + 1)
  return ended(self)
end

function readers.chunk(self)
  local size, to = self.said:match "^(%x+)[^\r\n]*\r\n()"
  local length = size and tonumber(size, 16)
  if not length or #self.said < to + length + 1 then
    return false
  end
  body_part(self, self.answer, self.said:sub(to, to + length - 1))
  self.said = self.said:sub(to + length + 2)
  return length > 0 or ended(self)
end

-- To the end of the connection.
function readers.rest(self)
  body_part(self, self.answer, self.said)
  self.said = ""
  return false
end

-- Bytes of the one who answers.
function exchange:from_server(data)
  self.said = self.said .. data
  while readers[self.answer and self.answer.how or "head"](self) do
  end
end

-- new{ request = fn(request), answer = fn(request, { status, index, body }), line = fn(request, text) }: an answer is
-- told when it is complete, a line of an event stream when it came.
function exchange.new(tell)
  return setmetatable({ tell = tell, waiting = {}, asked = "", said = "" }, exchange)
end

return exchange
