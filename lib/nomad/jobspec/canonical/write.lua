--- write: the job as the server's JSON has it: every field of its structures is there, null where Go has a nil
--- pointer, list or map, else its zero value. What differs between the structures of the API (the schema) and those of
--- the server is in the tables below.

local json = require "host.json"
local kinds = require "nomad.jobspec.kinds"
local schema = require "nomad.jobspec.schema"
local version = require "nomad.jobspec.version"

local write = {}

local function set(text)
  local result = {}
  for name in text:gmatch("%S+") do
    result[name] = true
  end
  return result
end

--- Pointers to scalars: null when they are not set.
local POINTER = set [[
  TaskGroup.ShutdownDelay TaskGroup.StopAfterClientDisconnect TaskGroup.MaxClientDisconnect
  TaskGroup.MaxRunDuration ConsulGatewayProxy.ConnectTimeout ConsulIngressService.MaxConnections
  ConsulIngressService.MaxPendingRequests ConsulIngressService.MaxConcurrentRequests
  DisconnectStrategy.StopOnClientAfter DisconnectStrategy.Replace SidecarTask.KillTimeout
  SidecarTask.ShutdownDelay Template.Uid Template.Gid WaitConfig.Min WaitConfig.Max
]]
--- In the API only.
local API_ONLY = set [[
  Job.Reschedule Job.Migrate LogConfig.Enabled ServiceCheck.Advertise Service.CheckRestart
  ConsulGatewayBindAddress.Name ScalingPolicy.Namespace ConsulExposeConfig.Path
  ConsulProxy.ExposeConfig
]]
--- Made by the server, and another time by another server: no part of the canonical form.
local RUNTIME = set [[
  Job.Status Job.StatusDescription Job.Stable Job.Version Job.SubmitTime Job.CreateIndex
  Job.ModifyIndex Job.JobModifyIndex ScalingPolicy.ID ScalingPolicy.CreateIndex
  ScalingPolicy.ModifyIndex
]]
--- Structures that are never null.
local EMBEDDED = set "Job.Update ConsulUpstream.MeshGateway"
local OMIT_EMPTY = set "NetworkResource.Hostname"
--- Objects whose zero values are all left out, since this version.
local SPARSE = { NetworkResource = "1.9.0", Port = "1.9.0" }
local RENAMED = { ["JobUILink.URL"] = "Url" }
--- Fields that went: since this version they are no longer there.
local UNTIL = {
  ["Vault.Policies"] = "1.10.0",
  ["Job.ConsulToken"] = "1.10.0",
  ["Job.VaultToken"] = "1.10.0",
}
--- Fields of the server alone.
local SERVER = {
  Service = { { name = "Namespace", type = "string" } },
  Job = { { name = "ConsulToken", type = "string" }, { name = "VaultToken", type = "string" } },
}
--- Before these fields were in the API, the server's JSON had them under the names of the API's old ones.
local OLD_NAMES = { ["ConsulProxy.Expose"] = "ExposeConfig", ["ConsulExposeConfig.Paths"] = "Path" }

local ZERO = { string = "", int = 0, uint = 0, float = 0, duration = 0, bool = false }

---@class jobspec.FormField
---@field name string
---@field out string its name in the server's JSON
---@field zero any
---@field object? string
---@field embedded? boolean
---@field list? boolean
---@field map? boolean
---@field optional? boolean left out when it is empty

-- Is it in the server's structure of that version? And is it so under an older name?
local function is_there(id, field, nomad)
  if field.hcl_only or API_ONLY[id] or RUNTIME[id] then
    return false
  elseif UNTIL[id] and version.at_least(nomad, UNTIL[id]) then
    return false
  end
  local early = field.since and not version.at_least(nomad, field.since)
  return not early or OLD_NAMES[id] ~= nil, early
end

local function zero_of(id, field)
  local zero = ZERO[field.type]
  if zero == nil or POINTER[id] then
    return json.null
  end
  return zero
end

local function form_field(object, field, nomad)
  local id = object .. "." .. field.name
  local there, early = is_there(id, field, nomad)
  if not there then
    return nil
  end
  return {
    name = field.name,
    out = early and OLD_NAMES[id] or RENAMED[id] or field.name,
    zero = zero_of(id, field),
    object = schema.objects[field.of or ""] and field.of or nil,
    embedded = EMBEDDED[id],
    list = field.type == "list",
    map = field.type == "map",
    optional = OMIT_EMPTY[id] or (SPARSE[object] and version.at_least(nomad, SPARSE[object])),
  }
end

-- The fields of an object as the version has them.
local function form(state, object)
  if not state.forms[object] then
    local fields, names = {}, {}
    for _, list in ipairs { schema.objects[object].fields, SERVER[object] or {} } do
      for _, field in ipairs(list) do
        if not names[field.name] then
          fields[#fields + 1] = form_field(object, field, state.nomad)
          names[field.name] = true
        end
      end
    end
    state.forms[object] = { fields = fields, names = names }
  end
  return state.forms[object]
end

local write_object

local function write_value(field, value, state)
  if value == nil then
    return field.embedded and write_object(field.object, {}, state) or field.zero
  elseif not field.object or value == json.null then
    return value
  elseif field.list then
    local result = json.array {}
    for i, item in ipairs(value) do
      result[i] = write_object(field.object, item, state)
    end
    return result
  elseif field.map then
    local result = {}
    for key, item in pairs(value) do
      result[key] = write_object(field.object, item, state)
    end
    return result
  end
  return write_object(field.object, value, state)
end

function write_object(name, value, state)
  local result = {}
  local shape = form(state, name)
  for _, field in ipairs(shape.fields) do
    local written = write_value(field, value[field.name], state)
    if not (field.optional and kinds.is_zero(written)) then
      result[field.out] = written
    end
  end
  for key, item in pairs(value) do
    if not shape.names[key] then
      result[key] = item -- read.lua kept it: the server is newer than the schema
    end
  end
  return result
end

--- Forms by version: made once, used for every job.
local cache = {}

---@param job table of read.lua, with all its defaults
---@param nomad string version
---@return table
function write.job(job, nomad)
  cache[nomad] = cache[nomad] or {}
  return write_object("Job", job, { nomad = nomad, forms = cache[nomad] })
end

return write
