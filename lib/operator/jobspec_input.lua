--- jobspec_input: reads the files of the jobspec commands: JSON, wrapped in {"Job": …} or bare, or HCL, which a Nomad
--- parses. Whatever else a file is, is told in a sentence that names it.

local host = require "host"
local jobs = require "nomad.jobs"
local json = require "host.json"
local nearest = require "operator.nearest"
local agent = require "nomad.agent"

local input = {}

--- Beside the job these may stand in what is sent to /v1/jobs, /v1/validate/job and plan.
local REQUEST = {
  job = true,
  enforceindex = true,
  jobmodifyindex = true,
  policyoverride = true,
  preservecounts = true,
  preserveresources = true,
  evalpriority = true,
  submission = true,
  diff = true,
  region = true,
  namespace = true,
  secretid = true,
}

local EXPECTED = 'expected a job, bare or in {"Job": …}'

---@class operator.jobspec.Input
---@field name string of the file, for messages
---@field job table
---@field wrapped boolean
---@field hcl boolean it was written in HCL

local function read(path)
  if path == "-" then
    return host.read_input()
  end
  return host.read_file(path)
end

--- How the file is called in messages.
---@param path string
---@return string
function input.name(path)
  return path == "-" and "standard input" or path
end

--- The text of a file, or of standard input for "-".
---@param path string
---@return string? text
---@return string? error a sentence that names the file
function input.text(path)
  local text, err = read(path)
  if not text then
    return nil, err
  elseif not text:find("%S") then
    return nil, ("%s: it is empty; %s"):format(input.name(path), EXPECTED)
  end
  return text
end

local function is_json(text)
  return text:find('^[%s\xEF\xBB\xBF]*[%[{"]') ~= nil
end

local function is_hcl(path, text)
  if is_json(text) then
    return false
  end
  return path:find("%.hcl$") ~= nil
    or path:find("%.nomad$") ~= nil
    or ("\n" .. text):find('\n%s*job%s+["%w][^\n]*{') ~= nil
end

local function kind(value)
  if value == json.null then
    return "null"
  elseif type(value) ~= "table" then
    return "a " .. type(value)
  end
  return json.is_array(value) and "a list" or "an object"
end

-- The value behind a key, written in whatever case: its name, and it.
local function job_of(value)
  for key, item in pairs(value) do
    if type(key) == "string" and key:lower() == "job" then
      return key, item
    end
  end
end

-- What is wrong with an object that has a job in it.
local function check_wrapped(value, key, job)
  if kind(job) ~= "an object" then
    return ("%s is %s, %s"):format(key, kind(job), EXPECTED)
  end
  for name in pairs(value) do
    if not REQUEST[name:lower()] then
      return ("%q stands beside %s, where nothing like it belongs; %s"):format(name, key, EXPECTED)
    end
  end
end

-- What is wrong with an object that should be a job.
local function check_bare(value)
  local fields = require("nomad.jobspec.schema").objects.Job.by_name
  local first
  for name in pairs(value) do
    if fields[name:lower()] then
      return nil
    end
    first = (not first or name < first) and name or first
  end
  if not first then
    return "the object is empty; " .. EXPECTED
  end
  local names = {}
  for _, field in pairs(fields) do
    names[#names + 1] = field.name
  end
  local hint = nearest.hint(first, names)
  return ("no field of it is a job's, as %q%s; %s"):format(first, hint, EXPECTED)
end

local function from_json(path, text)
  local name = input.name(path)
  local value, err = json.decode((text:gsub("^\xEF\xBB\xBF", "")), { nulls = true })
  if err then
    if err:find("expected the end of the text", 1, true) then
      err = err .. "; one file holds one job"
    end
    return nil, ("%s: this is no JSON: %s"):format(name, err)
  elseif kind(value) ~= "an object" then
    return nil, ("%s: this is %s, %s"):format(name, kind(value), EXPECTED)
  end
  local key, job = job_of(value)
  local wrong
  if key then
    wrong = check_wrapped(value, key, job)
  else
    wrong = check_bare(value)
  end
  if wrong then
    return nil, ("%s: %s"):format(name, wrong)
  end
  return { name = name, job = key and job or value, wrapped = key ~= nil, hcl = false }
end

-- Nomad's words about HCL, with the file's own name.
local function refused(name, err)
  local text = (err.body or ""):match("input%.hcl:.*")
  if not text then
    return ("%s: the Nomad at %s does not take it: %s"):format(
      name,
      host.options.address,
      tostring(err)
    )
  end
  text = text:gsub("input%.hcl:(%d+)[%d,%-]*", "line %1"):gsub("%s*\n%s*", "; ")
  return ("%s: %s"):format(name, (text:gsub("[;%s]+$", "")))
end

local function from_hcl(path, text)
  local name = input.name(path)
  local job, err = jobs.parse(text, host.options.namespaces[1])
  if job then
    return { name = name, job = job, wrapped = false, hcl = true }
  elseif err.status then
    return nil, refused(name, err)
  end
  return nil,
    ("%s: this is HCL, which a Nomad has to parse, and none does: %s. JSON needs none"):format(
      name,
      (tostring(err):gsub("%.$", ""))
    )
end

--- Reads a job.
---@async
---@param path string "-" is standard input
---@return operator.jobspec.Input?
---@return string? error a sentence that names the file
function input.job(path)
  local text, err = input.text(path)
  if not text then
    return nil, err
  elseif is_hcl(path, text) then
    return from_hcl(path, text)
  elseif not is_json(text) then
    local name = input.name(path)
    local _, why = json.decode(text)
    return nil,
      ('%s: this is neither JSON (%s) nor HCL (no line begins with job "…" {)'):format(
        name,
        why or "it is no object"
      )
  end
  return from_json(path, text)
end

--- The version that -nomad says, asked from the server where it says "server".
---@async
---@return string? version nil: none was said, or an error
---@return string? error
function input.version()
  local said = host.options.nomad
  if said == nil then
    return nil
  elseif said ~= "server" then
    if not require("nomad.jobspec.version").is(said) then
      return nil,
        ('-nomad: "%s" is no version of Nomad; expected one like "1.11.3", or server'):format(said)
    end
    return said
  end
  local version, err = agent.version()
  if not version then
    return nil,
      ("-nomad=server: the Nomad at %s does not say its version: %s"):format(
        host.options.address,
        tostring(err)
      )
  end
  return version
end

return input
