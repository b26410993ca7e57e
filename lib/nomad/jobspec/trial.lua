--- Finds out at load whether a template is good HCL although its values are not known yet.
---
--- Each placeholder gets a sample. Where Nomad refuses a line, the placeholders of that line get their next sample:
--- first the token, then what a number, a duration, a boolean look like. Blocks ([[ if ]] …) are tried all open, all
--- shut, and each alone open. The template is refused only when that is certain: when every trial ends at an error on a
--- line that is always there and that no value could mend. In doubt it is accepted: each rendering is parsed anyway.

local jobs = require "nomad.jobs"
local hcl = require "nomad.jobspec.hcl"
local mould = require "nomad.jobspec.mould"
local refusal = require "nomad.jobspec.refusal"
local source = require "nomad.jobspec.source"

local trial = {}

--- Bounds of a trial: texts that are parsed for one template, and blocks that are opened alone.
local MAX_PARSES = 24
local MAX_ALONE = 8

local IN_STRING = { "1", "30s", "true", "1.5" }
local BARE = { "1", '"30s"', "true", '["x"]', '"x"' }

---@class trial.State
---@field template template.Template
---@field prefix string
---@field namespace? string
---@field parses integer
---@field samples integer[] by placeholder: 0 is the token

local function candidates(context)
  return (context == "bare" or context == "interpolation") and BARE or IN_STRING
end

--- The text with the samples as they are now.
---@return jobspec.Source source, table<integer, hcl.Context> contexts
local function write(state, choose)
  local out, contexts = source.new(hcl.scanner()), {}
  state.template:outline(function(placeholder)
    local index = placeholder.index
    local context = out.scanner:context()
    contexts[index] = context
    local text = candidates(context)[state.samples[index]]
      or mould.token(state.prefix, index)
    out:add_value(text, placeholder)
    return ""
  end, choose, function(text, line)
    out:add(text, line)
  end)
  return out:finish(), contexts
end

--- The lines of the template that an error names.
local function lines_of(err, out)
  local named = {}
  for _, range in ipairs(refusal.ranges(err.body or "")) do
    for line = range.first, range.last do
      named[out:line_of(line)] = true
    end
  end
  return named
end

--- Gives the placeholders of the named lines their next sample. Says whether there was one.
local function advance(state, named, contexts)
  local moved = false
  for _, placeholder in ipairs(state.template:placeholders()) do
    local index = placeholder.index
    local context = contexts[index]
    if context and named[placeholder.line] and state.samples[index] < #candidates(context) then
      state.samples[index] = state.samples[index] + 1
      moved = true
    end
  end
  return moved
end

--- Whether a value could mend these lines, so that their error proves nothing.
local function mendable(state, named, out, contexts)
  for _, placeholder in ipairs(state.template:placeholders()) do
    local context = contexts[placeholder.index]
    local code = placeholder.raw and (context == "bare" or context == "interpolation")
    if named[placeholder.line] and (code or out.scanner.computes) then
      return true
    end
  end
  return next(named) == nil
end

--- Parses until the text is taken, or no sample is left for what is refused.
---@return "good"|"bad"|"unsure" verdict
---@return host.nomad.Error? err
---@return table<integer, boolean>? named
local function attempt(state, choose)
  for i in ipairs(state.template:placeholders()) do
    state.samples[i] = 0
  end
  while state.parses < MAX_PARSES do
    state.parses = state.parses + 1
    local out, contexts = write(state, choose)
    local job, err = jobs.parse(out.text, state.namespace)
    if job then
      return "good"
    elseif not refusal.is(err) then
      return "unsure", err
    end
    local named = lines_of(err, out)
    if not advance(state, named, contexts) then
      local placeholders = state.template:placeholders()
      local told = refusal.of(state.template.name, err, out, state.prefix, placeholders)
      return mendable(state, named, out, contexts) and "unsure" or "bad", told, named
    end
  end
  return "unsure"
end

--- The same sample for all placeholders: for an error that is reported elsewhere than the placeholder stands.
---@return boolean taken
local function sweep(state, choose)
  for sample = 1, #BARE do
    for i in ipairs(state.template:placeholders()) do
      state.samples[i] = sample
    end
    if jobs.parse(write(state, choose).text, state.namespace) then
      return true
    end
  end
  return false
end

--- Ways to open the blocks.
local function choices(template)
  local blocks = template:blocks()
  local function all(open)
    return function()
      return open
    end
  end
  if #blocks == 0 then
    return { all(true) }
  end
  local list = { all(true), all(false) }
  for i = 1, math.min(#blocks, MAX_ALONE) do
    list[#list + 1] = function(node)
      return node == blocks[i]
    end
  end
  return list
end

local function last_line(nodes)
  local last = 0
  for _, node in ipairs(nodes or {}) do
    local ends = node.line + select(2, (node.text or ""):gsub("\n", ""))
    last = math.max(last, ends, last_line(node.body), last_line(node.otherwise))
  end
  return last
end

--- The lines that are not always there.
local function optional_lines(template)
  local lines = {}
  for _, block in ipairs(template:blocks()) do
    for line = block.line, last_line({ block }) do
      lines[line] = true
    end
  end
  return lines
end

local function any_of(named, lines)
  for line in pairs(named) do
    if lines[line] then
      return true
    end
  end
  return false
end

--- Tries the template. Waits.
---@async
---@param template template.Template
---@param prefix string of the tokens
---@param namespace? string
---@return true? accepted
---@return host.nomad.Error? err refused (code "template"), or trouble on the way
function trial.run(template, prefix, namespace)
  local state = {
    template = template, prefix = prefix, namespace = namespace, parses = 0, samples = {},
  }
  local optional, first = optional_lines(template), nil
  for _, choose in ipairs(choices(template)) do
    local verdict, err, named = attempt(state, choose)
    if err and err.code ~= "template" then
      return nil, err
    elseif verdict ~= "bad" or any_of(named, optional) then
      return true
    end
    first = first or err
  end
  if #template:placeholders() > 0 and sweep(state, choices(template)[1]) then
    return true
  end
  return nil, first
end

return trial
