-- arrays: marks the empty lists of a job that was written in Lua, by the schema, so that they are [] in JSON.
local json = require "host.json"
local schema = require "nomad.jobspec.schema"

local arrays = {}

local function mark(object, value)
  for _, field in ipairs(object.fields) do
    local item = value[field.name]
    local inner = schema.objects[field.of]
    if item ~= nil and field.type == "list" then
      json.array(item)
    end
    if item ~= nil and inner then
      if field.type == "object" then
        mark(inner, item)
      else
        for _, element in pairs(item) do
          mark(inner, element)
        end
      end
    end
  end
  return value
end

function arrays.mark(job)
  return mark(schema.objects.Job, job)
end

return arrays
