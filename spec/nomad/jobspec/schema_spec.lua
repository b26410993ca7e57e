-- schema: it has every object and field of the committed list and no other, and each field's row is well made.
local schema = require "nomad.jobspec.schema"

-- The list: an object's name at the margin, its fields' names indented below.
local function listed()
  local objects, current = {}, nil
  for line in io.lines("spec/fixtures/jobspec/fields.txt") do
    local indent, name = line:match("^(%s*)(%w+)$")
    if indent == "" then
      current = {}
      objects[name] = current
    elseif current then
      current[#current + 1] = name
    end
  end
  return objects
end

local function sorted(list)
  table.sort(list)
  return list
end

local TYPES = {}
for name in ("string int uint bool float duration bytes any object list map"):gmatch("%w+") do
  TYPES[name] = true
end
local KINDS = { attr = true, block = true, blocks = true, label = true }

-- Calls back for each field, with "Object.Field".
local function each(visit)
  for _, name in ipairs(schema.order) do
    for _, field in ipairs(schema.objects[name].fields) do
      visit(field, name .. "." .. field.name)
    end
  end
end

describe("the schema of the job specification", function()
  it("has the 72 objects and 449 fields of the list, in its order", function()
    local objects, names, have = listed(), {}, {}
    for name in pairs(objects) do names[#names + 1] = name end
    for name in pairs(schema.objects) do have[#have + 1] = name end
    assert.same(sorted(names), sorted(have))
    assert.equal(72, #have)
    local count = 0
    for name, fields in pairs(objects) do
      local found = {}
      for i, field in ipairs(schema.objects[name].fields) do found[i] = field.name end
      assert.same(fields, found, name)
      count = count + #found
    end
    assert.equal(449, count)
    assert.equal(72, #schema.order)
  end)

  it("says of every field what it is", function()
    each(function(field, where)
      assert.is_true(TYPES[field.type], where)
      assert.is_string(field.doc, where)
      assert.matches("^%S.*[%.%w]$", field.doc, nil, nil, where)
      assert.is_boolean(field.null, where)
      assert.is_true(field.kind == nil or KINDS[field.kind], where)
      assert.equal(field.hcl == nil, field.kind == nil, where)
      assert.is_true(field.since == nil or field.since:find("^[12]%.%d+%.%d+$") ~= nil, where)
      local of = field.of and field.of:gsub("%[%]$", "")
      assert.is_true(of == nil or TYPES[of] or schema.objects[of] ~= nil, where)
      local compound = field.type == "object" or field.type == "list" or field.type == "map"
      assert.equal(compound, field.of ~= nil, where)
    end)
  end)

  it("has defaults of the field's type, inside its bounds", function()
    local kinds = { string = "string", bool = "boolean", int = "number", uint = "number",
      duration = "number" }
    each(function(field, where)
      if field.default == nil then return end
      assert.equal(kinds[field.type], type(field.default), where)
      assert.is_true(field.min == nil or field.default >= field.min or field.default == 0, where)
    end)
  end)

  it("finds fields by both names", function()
    local group = schema.objects.TaskGroup
    assert.equal("ReschedulePolicy", group.by_name.reschedulepolicy.name)
    assert.equal("ReschedulePolicy", group.by_hcl.reschedule.name)
    assert.equal("blocks", group.by_hcl.task.kind)
    assert.equal("label", group.by_hcl.name.kind)
    assert.equal(30 * 10 ^ 9, schema.objects.UpdateStrategy.by_name.stagger.default)
    assert.equal("string[]", schema.objects.ServiceCheck.by_name.header.of)
    assert.is_nil(schema.objects.VolumeRequest.by_name.extrakeyshcl)
  end)
end)
