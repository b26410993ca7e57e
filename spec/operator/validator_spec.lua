-- validator: the rules are there while jobs have to be looked at, and not much longer; they say the same each time.
local validator = require "operator.validator"

local MODULE = "nomad.jobspec.validate"
local OPTIONS = { floats = true, enterprise = true }

-- A validator, and its timer, which the spec lets run out.
local function new()
  local timer = {}
  local host = {
    timer = function(fn)
      timer.fire = fn
      function timer.set(_, seconds)
        timer.delay = seconds
      end
      return timer
    end,
  }
  return validator.new(host), timer
end

describe("operator.validator", function()
  -- What other specs have read in is set aside, and is there again afterwards.
  local aside

  before_each(function()
    aside = {}
    for name, module in pairs(package.loaded) do
      if name:find("^nomad%.jobspec%.") then
        aside[name], package.loaded[name] = module, nil
      end
    end
  end)

  after_each(function()
    for name, module in pairs(aside) do
      package.loaded[name] = module
    end
  end)

  it("reads the rules in when they are needed, and lets go of them", function()
    local self, timer = new()
    assert.is_nil(package.loaded[MODULE])
    local before = self:validate({ ID = "x" }, OPTIONS)
    assert.is_true(#before > 0)
    assert.is_table(package.loaded[MODULE])
    assert.equal(validator.KEEP, timer.delay)
    timer.fire()
    for name in pairs(package.loaded) do
      assert.is_nil(name:match("^nomad%.jobspec%..*"), name)
    end
    assert.same(before, self:validate({ ID = "x" }, OPTIONS))
  end)

  it("leaves what was there before", function()
    local self, timer = new()
    local mine = require(MODULE)
    self:validate({ ID = "x" }, OPTIONS)
    timer.fire()
    assert.equal(mine, package.loaded[MODULE])
  end)
end)
