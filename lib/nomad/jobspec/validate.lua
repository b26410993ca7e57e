--- Whether Nomad would take a job: every rule of the server that needs no knowledge of the cluster, before anything is
--- sent. All problems at once, each with its path.

local validate = {}

---@class jobspec.validate.Options
---@field nomad? string the server's version, "1.11.3": fields that it does not know are errors; on a server newer than
---  the schema, unknown fields are warnings
---@field lenient? boolean unknown fields are warnings
---@field floats? boolean 30.0 is taken for the integer 30, which host.json writes for it
---@field enterprise? boolean what only Nomad Enterprise takes is no error

--- Asks the rules, and hands back the job that they saw; nil: they found nothing. A table that a Lua program put into
--- two places of the job has no one path: where there are problems to tell, each place gets its own.
local function ask(r, clean, opts)
  local places = require "nomad.jobspec.validate.places"
  local rules = require "nomad.jobspec.validate.job"
  local before = r:count()
  rules.check(r, clean, opts)
  if r:count() == before then
    return nil
  elseif select(2, places.of(clean)) then
    r:forget(before)
    clean = places.apart(clean)
    rules.check(r, clean, opts)
  end
  return clean
end

--- The problems of a job; none: it is valid. The job is not changed. Errors are returned, never raised, whatever the
--- job is. Two differences from the server's own answer are on purpose: unknown fields are refused (the server drops
--- them in silence), and durations may be written as "30s".
---@param job any a job in JSON's names, without the {"Job": …} around it
---@param opts? jobspec.validate.Options
---@return jobspec.Problem[] in the order of the schema
---@return table? clean the job as Nomad would read it, names in their case and durations as numbers: the very job where
---  nothing had to be mended; nil where it is no object
function validate.job(job, opts)
  local report = require "nomad.jobspec.validate.report"
  local shape = require "nomad.jobspec.validate.shape"
  opts = opts or {}
  local r = report.new()
  local clean = shape.check(r, job, opts)
  local seen = clean and ask(r, clean, opts)
  return r:list(seen), clean
end

return validate
