--- What Nomad says about HCL that it refuses, told in terms of the template: its file, its lines, its placeholders.

local nomad = require "nomad"
local mould = require "nomad.jobspec.mould"
local values = require "nomad.jobspec.values"

local refusal = {}

--- A message is cut here.
local MAX_MESSAGE = 1000

--- The lines of the text that the diagnostics name: "input.hcl:3,5-8: …" or "input.hcl:3,5-4,1: …".
---@param body string
---@return { first: integer, last: integer }[]
function refusal.ranges(body)
  local ranges = {}
  for line in body:gmatch("[^\n]+") do
    local first, last = line:match("^input%.hcl:(%d+),%d+%-(%d+),%d+:")
    first = first or line:match("input%.hcl:(%d+),")
    if first then
      ranges[#ranges + 1] = { first = tonumber(first), last = tonumber(last or first) }
    end
  end
  return ranges
end

local function readable(body, source, prefix, placeholders)
  local text = body:match("input%.hcl:.*") or body
  text = text:gsub(prefix .. "(%d%d%d%d)x", function(index)
    local placeholder = placeholders[tonumber(index)]
    return placeholder and values.shown(placeholder)
  end)
  local first = text:match("^input%.hcl:(%d+)")
  -- The first position stands in front of the whole message, in our words.
  text = text:gsub("^input%.hcl:[%d,%-]+:%s*", ""):gsub("input%.hcl:(%d+)[%d,%-]*", function(line)
    return "line " .. source:line_of(tonumber(line))
  end)
  text = text:gsub("%s*\n%s*", "; ")
  if #text > MAX_MESSAGE then
    text = text:sub(1, MAX_MESSAGE) .. "…"
  end
  return first and source:line_of(tonumber(first)) or 1, text
end

--- An error about the template itself: no repetition helps.
---@param message string "file:line: …"
---@param body? string what Nomad said
---@return host.nomad.Error
function refusal.error(message, body)
  return nomad.error {
    code = "template", message = message, retryable = false, request = "POST /v1/jobs/parse",
    body = body,
  }
end

---@param name string of the template
---@param err host.nomad.Error a 400 of /v1/jobs/parse
---@param source jobspec.Source what was sent
---@param prefix string of the tokens in it
---@param placeholders template.Placeholder[]
---@return host.nomad.Error
function refusal.of(name, err, source, prefix, placeholders)
  local body = err.body or err.message
  local line, text = readable(body, source, prefix, placeholders)
  return refusal.error(("%s:%d: %s"):format(name, line, text), body)
end

--- Whether the error is Nomad's judgement on the HCL, not trouble on the way.
---@param err host.nomad.Error
---@return boolean
function refusal.is(err)
  return err.status == 400
end

refusal.token = mould.token

return refusal
