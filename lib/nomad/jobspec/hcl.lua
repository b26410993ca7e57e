--- Looks at HCL while it is being written: is what comes next inside a string, a heredoc, a comment, or bare? And does
--- the text compute (functions, conditions, locals), so that a string may not come out as it stands there?
---
--- It is fed the text in pieces, and it can be asked between them. So it sees what Nomad will see, whatever the
--- template's blocks did, and a value can be escaped for the very place where it goes.

local hcl = {}

---@alias hcl.Context "bare"|"string"|"heredoc"|"comment"|"interpolation"

---@class hcl.Scanner
---@field computes boolean seen so far: something that makes a string come out as something else
---@field private mode "bare"|"string"|"heredoc"|"line"|"block"
---@field private stack { mode: string, depth: integer, marker: string? }[] strings around a ${ … }
---@field private depth integer open braces in a ${ … }
---@field private marker? string of the heredoc
---@field private held string the end of the last piece that could not be read alone
---@field private expression string what the innermost ${ … } has said so far
---@field private last string the last sign of bare text that is no white space
local Scanner = {}
Scanner.__index = Scanner

--- Outside strings these make an expression that is computed; HCL blocks, lists and objects need none of them.
local COMPUTING = "[%(%)%?!&|<>%+%*%%]"
--- A block of these keeps strings for elsewhere.
local KEEPING = { locals = true, variable = true, dynamic = true, ["for"] = true, ["if"] = true }

---@return hcl.Scanner
function hcl.scanner()
  return setmetatable({
    computes = false, mode = "bare", stack = {}, depth = 0, held = "", expression = "",
    last = "",
  }, Scanner)
end

--- Where the next byte will be.
---@return hcl.Context
function Scanner:context()
  if self.mode == "line" or self.mode == "block" then
    return "comment"
  elseif #self.stack > 0 and self.mode == "bare" then
    return "interpolation"
  end
  return self.mode --[[@as hcl.Context]]
end

--- In bare text: a value comes next (after =, in a list …), not a label or a key.
---@return boolean
function Scanner:expects_value()
  return self.held ~= "" or self.last:find("[=%[,:%(%?]") ~= nil
end

--- The next byte would be the second half of an escape.
---@return boolean
function Scanner:after_backslash()
  return self.mode == "string" and self.held == "\\"
end

local function open_interpolation(self)
  self.stack[#self.stack + 1] = { mode = self.mode, depth = self.depth, marker = self.marker }
  self.mode, self.depth, self.expression = "bare", 0, ""
end

--- An expression that is only a name (${attr.kernel.name}, ${NOMAD_TASK_DIR}) is left alone by Nomad's parser, unless
--- it is one of HCL's own (${local.x}), and these need blocks that KEEPING notices.
local function close_interpolation(self)
  local outer = table.remove(self.stack)
  if not self.expression:find("^%s*[%w_.%-%[%]\"]*%s*$") then
    self.computes = true
  end
  self.mode, self.depth, self.marker = outer.mode, outer.depth, outer.marker
end

-- Each reader below returns where to go on, or nil and where the undecided end of the piece begins: what that end means
-- depends on the next piece.

--- In a string or heredoc, `at` is at a $ or %.
local function read_dollar(self, text, at)
  local sign = text:sub(at, at)
  if text:find("^[$%%][$%%]?$", at) then
    return nil, at
  elseif text:sub(at + 1, at + 1) == sign and text:sub(at + 2, at + 2) == "{" then
    return at + 3
  elseif text:sub(at + 1, at + 1) == "{" then
    if sign == "%" then
      self.computes = true
    end
    open_interpolation(self)
    return at + 2
  end
  return at + 1
end

local function read_string(self, text, at)
  local stop = text:find('["\\$%%\n]', at)
  local sign = stop and text:sub(stop, stop)
  if not stop then
    return #text + 1
  elseif sign == "\\" then
    if stop == #text then
      return nil, stop
    end
    return stop + 2
  elseif sign == "$" or sign == "%" then
    return read_dollar(self, text, stop)
  end
  -- A newline ends the string too: it is an error, and Nomad will say so.
  self.mode = "bare"
  return stop + 1
end

--- The closing word stands on a line of its own.
local function read_heredoc(self, text, at)
  local stop = text:find("[$%%\n]", at)
  if not stop then
    return #text + 1
  elseif text:sub(stop, stop) ~= "\n" then
    return read_dollar(self, text, stop)
  elseif text:find("^[ \t]*[%w_%-]*[ \t]*\r?$", stop + 1) then
    return nil, stop
  end
  local word, after = text:match("^[ \t]*([%w_%-]+)()[ \t]*\r?\n", stop + 1)
  if word == self.marker then
    self.mode, self.marker = "bare", nil
    return after
  end
  return stop + 1
end

local function read_comment(self, text, at)
  local pattern = self.mode == "line" and "\n()" or "%*/()"
  local after = text:match(pattern, at)
  if after then
    self.mode = "bare"
    return after
  elseif self.mode == "block" and text:sub(-1) == "*" then
    return nil, #text
  end
  return #text + 1
end

local function bare_brace(self, sign)
  if sign == "{" then
    self.depth = self.depth + 1
  elseif self.depth > 0 then
    self.depth = self.depth - 1
  elseif #self.stack > 0 then
    close_interpolation(self)
    return
  end
  self.expression = self.expression .. sign
end

local function open_comment(self, text, at)
  local mode = text:find("^/%*", at) and "block"
    or (text:find("^#", at) or text:find("^//", at)) and "line"
  if mode then
    self.mode = mode
    return at + (mode == "block" and 2 or 1)
  end
end

local function read_sign(self, text, at)
  local sign = text:sub(at, at)
  self.last = sign:find("%s") and self.last or sign
  if sign == '"' then
    -- The string's own text is not looked at: what stands around it is the expression.
    self.mode, self.expression = "string", self.expression .. sign
  elseif sign == "{" or sign == "}" then
    bare_brace(self, sign)
  else
    self.computes = self.computes or sign == "/" or sign:find(COMPUTING) ~= nil
      or text:find("^==", at) ~= nil
    self.expression = self.expression .. sign
  end
  return at + 1
end

local function read_bare(self, text, at)
  local word, after = text:match("^([%a_][%w_%-]*)()", at)
  if after == #text + 1 then
    return nil, at
  elseif word then
    self.computes = self.computes or KEEPING[word] or false
    self.expression, self.last = self.expression .. word, word
    return after
  elseif text:find("^<<?%-?[%w_%-]*\r?$", at) or text:find("^[/=]$", at) then
    return nil, at
  end
  local marker
  marker, after = text:match("^<<%-?([%w_%-]+)\r?()", at)
  if marker then
    self.mode, self.marker = "heredoc", marker
    return after
  end
  return open_comment(self, text, at) or read_sign(self, text, at)
end

local READERS = {
  bare = read_bare, string = read_string, heredoc = read_heredoc, line = read_comment,
  block = read_comment,
}

--- More text.
---@param text string
function Scanner:feed(text)
  text = self.held .. text
  self.held = ""
  local at = 1
  while at <= #text do
    local after, undecided = READERS[self.mode](self, text, at)
    if not after then
      self.held = text:sub(undecided)
      return
    end
    at = after
  end
end

return hcl
