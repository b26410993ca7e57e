-- host.json: what it takes, what it refuses, and that values survive the trip through Lua and back.
local cjson = require "cjson"
local json = require "host.json"

local array_meta = getmetatable(json.array())

-- Equal in every respect that JSON knows: array or object, integer or float where it matters, and all members.
local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then
    return a == b
  end
  if json.is_array(a) ~= json.is_array(b) then
    return false
  end
  for k, v in pairs(a) do
    if not same(v, b[k]) then
      return false
    end
  end
  for k in pairs(b) do
    if a[k] == nil then
      return false
    end
  end
  return true
end

local function recorded()
  local lines = {}
  for _, name in ipairs { "jobs", "namespace-team-a" } do
    for line in io.lines("spec/fixtures/recordings/" .. name .. ".ndjson") do
      lines[#lines + 1] = line
    end
  end
  return lines
end

describe("host.json decode", function()
  -- { text, value }
  local accepted = {
    { "0", 0 },
    { "-0", 0 },
    { "7", 7 },
    { "-12", -12 },
    { " \t\r\n1 \n", 1 },
    { "0.5", 0.5 },
    { "-0.25", -0.25 },
    { "1e3", 1000.0 },
    { "1E+3", 1000.0 },
    { "25e-2", 0.25 },
    { "0e0", 0.0 },
    { "1.0", 1.0 },
    { "123456789012345678", 123456789012345678 },
    { "9223372036854775807", math.maxinteger },
    { "-9223372036854775808", math.mininteger },
    { "9223372036854775808", 2.0 ^ 63 },
    { "-9223372036854775809", -(2.0 ^ 63) },
    { "18446744073709551615", 2.0 ^ 64 },
    { "1" .. ("0"):rep(300), 1e300 },
    { "0." .. ("0"):rep(400) .. "1", 0.0 },
    { "5e-324", 5e-324 },
    { "1e-999", 0.0 },
    { "1.7976931348623157e308", 1.7976931348623157e308 },
    { "true", true },
    { "false", false },
    { "null", json.null },
    { '""', "" },
    { '"a"', "a" },
    { '"\\""', '"' },
    { '"\\\\\\/"', "\\/" },
    { '"\\b\\f\\n\\r\\t"', "\b\f\n\r\t" },
    { '"\\u0000"', "\0" },
    { '"\\u0041\\u00e9"', "Aé" },
    { '"\\u20AC"', "€" },
    { '"\\ud83d\\ude00"', "😀" },
    { '"\\uDBFF\\uDFFF"', "\u{10FFFF}" },
    { '"\\uFFFF"', "\u{FFFF}" },
    { '"é€😀"', "é€😀" },
    { '"\127"', "\127" },
    { '"\xff\xfe"', "\xff\xfe" }, -- invalid UTF-8 passes
    { '"\\ud800"', "\u{FFFD}" },
    { '"\\udc00"', "\u{FFFD}" },
    { '"\\ud800x"', "\u{FFFD}x" },
    { '"\\ud800\\u0041"', "\u{FFFD}A" },
    { '"\\ud800\\ud83d\\ude00"', "\u{FFFD}😀" },
    { '"\\udc00\\ud800"', "\u{FFFD}\u{FFFD}" },
    { '"12345678\\n12345678"', "12345678\n12345678" },
    { '"1234567\\"8"', '1234567"8' },
    { '"' .. ("x"):rep(5000) .. '\\n"', ("x"):rep(5000) .. "\n" },
    { "[]", json.array() },
    { "{}", {} },
    { "[ ]", json.array() },
    { "{ }", {} },
    { "[1,[2],{}]", json.array { 1, json.array { 2 }, {} } },
    { "[null,1,null]", json.array { json.null, 1, json.null } },
    { '{"a":null,"b":1}', { b = 1 } },
    { '{"a":{"a":{}}}', { a = { a = {} } } },
    { '{"":1}', { [""] = 1 } },
    { '{"1":2}', { ["1"] = 2 } },
  }
  for _, case in ipairs(accepted) do
    it("takes " .. cjson.encode(case[1]):sub(1, 40), function()
      local value, err = json.decode(case[1])
      assert.is_nil(err)
      assert.is_true(same(case[2], value))
      assert.equal(math.type(case[2]), math.type(value))
    end)
  end

  -- { text, message }
  local refused = {
    { "", "line 1, column 1: expected a value, found the end of the text" },
    { " \n ", "line 2, column 2: expected a value, found the end of the text" },
    { "[1,]", "line 1, column 4: expected a value, found ']'" },
    { "[,1]", "line 1, column 2: expected a value, found ','" },
    { "[1 2]", "line 1, column 4: expected ',' or ']' after an element, found '2'" },
    { "[1", "line 1, column 3: expected ',' or ']' after an element, found the end of the text" },
    { "[", "line 1, column 2: expected a value, found the end of the text" },
    { "]", "line 1, column 1: expected a value, found ']'" },
    { "[1}", "line 1, column 3: expected ',' or ']' after an element, found '}'" },
    { '{"a":1,}', "line 1, column 8: expected a key in quotes, found '}'" },
    { "{a:1}", "line 1, column 2: expected a key in quotes, found 'a'" },
    { "{'a':1}", "line 1, column 2: expected a key in quotes, found '''" },
    { '{"a"}', "line 1, column 5: expected ':' after a key, found '}'" },
    { '{"a" 1}', "line 1, column 6: expected ':' after a key, found '1'" },
    { '{"a":}', "line 1, column 6: expected a value, found '}'" },
    { '{"a":1 "b":2}', "line 1, column 8: expected ',' or '}' after a member, found '\"'" },
    { '{"a":nil}', "line 1, column 6: expected a value, found 'nil'" },
    { '{"a":1]', "line 1, column 7: expected ',' or '}' after a member, found ']'" },
    { "{1:1}", "line 1, column 2: expected a key in quotes, found '1'" },
    { "01", "line 1, column 2: expected no digit after a leading 0, found '1'" },
    { "-01", "line 1, column 3: expected no digit after a leading 0, found '1'" },
    { "+1", "line 1, column 1: expected a value, found '+'" },
    { ".5", "line 1, column 1: expected a value, found '.'" },
    { "5.", "line 1, column 3: expected a digit after '.', found the end of the text" },
    { "[5.]", "line 1, column 4: expected a digit after '.', found ']'" },
    { "1e", "line 1, column 3: expected a digit in the exponent, found the end of the text" },
    { "1e+", "line 1, column 4: expected a digit in the exponent, found the end of the text" },
    { "1.e1", "line 1, column 3: expected a digit after '.', found 'e1'" },
    { "-", "line 1, column 2: expected a digit after '-', found the end of the text" },
    { "--1", "line 1, column 2: expected a digit after '-', found '-'" },
    { "0x10", "line 1, column 2: expected the end of the text after the value, found 'x10'" },
    { "1e999", "line 1, column 1: expected a number that fits 64 bits, found '1e999'" },
    { "NaN", "line 1, column 1: expected a value, found 'NaN'" },
    { "-Infinity", "line 1, column 2: expected a digit after '-', found 'Infinity'" },
    { "True", "line 1, column 1: expected a value, found 'True'" },
    { "nul", "line 1, column 1: expected a value, found 'nul'" },
    { "nullx", "line 1, column 5: expected the end of the text after the value, found 'x'" },
    { '"a', "line 1, column 3: expected the closing '\"' of a string, found the end of the text" },
    {
      '"a\nb"',
      "line 1, column 3: expected control characters in strings to be escaped, "
        .. "found the byte 0x0a",
    },
    {
      '"\0"',
      "line 1, column 2: expected control characters in strings to be escaped, "
        .. "found the byte 0x00",
    },
    {
      '"a long one \t"',
      "line 1, column 13: expected control characters in strings to be "
        .. "escaped, found the byte 0x09",
    },
    {
      '"\\x41"',
      'line 1, column 3: expected one of " \\ / b f n r t u after a backslash, ' .. "found 'x41'",
    },
    { '"\\u12g4"', "line 1, column 6: expected four hex digits after '\\u', found 'g4'" },
    { '"\\ud83d\\u12"', "line 1, column 12: expected four hex digits after '\\u', found '\"'" },
    { "'a'", "line 1, column 1: expected a value, found '''" },
    { "1 2", "line 1, column 3: expected the end of the text after the value, found '2'" },
    { "{} []", "line 1, column 4: expected the end of the text after the value, found '['" },
    {
      "[1]\0",
      "line 1, column 4: expected the end of the text after the value, " .. "found the byte 0x00",
    },
    { "\xef\xbb\xbf1", "line 1, column 1: expected a value, found the byte 0xef" },
    { "[1, // one\n2]", "line 1, column 5: expected a value, found '/'" },
    { "\v1", "line 1, column 1: expected a value, found the byte 0x0b" },
    { '{\n  "a": 1,\n  "b" = 2\n}', "line 3, column 7: expected ':' after a key, found '='" },
    { "Permission denied", "line 1, column 1: expected a value, found 'Permission'" },
    { "<!DOCTYPE html>", "line 1, column 1: expected a value, found '<'" },
  }
  for _, case in ipairs(refused) do
    it("refuses " .. cjson.encode(case[1]):sub(1, 40), function()
      local value, err = json.decode(case[1])
      assert.is_nil(value)
      assert.equal(case[2], err)
    end)
  end

  it("counts 512 levels and no more, and says so before the stack is gone", function()
    for _, pair in ipairs { { "[", "]" }, { '{"a":', "}" } } do
      local function nested(depth)
        return pair[1]:rep(depth) .. "1" .. pair[2]:rep(depth)
      end
      assert.is_table((json.decode(nested(512))))
      local value, err = json.decode(nested(513))
      assert.is_nil(value)
      assert.matches("expected at most 512 levels of nesting", err, 1, true)
      assert.is_nil((json.decode(pair[1]:rep(1000000))))
    end
  end)

  it("lets the last of equal keys win, however it is spelt", function()
    assert.same({ a = 2 }, json.decode '{"a":1,"a":2}')
    assert.same({ a = 2 }, json.decode '{"\\u0061":1,"a":2}')
    assert.same({}, json.decode '{"a":1,"a":null}')
    assert.same({}, json.decode '{"a":1,"\\u0061":null}')
    assert.same({}, json.decode '{"\\u0061":1,"a":null}')
    assert.same({ a = 2 }, json.decode '{"a":1,"a":null,"a":2}')
  end)

  it("keeps all members of wide objects and long arrays", function()
    local object, array = {}, json.array()
    for i = 1, 1000 do
      object["key" .. i] = i
      array[i] = i
      assert.is_true(same(object, json.decode(json.encode(object))))
      assert.is_true(same(array, json.decode(json.encode(array))))
    end
  end)

  it("lets a null take away a key far before it in a wide object", function()
    local members = { '"gone":1' }
    for i = 1, 100 do
      members[#members + 1] = ('"k%d":%d'):format(i, i)
    end
    members[#members + 1] = '"gone":null'
    local value = json.decode("{" .. table.concat(members, ",") .. "}")
    assert.is_nil(value.gone)
    assert.equal(100, value.k100)
  end)

  it("keeps nulls in objects where that is asked for", function()
    local text = '{"a":null,"b":[null,{"c":null}],"d":1}'
    local value = json.decode(text, { nulls = true })
    assert.equal(json.null, value.a)
    assert.equal(json.null, value.b[2].c)
    assert.equal(text, json.encode(value, { sorted = true }))
    assert.equal(json.null, json.decode('{"a":1,"a":null}', { nulls = true }).a)
    assert.equal(2, json.decode('{"a":null,"a":2}', { nulls = true }).a)
    for _, options in ipairs { {}, { nulls = false } } do
      value = json.decode(text, options)
      assert.equal('{"b":[null,{}],"d":1}', json.encode(value, { sorted = true }))
    end
    local _, err = json.decode('{"a":nul}', { nulls = true })
    assert.matches("line 1, column 6", err, 1, true)
    assert.has_error(function()
      json.decode("{}", 1)
    end)
  end)

  it("takes only text", function()
    assert.has_error(function()
      json.decode()
    end)
    assert.has_error(function()
      json.decode {}
    end)
  end)
end)

describe("host.json encode", function()
  -- { value, text }
  local written = {
    { 0, "0" },
    { -1, "-1" },
    { math.maxinteger, "9223372036854775807" },
    { math.mininteger, "-9223372036854775808" },
    { 1700000000123456789, "1700000000123456789" },
    { 1.0, "1" },
    { 3e10, "30000000000" },
    { -0.0, "0" },
    { 2.0 ^ 53, "9007199254740992" },
    { -(2.0 ^ 63), "-9223372036854775808" },
    { 0.1, "0.1" },
    { 1 / 3, "0.3333333333333333" },
    { 0.1 + 0.2, "0.30000000000000004" },
    { 1e-7, "1e-07" },
    { 5e-324, "5e-324" },
    { 2.0 ^ 63, "9.223372036854776e+18" },
    { 1e300, "1e+300" },
    { true, "true" },
    { false, "false" },
    { json.null, "null" },
    { cjson.null, "null" },
    { "", '""' },
    { 'a"b\\c/d', '"a\\"b\\\\c/d"' },
    { "\b\f\n\r\t", '"\\b\\f\\n\\r\\t"' },
    { "\0\1\31\127", '"\\u0000\\u0001\\u001f\127"' },
    { "é😀<&>", '"é😀<&>"' },
    { ("x"):rep(3000) .. "\n", '"' .. ("x"):rep(3000) .. '\\n"' },
    { {}, "{}" },
    { json.array(), "[]" },
    { { 1, 2 }, "[1,2]" },
    { { {}, json.array() }, "[{},[]]" },
    { { json.null, 1 }, "[null,1]" },
    { { a = 1 }, '{"a":1}' },
    { { ["1"] = 2 }, '{"1":2}' },
    { setmetatable({ a = 1 }, { __index = { b = 2 } }), '{"a":1}' },
  }
  for _, case in ipairs(written) do
    it("writes " .. case[2]:sub(1, 40):gsub("%c", "?"), function()
      assert.equal(case[2], json.encode(case[1]))
    end)
  end

  it("writes nil alone as null", function()
    assert.equal("null", json.encode(nil))
  end)

  it("sorts by bytes and indents when told", function()
    local value = { b = { 1, { x = true } }, a = json.array(), A = {}, ["a b"] = "é" }
    assert.equal(
      '{"A":{},"a":[],"a b":"é","b":[1,{"x":true}]}',
      json.encode(value, { sorted = true })
    )
    assert.equal(
      [[
{
  "A": {},
  "a": [],
  "a b": "é",
  "b": [
    1,
    {
      "x": true
    }
  ]
}]],
      json.encode(value, { sorted = true, indent = 2 })
    )
    assert.has_error(function()
      json.encode(1, { indent = 17 })
    end)
    assert.has_error(function()
      json.encode(1, "sorted")
    end)
  end)

  local cyclic = {}
  cyclic.a = cyclic
  -- { value, what the message says }
  local refused = {
    { print, "the value is a function" },
    { { a = { b = print } }, "a.b is a function" },
    { { a = { 1, { ["x-y"] = print } } }, 'a[2]["x-y"] is a function' },
    { { ["\27[2J"] = print }, '["\\u001b[2J"] is a function' },
    { { coroutine.create(print) }, "[1] is a thread" },
    { { x = io.stdout }, "x is a userdata" },
    { 0 / 0, "the value is not a number (NaN)" },
    { { n = { 1 / 0 } }, "n[1] is infinite" },
    { { n = -1 / 0 }, "n is infinite" },
    { { a = { 1, nil, 3 } }, "a is an array with a hole: [2] is missing" },
    { { a = { [1] = 1, [5] = 5 } }, "a is an array with a hole: [2] is missing" },
    { json.array { [2] = 1 }, "the value is an array with a hole: [1] is missing" },
    { { a = { 1, 2, x = 3 } }, "a is an array and has the key x too" },
    { json.array { x = 1 }, "the value is an array and has the key x too" },
    { { 1, [1.5] = 2 }, "the value is an array and has the key 1.5 too" },
    { { 1, [0] = 2 }, "the value is an array with a hole: [2] is missing" },
    { { a = { [2] = 1 } }, "a has a key that is not a string: 2" },
    { { a = { [true] = 1 } }, "a has a key that is not a string: true" },
    { cyclic, "is nested deeper than 512 levels, or holds itself" },
  }
  for _, case in ipairs(refused) do
    it("refuses what " .. case[2], function()
      for _, options in ipairs { {}, { sorted = true } } do
        local ok, err = pcall(json.encode, case[1], options)
        assert.is_false(ok)
        assert.matches("cannot be written as JSON: ", err, 1, true)
        assert.matches(case[2], err, 1, true)
      end
    end)
  end

  it("writes 512 levels", function()
    local value = json.array()
    for _ = 2, 512 do
      value = { a = value }
    end
    assert.equal(('{"a":'):rep(511) .. "[]" .. ("}"):rep(511), json.encode(value))
    assert.has_error(function()
      json.encode { a = value, b = { value } }
    end)
  end)

  it("runs no metamethod", function()
    local trap = function()
      error "called"
    end
    local value = setmetatable({ a = 1 }, { __index = trap, __pairs = trap, __len = trap })
    assert.equal('{"a":1}', json.encode(value))
  end)
end)

describe("host.json arrays", function()
  it("marks tables, also empty ones", function()
    local t = {}
    assert.equal(t, json.array(t))
    assert.is_true(json.is_array(t))
    assert.is_true(json.is_array(json.array()))
    assert.is_true(json.is_array { 1 })
    assert.is_true(json.is_array(json.array(json.array())))
    assert.is_false(json.is_array {})
    assert.is_false(json.is_array { a = 1 })
    assert.is_false(json.is_array "text")
    assert.is_false(json.is_array(nil))
    assert.equal(array_meta, getmetatable(json.decode "[]"))
  end)

  it("leaves tables alone that have another metatable", function()
    assert.has_error(function()
      json.array(setmetatable({}, {}))
    end)
    assert.has_error(function()
      json.array "text"
    end)
  end)

  it("has one null, which shows itself", function()
    assert.equal("null", tostring(json.null))
    assert.equal(json.null, json.decode("[null]")[1])
    assert.is_false(getmetatable(json.null))
  end)
end)

describe("host.json digest", function()
  it("is FNV-1a over the sorted text", function()
    local hash = 0xcbf29ce484222325
    for c in ('{"a":[1,"x"],"b":null}'):gmatch "." do
      hash = (hash ~ c:byte()) * 0x100000001b3
    end
    assert.equal(("%016x"):format(hash), json.digest { b = json.null, a = { 1.0, "x" } })
  end)

  it("tells types apart, and not integers from floats that are whole", function()
    local seen = {}
    for _, value in ipairs {
      1,
      "1",
      true,
      "true",
      json.null,
      {},
      json.array(),
      { 1 },
      { "1" },
      "",
      { a = 1 },
      { a = "1" },
      { a = {} },
      { a = json.array() },
      1.5,
      { { a = 1 } },
    } do
      local digest = json.digest(value)
      assert.matches("^%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x$", digest)
      assert.is_nil(seen[digest])
      seen[digest] = true
    end
    assert.equal(json.digest { n = 2 }, json.digest { n = 2.0 })
  end)
end)

describe("host.json round trip", function()
  it("keeps every recorded line", function()
    -- cjson reads the same lines in its own way: floats for all numbers, a sentinel for null.
    local function agrees(ours, theirs)
      if theirs == cjson.null then
        return ours == nil or ours == json.null
      end
      if type(theirs) == "number" then
        return ours + 0.0 == theirs
      end
      if type(theirs) ~= "table" then
        return ours == theirs
      end
      for k, v in pairs(theirs) do
        if not agrees(ours[k], v) then
          return false
        end
      end
      for k in pairs(ours) do
        if theirs[k] == nil then
          return false
        end
      end
      return true
    end
    local count = 0
    for i, line in ipairs(recorded()) do
      local value = assert(json.decode(line))
      assert.is_true(agrees(value, cjson.decode(line)), "line " .. i)
      local text = json.encode(value)
      assert.is_true(same(value, json.decode(text)), "line " .. i)
      assert.equal(json.digest(value), json.digest(json.decode(text)))
      for number in line:gmatch "%f[%d]%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d+" do
        assert.truthy(text:find(number, 1, true), number)
      end
      local _, arrays_in = line:gsub("%[%]", "")
      local _, arrays_out = text:gsub("%[%]", "")
      assert.equal(arrays_in, arrays_out)
      count = count + 1
    end
    assert.is_true(count > 100)
  end)

  it("keeps whatever a generator makes", function()
    local state = 20260101
    local function random(n) -- a generator of its own: the same values everywhere, forever
      state = (state * 6364136223846793005 + 1442695040888963407)
      return (state >> 33) % n
    end
    local function text()
      local chars = {}
      for i = 1, random(20) do
        local kind = random(10)
        chars[i] = kind == 0 and string.char(random(32))
          or kind == 1 and '"'
          or kind == 2 and "\\"
          or kind == 3 and utf8.char(0x80 + random(0xD000))
          or string.char(32 + random(95))
      end
      return table.concat(chars)
    end
    local function number()
      local kind = random(5)
      if kind == 0 then
        return random(100)
      end
      if kind == 1 then
        return math.mininteger + random(1000)
      end
      if kind == 2 then
        return (random(1 << 30) << 33) | random(1 << 30)
      end
      if kind == 3 then
        return (random(1 << 30) - (1 << 29)) / 1000
      end
      return (random(1 << 30) + 1) * 10.0 ^ (random(600) - 300)
    end
    local value
    local function array(depth)
      local t = json.array()
      for i = 1, random(90) // (depth * depth) do
        t[i] = value(depth)
      end
      return t
    end
    local function object(depth)
      local t = {}
      for _ = 1, random(90) // (depth * depth) do
        t[text()] = value(depth)
      end
      return t
    end
    function value(depth)
      local kind = random(depth > 5 and 6 or 8)
      if kind <= 1 then
        return text()
      end
      if kind <= 3 then
        return number()
      end
      if kind == 4 then
        return random(2) == 0
      end
      if kind == 5 then
        return "plain"
      end
      return (kind == 6 and array or object)(depth + 1)
    end
    -- The same content, put in in another order.
    local function shuffled(v)
      if type(v) ~= "table" then
        return v
      end
      local keys, t = {}, json.is_array(v) and json.array() or {}
      for k in pairs(v) do
        keys[#keys + 1] = k
      end
      if not json.is_array(v) then
        for i = #keys, 2, -1 do
          local j = random(i) + 1
          keys[i], keys[j] = keys[j], keys[i]
        end
      else
        table.sort(keys)
      end
      for _, k in ipairs(keys) do
        t[k] = shuffled(v[k])
      end
      return t
    end
    local containers = 0
    for _ = 1, 300 do
      local v = value(1)
      containers = containers + (type(v) == "table" and next(v) ~= nil and 1 or 0)
      for _, options in ipairs { {}, { sorted = true }, { indent = 3 } } do
        assert.is_true(same(v, json.decode(json.encode(v, options))))
      end
      assert.equal(json.digest(v), json.digest(shuffled(v)))
    end
    assert.is_true(containers > 30)
  end)

  it("takes texts by their names, if each of them is clean", function()
    local given = { a = "x", b = "é {", c = "\127", d = "\0", e = 1, f = "" }
    assert.same({ "", "x", "x" }, json.texts(given, { "f", "a", "a" }, 2, "{"))
    assert.same({ "é {" }, json.texts(given, { "b" }, 0, "}"))
    for _, name in ipairs { "b", "c", "d", "e", "missing" } do
      assert.is_nil(json.texts(given, { "a", name }, 0, "{"))
    end
    local lazy = json.decode_lazy('{"v":{"a":"x","long":"' .. ("y"):rep(5000) .. '"}}', 1)
    assert.same({ "x" }, json.texts(lazy.v, { "a" }, 0, "{"))
  end)

  it("fills gaps in text", function()
    local odd = 'a "b" \\ \n é'
    local pieces = { '{"a":"x', 1, 'y","b":', -2, ',"c":"', 1, '"}' }
    local value = { a = "x" .. odd .. "y", b = { 1, 2.5 }, c = odd }
    local values = { odd, "[1,2.5]" }
    assert.equal(json.encode(value, { sorted = true }), json.fill(pieces, values))
    assert.equal(json.digest(value), json.fill_digest(pieces, values))
    assert.equal("", json.fill({}, {}))
    local long = ("\1é"):rep(5000)
    assert.equal(json.encode(long), json.fill({ '"', 1, '"' }, { long }))
    assert.has_error(function()
      json.fill({ 3 }, values)
    end, "value 3 is no string")
    assert.has_error(function()
      json.fill({ true }, values)
    end, "a piece is a boolean")
  end)
end)
