--- streams: the event streams that the server has open, and what faults do to their lines.

local streams = {}

local PATH = "/v1/event/stream"

--- Longer than any limit a reader may have by default.
streams.OVERSIZED = 65 * 1024 * 1024

local PIECE = 1024 * 1024

---@class operator.testing.Stream
---@field conn operator.testing.Connection
---@field sub operator.testing.Subscription
---@field request operator.testing.Request
---@field kept string[] lines held back
---@field kept_by? string the fault that holds them

---@class operator.testing.Streams
---@field count { total: integer, current: integer }
local Streams = {}
Streams.__index = Streams

---@param model operator.testing.Model
---@param faults operator.testing.Faults
---@return operator.testing.Streams
function streams.new(model, faults)
  return setmetatable({
    model = model,
    faults = faults,
    count = { total = 0, current = 0 },
    list = {},
  }, Streams)
end

---@param request operator.testing.Request
---@return boolean
function streams.is_stream(request)
  return request.path == PATH
end

local function options_of(request, token)
  local options = {
    topics = {},
    namespace = request.query.namespace,
    index = request.query.index,
    token = token,
  }
  for _, pair in ipairs(request.pairs) do
    if pair[1] == "topic" then
      options.topics[#options.topics + 1] = pair[2]
    end
  end
  return options
end

local function write(stream, text)
  stream.conn:more(text .. "\n")
end

local function write_kept(stream)
  local kept = stream.kept
  stream.kept = {}
  for _, text in ipairs(kept) do
    write(stream, text)
  end
end

-- gap: the line gets lost, as when the server's buffer overtakes the reader.
function Streams:lost(stream)
  local gap = self.faults:get("gap", stream.request)
  if gap and gap.lines then
    gap.lines = gap.lines - 1
    if gap.lines <= 0 then
      self.faults:remove(gap)
    end
  end
  return gap ~= nil
end

function Streams:deliver(stream, text)
  local heartbeat = text == "{}"
  if self.faults:get("stall", stream.request) then
    stream.kept[#stream.kept + 1] = text
    return
  elseif heartbeat then
    return write(stream, text)
  elseif self:lost(stream) then
    return
  elseif self.faults:get("reorder", stream.request) and not stream.kept[1] then
    stream.kept[1] = text
    return
  end
  write(stream, text)
  if self.faults:get("duplicate", stream.request) then
    write(stream, text)
  end
  write_kept(stream)
end

--- A fault has ended: what it held back is sent.
function Streams:release()
  for _, stream in ipairs(self.list) do
    if not self.faults:get("stall", stream.request) then
      write_kept(stream)
    end
  end
end

-- The server ends it. New versions leave the connection open and say nothing more.
function Streams:ended(stream, tail)
  if self.model.modern then
    return
  end
  if tail and tail ~= "" then
    stream.conn:more(tail)
  end
  self:closed(stream.conn)
  stream.conn:finish()
end

--- Serves a subscription.
---@param conn operator.testing.Connection
---@param request operator.testing.Request
---@param token? string
---@param status_line? string another one than HTTP/1.1 200 OK; the stream is then hijacked in any version
function Streams:open(conn, request, token, status_line)
  local sub, answer = self.model:subscribe(options_of(request, token))
  if not sub then
    return conn:respond(answer.status, answer.headers, answer.body)
  end
  local stream = { conn = conn, sub = sub, request = request, kept = {} }
  self.list[#self.list + 1] = stream
  self.count.total = self.count.total + 1
  self.count.current = #self.list
  if status_line then
    conn:raw(status_line .. "\r\nConnection: close\r\n\r\n")
  else
    conn:start({ ["Content-Type"] = "application/json" }, not self.model.modern)
  end
  sub.ended = function(tail)
    self:ended(stream, tail)
  end
  sub.line = function(text)
    self:deliver(stream, text)
  end
end

--- A connection has ended; its stream, if it had one, is forgotten.
---@param conn operator.testing.Connection
function Streams:closed(conn)
  for i, stream in ipairs(self.list) do
    if stream.conn == conn then
      table.remove(self.list, i)
      stream.sub:close()
      break
    end
  end
  self.count.current = #self.list
end

local acts = {}

function acts.eof(stream, fault)
  if fault.tail then
    stream.conn:more(fault.tail)
  end
  stream.conn:close()
end

function acts.rst(stream)
  stream.conn:reset()
end

function acts.garbage(stream, fault)
  stream.conn:more(fault.text or '%% \0\255 this is not JSON {"Events":\n')
end

function acts.oversized(stream, fault)
  local left = fault.bytes or streams.OVERSIZED
  local head = '{"Index":1,"Events":[],"Padding":"'
  stream.conn:more(head)
  left = left - #head - 2
  while left > 0 do
    stream.conn:more(("x"):rep(math.min(left, PIECE)))
    left = left - PIECE
  end
  stream.conn:more '"}\n'
end

--- Does something to all streams that are open.
---@param fault operator.testing.Fault
function Streams:act(fault)
  for _, stream in ipairs({ table.unpack(self.list) }) do
    acts[fault.name](stream, fault)
  end
end

return streams
