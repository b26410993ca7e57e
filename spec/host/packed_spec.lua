-- host.packed: records by key, beside a Lua table that is told the same.
local packed = require "host.packed"

describe("host.packed", function()
  it("finds what was added, and counts it", function()
    local t = packed.new(2)
    assert.is_nil(t:find "a")
    local a, b = t:add "a", t:add ""
    assert.equal(a, t:add "a")
    assert.equal(b, (t:find ""))
    assert.same({ 0, 0 }, { t:get(a, 1), t:get(a, 2) })
    assert.same({ 0, 0 }, { t:values(a) })
    t:set(a, 2, math.mininteger)
    t:set(b, 1, -1)
    assert.same({ 0, math.mininteger }, { t:get(a, 1), t:get(a, 2) })
    assert.same({ "a", "" }, { t:key(a), t:key(b) })
    assert.equal(2, t:count())
    t:remove(a)
    assert.is_nil(t:find "a")
    assert.is_false(t:has(a))
    assert.equal(-1, t:get(b, 1))
    t:clear()
    assert.equal(0, t:count())
    assert.equal(0, t:bytes())
    assert.is_nil(t:next(0))
  end)

  it("takes and gives a record's integers in a row", function()
    local t = packed.new(3)
    local a = t:add("a", 1, -2)
    assert.same({ a, 1, -2, 0 }, { t:find "a" })
    assert.equal(a, t:add("a", 5))
    t:set(a, 2, 6, 7)
    assert.same({ a, 5, 6, 7 }, { t:find "a" })
    for _, call in ipairs {
      function()
        t:add("b", 1, 2, 3, 4)
      end,
      function()
        t:add("b", 1, "x")
      end,
      function()
        t:set(a, 2, 1, 2, 3)
      end,
      function()
        t:set(a, 1, 9, "x")
      end,
      function()
        t:set(a, 1)
      end,
    } do
      assert.has_error(call)
    end
    assert.same({ a, 5, 6, 7 }, { t:find "a" })
    assert.equal(1, t:count())
  end)

  it("takes keys of any bytes for what they are", function()
    local t = packed.new(1)
    local one, two = t:add "a\0b", t:add "a\0c"
    assert.not_equal(one, two)
    assert.equal("a\0b", t:key(one))
    assert.is_nil(t:find "a")
  end)

  it("raises for what is no record, no field, and no number of fields", function()
    local t = packed.new(1)
    local a = t:add "a"
    for _, wrong in ipairs { 0, -1, 2, 1 << 32, math.maxinteger } do
      assert.has_error(function()
        t:get(wrong, 1)
      end)
      assert.has_error(function()
        t:values(wrong)
      end)
      assert.is_false(t:has(wrong))
    end
    for _, call in ipairs {
      function()
        t:get(a, 0)
      end,
      function()
        t:set(a, 2, 1)
      end,
      function()
        t:set(a, 1, "x")
      end,
      function()
        t:remove(7)
      end,
      function()
        t:next(-1)
      end,
      function()
        packed.new(0)
      end,
      function()
        packed.new(9)
      end,
      function()
        t.get({}, a, 1)
      end,
    } do
      assert.has_error(call)
    end
    t:remove(a)
    assert.has_error(function()
      t:key(a)
    end)
  end)

  -- The table and the model hold the same.
  local function check(t, model)
    local count, record = 0, t:next(0)
    while record do
      local key = t:key(record)
      assert.equal(model[key], t:get(record, 1))
      assert.equal(-model[key], t:get(record, 3))
      assert.same({ record, model[key], 0, -model[key] }, { t:find(key) })
      count, record = count + 1, t:next(record)
    end
    local expected = 0
    for _ in pairs(model) do
      expected = expected + 1
    end
    assert.same({ expected, expected }, { count, t:count() })
  end

  it("is a map, whatever comes and goes", function()
    math.randomseed(7)
    local t, model = packed.new(3), {}
    for step = 1, 60000 do
      -- It grows, shrinks to little, and grows again.
      local shrinks = step // 15000 % 2 == 1
      local key = ("key-"):rep(math.random(0, 5)) .. math.random(4000)
      local record = t:find(key)
      assert.equal(model[key] ~= nil, record ~= nil)
      if record and math.random() < (shrinks and 0.9 or 0.3) then
        t:remove(record)
        model[key] = nil
      elseif not shrinks or math.random() < 0.1 then
        record = t:add(key)
        model[key] = step
        t:set(record, 1, step)
        t:set(record, 3, -step)
      end
      if step % 6000 == 0 then
        check(t, model)
      end
    end
  end)

  it("may be emptied on the way through it", function()
    local t = packed.new(1)
    for i = 1, 1000 do
      t:add("k" .. i)
    end
    local record, seen = t:next(0), 0
    while record do
      t:remove(record)
      seen, record = seen + 1, t:next(record)
    end
    assert.same({ 1000, 0, 0 }, { seen, t:count(), t:bytes() })
  end)

  it("gives the bytes of removed keys back while others stay", function()
    local function long(i)
      return ("%06d"):format(i):rep(30)
    end
    local t = packed.new(1)
    for i = 1, 20000 do
      t:add(long(i))
    end
    local before = t:bytes()
    for i = 1, 19000 do
      t:remove(t:find(long(i)))
    end
    assert.is_true(t:bytes() < before / 4, t:bytes() .. " of " .. before)
    for i = 19001, 20000 do
      assert.equal(long(i), t:key(t:find(long(i))))
    end
  end)
end)
