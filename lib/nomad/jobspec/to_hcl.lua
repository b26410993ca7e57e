--- A job in JSON's form as HCL, which Nomad parses back to the same job; driven by the schema.
---
--- A few things HCL cannot say: fields of the server's own, some keys that are no names, ports that are reserved but
--- have no number. Each is named by a warning, with its path.

local body = require "nomad.jobspec.hclout.body"
local duration = require "nomad.jobspec.duration"
local json = require "host.json"
local kinds = require "nomad.jobspec.kinds"
local literal = require "nomad.jobspec.hclout.literal"
local open = require "nomad.jobspec.hclout.open"
local schema = require "nomad.jobspec.schema"
local version = require "nomad.jobspec.version"

local to_hcl = {}

---@class hclout.Writer
---@field warnings jobspec.Problem[]
---@field nomad? string
local Writer = {}
Writer.__index = Writer

function Writer:warn(path, text, ...)
  self.warnings[#self.warnings + 1] = { path = path, message = text:format(...), level = "warning" }
end

local function below(path, name)
  return path == "" and name or path .. "." .. name
end

local function at_key(path, key)
  return math.type(key) == "integer" and ("%s[%d]"):format(path, key - 1)
    or ("%s[%q]"):format(path, key)
end

--- The values of an object by their fields; a key that the schema does not have is told.
---@param object jobspec.schema.Object
---@return table<jobspec.schema.Field, any>
function Writer:fields_of(object, value, path)
  local found = {}
  for _, key in ipairs(literal.sorted_keys(value)) do
    local field = object.by_name[key:lower()]
    if not field then
      self:warn(below(path, key), "unknown field, left out")
    elseif value[key] ~= json.null and (found[field] == nil or key == field.name) then
      found[field] = value[key]
    end
  end
  return found
end

-- Strings that hold letters for which Unicode has shorter forms come back in those.
local function is_composed(text)
  return not text:find("\xCC[\x80-\xBF]")
    and not text:find("\xCD[\x80-\xAF]")
    and not text:find("\xE1[\x84-\x87]")
    and not text:find("\xE2\x84[\xA6\xAA\xAB]")
    and not text:find("\xEF[\xA4-\xAB]")
end

function Writer:check_letters(value, path)
  if type(value) == "string" and not is_composed(value) then
    self:warn(path, "has letters in a form of Unicode that HCL does not keep (it composes them)")
  elseif type(value) == "table" then
    for _, key in ipairs(json.is_array(value) and {} or literal.sorted_keys(value)) do
      self:check_letters(key, at_key(path, key))
      self:check_letters(value[key], at_key(path, key))
    end
    for i = 1, #value do
      self:check_letters(value[i], at_key(path, i))
    end
  end
end

-- Go reads null in a list as the empty string, or 0.
local function items_of(field, value)
  local items = json.array {}
  for i = 1, #value do
    items[i] = value[i] == json.null and (field.of == "string" and "" or 0) or value[i]
  end
  return items
end

local function attribute_text(field, value, depth)
  if field.type == "duration" and math.type(value) == "integer" then
    value = duration.short(value):gsub("µs", "us")
    return literal.quoted(value)
  elseif field.type == "list" and kinds.may_be_list(value) then
    value = items_of(field, value)
  elseif field.type == "map" and field.of == "string" and kinds.may_be_object(value) then
    value = open.filled(value)
  end
  return (literal.of(value, depth))
end

local function label_field(object)
  for _, field in ipairs(object.fields) do
    if field.kind == "label" then
      return field
    end
  end
end

-- The label of a block: of a map its key, else the field that says it.
local function label_of(object, value, key)
  local field = label_field(object)
  if not field then
    return nil
  elseif type(key) == "string" then
    return key
  end
  for name, item in pairs(value) do
    if name:lower() == field.name:lower() and type(item) == "string" then
      return item
    end
  end
  return ""
end

--- A block for an object. null is an object without fields.
function Writer:object_block(name, object, value, into, path, key)
  if value == json.null then
    value = {}
  elseif not kinds.may_be_object(value) then
    return self:warn(path, "is no object, left out")
  end
  local label = label_of(object, value, key)
  local inner = into:block(name, label)
  local field = type(key) == "string" and label_field(object)
  if field and value[field.name] ~= key then
    self:warn(below(path, field.name), "becomes %q, as its key is, in HCL", key)
  end
  self:object(object, value, inner, path)
  return inner
end

--- Lists in which Nomad leaves null out; elsewhere it is an object without fields.
local SKIPPED = {
  ["ConsulIngressConfigEntry.Listeners"] = true,
  ["ConsulIngressListener.Services"] = true,
  ["ConsulTerminatingConfigEntry.Services"] = true,
  ["Task.Identities"] = true,
}

function Writer:blocks(owner, field, value, into, path)
  local object = schema.objects[field.of]
  local skipped = SKIPPED[owner.name .. "." .. field.name]
  if field.type == "map" then
    for _, key in ipairs(kinds.may_be_object(value) and literal.sorted_keys(value) or {}) do
      self:object_block(field.hcl, object, value[key], into, at_key(path, key), key)
    end
  else
    for i = 1, kinds.may_be_list(value) and #value or 0 do
      if value[i] == json.null and skipped then
        self:warn(at_key(path, i), "is null, left out")
      else
        self:object_block(field.hcl, object, value[i], into, at_key(path, i), i)
      end
    end
  end
end

--- Maps that may be written as attributes, so that their keys may be anything.
local QUOTABLE =
  { ["Job.meta"] = true, ["TaskGroup.meta"] = true, ["Task.meta"] = true, ["Task.env"] = true }

function Writer:open_map(object, field, value, into, path)
  self:check_letters(value, path)
  value = field.of == "string" and open.filled(value) or value
  if QUOTABLE[object.name .. "." .. field.hcl] and not open.has_names(value) then
    return into:attribute(field.hcl, literal.object(value, into.depth))
  end
  local write = field.of == "string" and open.strings or open.any
  write(value, into:block(field.hcl), function(key)
    local why = literal.is_identifier(key) and "is null"
      or "HCL has no way to say a key like this here"
    self:warn(at_key(path, key), "%s, left out", why)
  end)
end

--- Writes a field as its kind says.
function Writer:field(object, field, value, into, path)
  if field.kind == "attr" then
    self:check_letters(value, path)
    if field.null or not kinds.is_zero(value) then
      into:attribute(field.hcl, attribute_text(field, value, into.depth))
    end
  elseif field.kind == "blocks" then
    self:blocks(object, field, value, into, path)
  elseif type(value) ~= "table" then
    self:warn(path, "is no object, left out")
  elseif field.type == "object" then
    self:object_block(field.hcl, schema.objects[field.of], value, into, path)
  else
    self:open_map(object, field, value, into, path)
  end
end

---------------------------------------------------------------------------------------------------
-- What is not as the schema's names alone would have it.

local special = {}

special["Job.ID"] = function() end -- the label

special["Job.Name"] = function(self, found, field, into, path)
  local value = found[field]
  if value ~= found[schema.objects.Job.by_name.id] then
    self:field(schema.objects.Job, field, value, into, path)
  end
end

special["PeriodicConfig.SpecType"] = function(self, found, field, _, path)
  if found[field] ~= "cron" and not kinds.is_zero(found[field]) then
    self:warn(path, 'becomes "cron" in HCL')
  end
end

-- Nomad tells ports apart by their number: with one, a port is reserved. Only where all are of the other kind, which
-- they are named for, there is a way to say a reserved port without a number.
local function port_name(self, port, where, reserved, others)
  local number = kinds.may_be_object(port) and port.Value or 0
  if math.type(number) ~= "integer" or (number > 0) == reserved then
    return "port"
  elseif not reserved then
    self:warn(where, "becomes a reserved port in HCL, as it has a number")
  elseif kinds.is_zero(others) then
    return "reserved_ports"
  else
    self:warn(where, "becomes a dynamic port in HCL, as it has no number")
  end
  return "port"
end

local function ports(self, found, field, into, path, reserved)
  local list = found[field]
  local others = found[schema.objects.NetworkResource.by_name.dynamicports]
  for i = 1, kinds.may_be_list(list) and #list or 0 do
    local where = at_key(path, i)
    local name = port_name(self, list[i], where, reserved, others)
    self:object_block(name, schema.objects.Port, list[i], into, where, i)
  end
end

special["NetworkResource.ReservedPorts"] = function(self, found, field, into, path)
  ports(self, found, field, into, path, true)
end

special["NetworkResource.DynamicPorts"] = function(self, found, field, into, path)
  ports(self, found, field, into, path, false)
end

-- The identity without a name comes first: Nomad takes the first one for it.
special["Task.Identity"] = function(self, found, field, into, path)
  local value = found[field]
  local name = kinds.may_be_object(value) and value.Name
  if name and name ~= "default" and not kinds.is_zero(name) then
    self:warn(below(path, "Name"), 'becomes "default" in HCL')
    local copy = {}
    for key, item in pairs(value) do
      copy[key] = key ~= "Name" and item or nil
    end
    value = copy
  end
  self:object_block("identity", schema.objects.WorkloadIdentity, value, into, path)
end

local SCALED = { vertical_cpu = "cpu", vertical_mem = "mem" }

special["Task.ScalingPolicies"] = function(self, found, field, into, path)
  local object = schema.objects.ScalingPolicy
  local seen = {}
  for i = 1, kinds.may_be_list(found[field]) and #found[field] or 0 do
    local value, where = found[field][i], at_key(path, i)
    local label = kinds.may_be_object(value) and SCALED[value.Type]
    if label and seen[label] then
      self:warn(where, "HCL has scaling for %s once in a task, left out", value.Type)
    elseif label then
      seen[label] = true
      self:object(object, value, into:block("scaling", label), where)
    else
      self:warn(where, "HCL has scaling of tasks only for vertical_cpu and vertical_mem, left out")
    end
  end
end

-- Old names, which win over the new ones.
special["ConsulProxy.Expose"] = function(self, found, field, into, path)
  local old = schema.objects.ConsulProxy.by_name.exposeconfig
  local value = found[old] or found[field]
  self:field(schema.objects.ConsulProxy, field, value, into, path)
end

special["ConsulExposeConfig.Paths"] = function(self, found, field, into, path)
  local old = schema.objects.ConsulExposeConfig.by_name.path
  local value = kinds.is_zero(found[old]) and found[field] or found[old]
  self:field(schema.objects.ConsulExposeConfig, field, value, into, path)
end

--- Old names → new ones.
local RENAMED = { ["ConsulProxy.ExposeConfig"] = "expose", ["ConsulExposeConfig.Path"] = "paths" }

-- Values under old names are found under the new ones too.
local function rename(object, found)
  for old, new in pairs(RENAMED) do
    local name, field = old:match("^(.*)%.(.*)$")
    field = name == object.name and object.by_name[field:lower()]
    if field and found[field] ~= nil and found[object.by_name[new]] == nil then
      found[object.by_name[new]] = found[field]
    end
  end
end

-- Does the Nomad that shall read it know the field?
function Writer:knows(field)
  return not self.nomad or not field.since or version.at_least(self.nomad, field.since)
end

--- One field of an object, if it was given.
function Writer:member(object, found, field, into, path)
  local own, id = found[field], object.name .. "." .. field.name
  if own == nil or field.kind == "label" or RENAMED[id] then
    return
  elseif not self:knows(field) then
    self:warn(path, "Nomad %s does not know it, left out", self.nomad)
  elseif special[id] then
    special[id](self, found, field, into, path)
  elseif field.hcl then
    self:field(object, field, own, into, path)
  elseif not kinds.is_zero(own) or field.type == "object" then
    local why = field.runtime and "is the server's own" or "HCL has no word for it"
    self:warn(path, "%s, left out", why)
  end
end

--- What a job and a group are about comes last, as people write it.
local LAST = { ["Job.TaskGroups"] = true, ["TaskGroup.Tasks"] = true }

--- Writes the fields of an object into a body.
---@param object jobspec.schema.Object
---@param value table
---@param into hclout.Body
---@param path string
function Writer:object(object, value, into, path)
  local found = self:fields_of(object, value, path)
  local last = {}
  rename(object, found)
  for _, field in ipairs(object.fields) do
    if LAST[object.name .. "." .. field.name] then
      last[#last + 1] = field
    else
      self:member(object, found, field, into, below(path, field.name))
    end
  end
  for _, field in ipairs(last) do
    self:member(object, found, field, into, below(path, field.name))
  end
end

---@class jobspec.HclOptions
---@field nomad? string the version that shall read it: fields that it does not know are left out

--- The HCL of a job. It is meant for valid jobs; whatever cannot be said is left out and named.
---@param job table in JSON's names, without the {"Job": …} around it; is not changed
---@param options? jobspec.HclOptions
---@return string text
---@return jobspec.Problem[] warnings what HCL cannot say
function to_hcl.job(job, options)
  local writer = setmetatable({ warnings = {}, nomad = options and options.nomad }, Writer)
  local file = body.new(0)
  local object = schema.objects.Job
  local id = writer:fields_of(object, job, "")[object.by_name.id]
  writer.warnings = {}
  local inner = file:block("job", type(id) == "string" and id or "")
  writer:object(object, job, inner, "")
  return file:text() .. "\n", writer.warnings
end

return to_hcl
