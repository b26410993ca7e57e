-- A JSON array cut into the texts of its elements, without decoding it.
local elements = require "operator.testing.elements"

local function all(text)
  local list = {}
  for element, broken in elements.of(text) do
    assert(not broken)
    list[#list + 1] = element
  end
  return list
end

describe("operator.testing.elements", function()
  it("cuts at the commas of the outermost array only", function()
    assert.same({}, all " [ ] ")
    assert.same({ "1", '"a,]"', "[2,[3]]", '{"k":"v\\"}","l":[]}', "null" },
      all '[1, "a,]",[2,[3]] , {"k":"v\\"}","l":[]}\n,null ]')
  end)

  it("says where the text breaks off", function()
    for _, text in ipairs { "[", "[1", "[1,", '[1,"a', '[1,{"a":[}' } do
      local next_element = elements.of(text)
      local count = 0
      local element, broken = next_element()
      while element do
        count = count + 1
        element, broken = next_element()
      end
      assert.is_true(broken, text)
      assert.is_true(count <= 1, text)
      assert.is_nil((next_element()))
    end
  end)

  it("refuses what is no array", function()
    assert.is_nil(elements.of '{"a":1}')
    assert.is_nil(elements.of "<html>")
    assert.is_nil(elements.of "")
  end)
end)
