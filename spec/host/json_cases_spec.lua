-- host.json and the cases of spec/fixtures/json: as texts of their own, and inside a text that is decoded lazily.
local json = require "host.json"
local cases = dofile "spec/fixtures/json/cases.lua"

local LONG = ("x"):rep(5000)

local function shown(text)
  return (json.encode(text:sub(1, 40)):gsub("[\x80-\xff]", "?"))
end

-- Levels that stay free for what is put around a text.
local function fits(text)
  return not text:find("[[[[[[[[[[[[[[[[", 1, true)
end

-- The value as an element of an array that is still text.
local function inside(text)
  local value, err = json.decode_lazy('{"v":["' .. LONG .. '",' .. text .. "]}")
  return value and value.v[2], err
end

local function accepts(text, written)
  local value, err = json.decode(text)
  assert.is_nil(err)
  assert.is_not_nil(value)
  assert.equal(written, json.encode(value, { sorted = true }))
  assert.equal(written, json.encode(json.decode(written), { sorted = true }))
  assert.equal(json.digest(value), json.digest((json.decode_lazy(text, 0))))
  if fits(text) then
    assert.equal(written, json.encode(inside(text), { sorted = true }))
  end
end

local function refuses(text)
  local value, err = json.decode(text)
  assert.is_nil(value)
  assert.truthy(err:find "^line %d+, column %d+: expected .*, found ")
  local lazy, lazy_err = json.decode_lazy(text, 0)
  assert.is_nil(lazy)
  assert.equal(err, lazy_err)
end

describe("host.json on cases", function()
  for _, case in ipairs(cases.accepted) do
    it("takes " .. shown(case[1]), function()
      accepts(case[1], case[2])
    end)
  end
  for _, text in ipairs(cases.refused) do
    it("refuses " .. shown(text), function()
      refuses(text)
    end)
  end
  for _, case in ipairs(cases.decided) do
    it("decides on " .. shown(case[1]) .. ": " .. case[3], function()
      if case[2] then
        accepts(case[1], case[2])
      else
        refuses(case[1])
      end
    end)
  end

  it("refuses every refused text as a part of one that stays text, as an eager one does", function()
    for _, text in ipairs(cases.refused) do
      local whole = '{"v":["' .. LONG .. '",' .. text .. "]}"
      local value, err = json.decode(whole)
      local lazy, lazy_err = json.decode_lazy(whole)
      assert.equal(err, lazy_err)
      assert.equal(value == nil, lazy == nil)
    end
  end)

  it("has enough of them", function()
    assert.is_true(#cases.accepted >= 90)
    assert.is_true(#cases.refused >= 200)
    assert.is_true(#cases.decided >= 20)
  end)
end)
