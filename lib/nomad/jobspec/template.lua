--- A job template: HCL or JSON with [[ ]], from which jobs are made.
---
--- How HCL becomes jobs is decided once, by prepare:
---   fill   The placeholders are replaced by tokens (identifiers), Nomad parses that one text, and the values are put
---          into the parsed job. Any number of jobs costs one parse, and a value cannot change the structure.
---   text   Where that is not sound, each rendering is written as HCL, every value escaped for its place, and parsed by
---          itself; what was parsed is kept by its text, within bounds. This is so when there are blocks ([[ if ]] …),
---          when Nomad refuses a token (a number, a duration), or when the HCL computes with strings (functions,
---          conditions, locals), so that the string a token stands in may not be the one that comes out.
--- A JSON template is filled, or written and decoded, in the same two ways, but needs no Nomad.

-- cast and trial are for when Nomad has answered: the start does not wait for them.
local json = require "host.json"
local jobs = require "nomad.jobs"
local hcl = require "nomad.jobspec.hcl"
local jsontext = require "nomad.jobspec.jsontext"
local mould = require "nomad.jobspec.mould"
local refusal = require "nomad.jobspec.refusal"
local source = require "nomad.jobspec.source"
local values = require "nomad.jobspec.values"
local gotemplate = require "template"

local template = {}

--- Parsed texts that are kept, for one template: at most this many, with this many bytes of HCL in all.
local MAX_KEPT = 1024
local MAX_KEPT_BYTES = 8 * 1024 * 1024
--- So many fields a rendering may bring along, beside its values, at no cost.
local MORE_FIELDS = 4

---@class jobspec.Template
---@field name string the file, as it is named in messages
---@field mode? "fill"|"text" nil: not prepared yet
---@field json boolean
---@field private inner template.Template
---@field private prefix string
---@field private namespace? string
---@field private mould? mould.Mould
---@field private made_cast? jobspec.Cast|false false: there is none
---@field private check fun(self, given: table): any[] checks the values, and puts them in order: fills
---@field private fields? string[] what all placeholders name, if each names a field and stands in a string by itself
---@field private typed table<integer, boolean> placeholders outside the strings of a JSON template
---@field private kept table<string, table> parsed by text
---@field private order string[] of kept, oldest first
---@field private bytes integer
local Template = {}
Template.__index = Template
Template.__name = "jobspec.Template"

---@class jobspec.Rendering
---@field template jobspec.Template
---@field values table
---@field overrides? table<string, any>
---@field fills any[] the values of the placeholders, checked
---@field texts? boolean true: they are known to be strings
local Rendering = {}
Rendering.__index = Rendering
Rendering.__name = "jobspec.Rendering"

--- The job as text with gaps that are filled, where it can be had so. Waits nothing.
---@return jobspec.CastJob? nil: it is made as a table, by `resolve`
function Rendering:cast()
  local made = self.template:cast()
  return made and made:fill(self.fills, self.overrides, self.texts)
end

---@param value any
---@return boolean
function template.is_rendering(value)
  return getmetatable(value) == Rendering
end

--- Errors inside are { line=, message= }, or text with its position.
local function raised(self, err)
  if type(err) == "table" and err.code then
    return err
  elseif type(err) == "table" then
    err = ("%s:%d: %s"):format(self.name, err.line or 1, err.message)
  end
  return refusal.error(err)
end

local function new_scanner(self)
  return self.json and jsontext.scanner() or hcl.scanner()
end

---------------------------------------------------------------------------------------------------
-- Tokens.

--- The text with tokens, and where each placeholder stands.
local function tokened(self)
  local out, contexts = source.new(new_scanner(self)), {}
  self.inner:outline(
    function(placeholder)
      contexts[placeholder.index] = out.scanner:context()
      local token = mould.token(self.prefix, placeholder.index)
      if self.json and out.scanner:context() == "bare" then
        token = '"' .. token .. '"'
      end
      out:add_value(token, placeholder)
      return ""
    end,
    nil,
    function(text, line)
      out:add(text, line)
    end
  )
  return out:finish(), contexts
end

--- {"Job": …} is accepted as what it holds.
local function unwrapped(self, job)
  if type(job) == "table" and type(job.Job) == "table" and job.ID == nil then
    job = job.Job
  end
  if type(job) ~= "table" or json.is_array(job) then
    error(('%s:1: a JSON template is an object: a job, or {"Job": …}'):format(self.name), 0)
  end
  return job
end

local function decoded(self, out)
  local job, reason = json.decode(out.text)
  if job == nil then
    local line = out:line_of(tonumber(reason:match("^line (%d+)")) or 1)
    error(("%s:%d: the JSON cannot be read: %s"):format(self.name, line, reason), 0)
  end
  return unwrapped(self, job)
end

--- A JSON template is ready as soon as it is read.
local function prepare_json(self)
  if not self.inner:is_plain() then
    self.mode = "text"
    return
  end
  local out, contexts = tokened(self)
  for index, context in pairs(contexts) do
    self.typed[index] = context == "bare" or nil
  end
  self.mould = mould.new(decoded(self, out), self.prefix, self.typed)
  self.mode = "fill"
end

--- Whether filling this parsed job gives what parsing a rendering would give.
local function fillable(self, made, out, contexts)
  if out.scanner.computes then
    return false
  end
  for _, placeholder in ipairs(self.inner:placeholders()) do
    local index = placeholder.index
    local context = contexts[index]
    if
      context ~= "comment" and not made.found[index]
      or context == "bare" and made.referenced[index]
    then
      return false
    end
  end
  return true
end

---------------------------------------------------------------------------------------------------
-- Rendering.

-- A value by itself.
local function take(self, fills, value, placeholder)
  local index, typed = placeholder.index, self.typed
  values.check(value, placeholder, typed[index] or self.json and self.mode == "text")
  fills[index] = typed[index] and values.literal(value, placeholder) or value
end

-- Each value by itself, where no two of them touch.
local function check_apart(self, given)
  local fills = {}
  self.inner:visit(given, function(value, placeholder)
    take(self, fills, value, placeholder)
  end)
  return fills
end

-- Each value, and what it makes together with its neighbours.
local function check_seams(self, given)
  local fills, last, touching = {}, "", nil
  local function see(text, placeholder)
    if placeholder then
      values.check_seam(last, text, placeholder)
    end
    last = text ~= "" and text:sub(-1) or last
  end
  self.inner:render(given, {
    escape = function(value, placeholder)
      take(self, fills, value, placeholder)
      see(type(value) == "string" and value or "0", placeholder)
      touching = placeholder
      return ""
    end,
    text = function(text)
      see(text, touching)
      touching = nil
    end,
  })
  return fills
end

-- The values as they are, where placeholders only name fields and nobody would evaluate any of them: most are so.
local function plain_texts(self, given)
  return self.fields
    and type(given) == "table"
    and json.texts(given, self.fields, MORE_FIELDS, values.EVALUATED)
end

--- Checks the values, and makes what `resolve` turns into a job. Nothing is asked of Nomad. Raises an error (code
--- "template") for a value that is missing or may not be filled in.
---@param given table the values, by name
---@param overrides? table<string, any> fields of the job, by their JSON names, that replace those of the template
---@return jobspec.Rendering
function Template:render(given, overrides)
  local fills, texts = plain_texts(self, given), true
  if not fills then
    local ok, checked = pcall(self.check, self, given)
    if not ok then
      error(raised(self, checked), 0)
    end
    fills, texts = checked, false
  end
  return setmetatable(
    { template = self, values = given, overrides = overrides, fills = fills, texts = texts },
    Rendering
  )
end

--- The rendering as text, every value escaped for its place. Raises.
---@param given table
---@return jobspec.Source
local function write(self, given)
  local out = source.new(new_scanner(self))
  local written = self.json and values.written_json or values.written
  self.inner:render(given, {
    escape = function(value, placeholder)
      local before = out.scanner:context()
      out:add_value(written(value, placeholder, out.scanner), placeholder)
      if before ~= "bare" and out.scanner:context() ~= before then
        error({
          line = placeholder.line,
          message = values.shown(placeholder)
            .. (": its value would end the %s that it stands in"):format(before),
        }, 0)
      end
      return ""
    end,
    text = function(text, line)
      out:add(text, line)
    end,
  })
  return out:finish()
end

--- The text with its values filled in, each escaped for its place. Nothing is asked of Nomad. Raises as render does.
---@param given table the values, by name
---@return string
function Template:text(given)
  local ok, out = pcall(write, self, given)
  if not ok then
    error(raised(self, out), 0)
  end
  return out.text
end

local function keep(self, text, job)
  if self.kept[text] or #text > MAX_KEPT_BYTES then
    return
  end
  self.kept[text] = job
  self.order[#self.order + 1] = text
  self.bytes = self.bytes + #text
  while #self.order > MAX_KEPT or self.bytes > MAX_KEPT_BYTES do
    local oldest = table.remove(self.order, 1)
    self.kept[oldest], self.bytes = nil, self.bytes - #oldest
  end
end

--- A job by parsing the rendering's text.
local function resolve_text(self, rendering)
  local ok, out = pcall(write, self, rendering.values)
  if not ok then
    return nil, raised(self, out)
  elseif self.json then
    local read, job = pcall(decoded, self, out)
    if not read then
      return nil, raised(self, job)
    end
    return job
  end
  local kept = self.kept[out.text]
  if kept then
    return mould.copy(kept)
  end
  local job, err = jobs.parse(out.text, self.namespace)
  if not job then
    local placeholders = self.inner:placeholders()
    return nil,
      refusal.is(err) and refusal.of(self.name, err, out, self.prefix, placeholders) or err
  end
  keep(self, out.text, job)
  return mould.copy(job)
end

local function resolve_fill(self, rendering, shared)
  local ok, job = pcall(self.mould.fill, self.mould, rendering.fills, shared)
  if not ok then
    return nil, raised(self, job)
  end
  return job
end

--- The text of the template's jobs with gaps for the values. Waits nothing.
---@return jobspec.Cast? nil: jobs of this template are made as tables, or it is not prepared yet
function Template:cast()
  if self.made_cast == nil and self.mode then
    self.made_cast = self.mode == "fill" and require("nomad.jobspec.cast").new(self.mould) or false
  end
  return self.made_cast or nil
end

--- The job of a rendering. Waits where Nomad has to parse.
---@async
---@param rendering jobspec.Rendering
---@param shared? boolean who asks changes nothing below the job's own fields: parts of it may be the template's
---@return table? job new, else shared with nobody
---@return host.nomad.Error?
function Template:resolve(rendering, shared)
  if not self.mode then
    local ok, err = self:prepare()
    if not ok then
      return nil, err
    end
  end
  local resolve = self.mode == "fill" and resolve_fill or resolve_text
  local job, err = resolve(self, rendering, shared)
  if not job then
    return nil, err
  end
  for name, value in pairs(rendering.overrides or {}) do
    job[name] = mould.copy(value)
  end
  return job
end

---------------------------------------------------------------------------------------------------

--- Lets Nomad read the template, once, and decides how renderings become jobs. Waits.
---@async
---@return true?
---@return host.nomad.Error? err code "template": the HCL is refused, "file:line: …"; otherwise as err.retryable says
function Template:prepare()
  if self.mode then
    return true
  elseif self.inner:is_plain() then
    local out, contexts = tokened(self)
    local job, err = jobs.parse(out.text, self.namespace)
    if job then
      local made = mould.new(job, self.prefix)
      local sound = fillable(self, made, out, contexts)
      self.mould, self.mode = sound and made or nil, sound and "fill" or "text"
      return true
    elseif not refusal.is(err) then
      return nil, err
    end
  end
  local accepted, err = require("nomad.jobspec.trial").run(self.inner, self.prefix, self.namespace)
  if not accepted then
    return nil, err
  end
  self.mode = "text"
  return true
end

--- The text that prepare lets Nomad parse: a fixture of the model is found by it.
---@return string
function Template:token_text()
  return (tokened(self)).text
end

---@return template.Placeholder[]
function Template:placeholders()
  return self.inner:placeholders()
end

--- Raises "file:line: …".
---@param text string
---@param name string the file, for messages
---@param namespace? string in which Nomad is asked to parse
---@return jobspec.Template
function template.new(text, name, namespace)
  local inner, err = gotemplate.compile(text, name)
  if not inner then
    error(err, 0)
  end
  local self = setmetatable({
    name = name,
    inner = inner,
    prefix = mould.prefix(text),
    namespace = namespace,
    json = false,
    typed = {},
    kept = {},
    order = {},
    bytes = 0,
  }, Template)
  -- What it begins with needs no scanner.
  local plain = inner:outline(function(placeholder)
    return mould.token(self.prefix, placeholder.index)
  end)
  self.json = plain:find("^%s*{") ~= nil
  if self.json then
    prepare_json(self)
  end
  -- Where they are apart, what stands around a value can make nothing harmful of it.
  local apart = inner:is_apart()
  self.fields = apart and next(self.typed) == nil and inner:fields() or nil
  self.check = apart and check_apart or check_seams
  return self
end

return template
