--- The JSON job specification: making jobs from templates. `local jobspec = require "nomad.jobspec"`.

local host = require "host"
local template = require "nomad.jobspec.template"

local jobspec = {}

--- The list that new templates are put in while `collect` runs.
local collected

--- The directory of the script that calls, with its slash.
local function directory_of_caller(level)
  local info = debug.getinfo(level + 1, "S")
  local path = info and info.source:match("^@(.*)$")
  return path and path:match("^(.*[/:])[^/:]*$") or ""
end

--- Reads a job template that lies beside the calling script: HCL or JSON with placeholders, [[ .JobID ]]. Raises
--- "file:line: …" when the file is missing or the [[ ]] in it are wrong.
---@param file string "backup.nomad.hcl"
---@return jobspec.Template
function jobspec.template(file)
  if type(file) ~= "string" or file == "" then
    error("jobspec.template takes the name of a file beside the script", 2)
  end
  local path = file:sub(1, 1) == "/" and file or directory_of_caller(2) .. file
  local text, err = host.read_file(path)
  if not text then
    error(("the template cannot be read: %s"):format(err), 2)
  end
  local made = template.new(text, path, host.options.namespaces[1])
  if collected then
    collected[#collected + 1] = made
  end
  return made
end

--- What is wrong with a job, as far as that can be known without the cluster; nothing: it is valid. See
--- nomad.jobspec.validate, which is read in only when this is called first.
---@param job any a job in JSON's names
---@param opts? jobspec.validate.Options
---@return jobspec.Problem[]
function jobspec.validate(job, opts)
  return require("nomad.jobspec.validate").job(job, opts)
end

--- The job as a server returns it after it was registered: every field is there, defaults are filled in, what the job
--- implies (constraints, sidecar tasks, identities) is added; without what the server makes by itself (indexes,
--- version, status). null is json.null there. Raises a sentence that names the path of a value that Nomad could not
--- decode.
---@param job table in JSON's names, without regard to case; is not changed
---@param options? jobspec.CanonicalOptions
---@return table
function jobspec.canonicalize(job, options)
  return require("nomad.jobspec.canonicalize").canonicalize(job, options)
end

--- Makes a job, in JSON's names, of tables laid over each other; see nomad.jobspec.build. Fields may have their names
--- in JSON (MemoryMB) or in HCL (memory), blocks may be lists or maps by their label, durations "30s". Raises for a
--- field that there is not, with its path and the nearest name.
---@param ... jobspec.build.Job are not changed
---@return jobspec.Job
function jobspec.job(...)
  return require("nomad.jobspec.build").job(...)
end

--- A copy of a job with patches, written as for jobspec.job, laid over it: what has a name (groups, tasks, services,
--- ports …) is merged by that, other lists are replaced, json.null deletes. Raises as jobspec.job does.
---@param job jobspec.Job is not changed
---@param ... jobspec.build.Job
---@return jobspec.Job
function jobspec.patch(job, ...)
  return require("nomad.jobspec.build").patch(job, ...)
end

--- What is different between two jobs: by name for groups, tasks and services. The text of it for people is
--- nomad.jobspec.difftext's.
---@param old table
---@param new table
---@param options? jobspec.DiffOptions
---@return jobspec.Change[]
function jobspec.diff(old, new, options)
  return require("nomad.jobspec.diff").jobs(old, new, options)
end

--- Whether a value is what template:render returned.
---@param value any
---@return boolean
function jobspec.is_rendering(value)
  return template.is_rendering(value)
end

local function finish(templates, outer, ok, ...)
  collected = outer
  if not ok then
    error(..., 0)
  end
  return templates, ...
end

--- Calls a function, and returns the templates that were made meanwhile, then what the function returned.
---@param fn fun(...): any
---@return jobspec.Template[]
---@return any ...
function jobspec.collect(fn, ...)
  local outer, templates = collected, {}
  collected = templates
  return finish(templates, outer, pcall(fn, ...))
end

return jobspec
