-- What specs of the reconcile core register in a world, and how they look at what came of it.
local json = require "host.json"

local looks = {}

--- A service job; `meta` and `fields` are laid over it.
---@param id string
---@param meta? table<string, string>
---@param fields? table
---@return table
function looks.source(id, meta, fields)
  local job = {
    ID = id,
    Type = "service",
    Datacenters = { "dc1" },
    Meta = { ["auto-backup"] = "true" },
    TaskGroups = {
      {
        Name = "g",
        Tasks = { { Name = "t", Driver = "raw_exec", Config = { command = "sleep" } } },
      },
    },
  }
  for name, value in pairs(meta or {}) do
    job.Meta[name] = value
  end
  for name, value in pairs(fields or {}) do
    job[name] = value
  end
  return job
end

--- The live job; nil where it is not there or stopped.
---@return table?
function looks.alive(world, id, namespace)
  local job = world.nomad:job(namespace or "default", id)
  return job and not job.Stop and job or nil
end

--- How many jobs whose ID matches are not stopped.
---@return integer
function looks.count_alive(world, pattern)
  local count = 0
  for _, stub in ipairs(json.decode(world.nomad:http({ path = "/v1/jobs", inside = true }).body)) do
    if stub.ID:find(pattern) and not stub.Stop then
      count = count + 1
    end
  end
  return count
end

--- All that was said: records, then the transcript.
---@return string
function looks.said(world)
  return world:log_text() .. "\n" .. world:blocks()
end

--- How many times a piece stands in a text.
---@return integer
function looks.times(text, piece)
  local count, at = 0, 1
  while true do
    local first, last = text:find(piece, at, true)
    if not first then
      return count
    end
    count, at = count + 1, last + 1
  end
end

return looks
