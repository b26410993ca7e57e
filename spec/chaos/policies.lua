-- policies: what runs under chaos: the shipped backup policy, and `twin`, whose owners have several children that are
-- services. Both in versions: other defaults, withdrawn, raising, broken.
local policies = {}

policies.BACKUP, policies.TWIN = "scripts/backup.lua", "twin.lua"
policies.SCRIPTS = { policies.BACKUP, policies.TWIN }

-- What a version of the policies says; `expected.lua` reads it too.
policies.SCHEDULES = { "@daily", "@weekly", "0 3 * * *" }
policies.LEVELS = { "1", "2", "3" }

local TWIN = [[
--- twin: a job with `twin = N` in its meta has N services beside it.
local operator = require "operator"

return operator.policy {
  name = "twin",
  watch = { topic = "Job", where = { Meta = { twin = operator.present } } },
  resync = %s,
  desired = function(job)
    %s
    if job.Stop then
      return {}
    end
    local count = math.tointeger(tonumber(job.Meta.twin))
    if not count then
      operator.fail("twin = " .. job.Meta.twin .. " is no number")
    end
    local list = {}
    for i = 1, count do
      list[i] = {
        ID = ("twin-%%d-%%s"):format(i, job.ID),
        Type = "service",
        Datacenters = job.Datacenters,
        Meta = { level = "%s" },
        TaskGroups = {
          {
            Name = "twin",
            Count = i,
            Tasks = {
              {
                Name = "twin",
                Driver = "raw_exec",
                Config = { command = "/bin/sleep", args = { "3600" } },
                Resources = { CPU = 20, MemoryMB = 16 },
                Env = { LEVEL = "%s", OWNER = job.ID },
              },
            },
          },
        },
      }
    end
    return list
  end,
}
]]

local shipped

local function backup_text()
  if not shipped then
    local file = assert(io.open(policies.BACKUP, "rb"))
    shipped = file:read "a"
    file:close()
  end
  return shipped
end

-- What `desired` begins with.
local WITHDRAWN = "do return {} end"
local RAISES = 'do error "chaos" end'

-- `resync` as the policies say it: a time, false for never, nothing for the usual one.
local function resync_of(version)
  return version.resync == false and "false" or ("%q"):format(version.resync or "10m")
end

local function twin_text(version, first)
  return TWIN:format(resync_of(version), first, version.level, version.level)
end

local function replaced(text, old, new)
  local from, to = text:find(old, 1, true)
  assert(from, old .. " is not in the policy any more")
  return text:sub(1, from - 1) .. new .. text:sub(to + 1)
end

local function backup_version(version)
  local resync = ("resync = %s,"):format(resync_of(version))
  local text = replaced(
    backup_text(),
    'DEFAULT_SCHEDULE = "@daily"',
    ("DEFAULT_SCHEDULE = %q"):format(version.schedule)
  )
  text = replaced(text, 'resync = "10m",', resync)
  return replaced(text, 'name = "backup-hints",', 'name = "backup-hints",\n    ' .. resync)
end

-- The files of a version { schedule =, level =, withdrawn =, raises =, broken =, resync = }.
function policies.files(version)
  local backup = backup_version(version)
  local first = version.withdrawn and WITHDRAWN or version.raises and RAISES or ""
  if first ~= "" then
    backup = replaced(
      backup,
      "local function desired(job, ctx)\n",
      "local function desired(job, ctx)\n  " .. first .. "\n"
    )
  end
  local twin = twin_text(version, first)
  if version.broken == "syntax" then
    backup = backup .. "\nthis is no Lua"
  elseif version.broken == "global" then
    twin = twin:gsub("return operator.policy", "return operatr.policy")
  elseif version.broken == "field" then
    twin = twin:gsub("desired =", "desird =")
  end
  return { [policies.BACKUP] = backup, [policies.TWIN] = twin }
end

function policies.good(version)
  return not (version.broken or version.raises or version.withdrawn)
end

function policies.first()
  return { schedule = "@daily", level = "1" }
end

-- The next version: mostly good ones with other defaults.
function policies.next(dice)
  local version = { schedule = dice:pick(policies.SCHEDULES), level = dice:pick(policies.LEVELS) }
  local kind = dice:weighted {
    { 6, "good" },
    { 3, "broken" },
    { 1, "raises" },
    { 1, "withdrawn" },
  }
  if kind == "broken" then
    version.broken = dice:pick { "syntax", "global", "field" }
  elseif kind ~= "good" then
    version[kind] = true
  end
  return version
end

return policies
