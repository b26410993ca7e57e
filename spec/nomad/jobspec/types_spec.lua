-- types/jobspec.lua is what the schema says.
local schema = require "nomad.jobspec.schema"

local function read(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  assert(pipe:close())
  return text
end

describe("types/jobspec.lua", function()
  local file = assert(io.open "types/jobspec.lua")
  local text = file:read "a"
  file:close()

  it("is up to date", function()
    assert.is_true(
      text == read "lua5.4 tools/jobspec_types.lua",
      "make it anew: lua5.4 tools/jobspec_types.lua > types/jobspec.lua"
    )
  end)

  it("has a class for each object, as JSON has it and for the builder", function()
    for _, name in ipairs(schema.order) do
      assert.is_truthy(text:find("---@class jobspec." .. name .. "\n", 1, true), name)
      assert.is_truthy(text:find("---@class jobspec.build." .. name .. "\n", 1, true), name)
    end
  end)
end)
