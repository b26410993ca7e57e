-- host.json decode_lazy: tables that are text until they are touched, and nobody sees the difference.
local cjson = require "cjson"
local json = require "host.json"

local raw = json.raw

-- A text above the limit from which values stay text.
local LONG = ("x"):rep(5000)

local function long_array()
  return '["' .. LONG .. '",1,{"a":null,"b":[]},-2]'
end

local function long_object()
  return '{"text":"' .. LONG .. '","list":[1,2],"none":null,"n":7}'
end

-- Without touching it.
local function is_lazy(value)
  local meta = type(value) == "table" and getmetatable(value)
  return meta and rawget(meta, "__pairs") ~= nil and next(value) == nil
end

local function fresh(text, levels)
  return assert(json.decode_lazy('{"v":' .. text .. "}", levels or 1)).v
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

describe("host.json decode_lazy", function()
  it("leaves long nested values as text, and nothing else", function()
    local text = ('{"short":{"a":[1]},"long":%s,"list":%s}'):format(long_object(), long_array())
    local value = json.decode_lazy(text)
    assert.equal(1, rawget(rawget(value, "short"), "a")[1])
    assert.is_true(is_lazy(rawget(value, "long")))
    assert.is_true(is_lazy(rawget(value, "list")))
    assert.is_nil(next(rawget(value, "long")))
  end)

  it("is searched as text, at every place in it", function()
    local text = ("ab"):rep(2500)
    local list = fresh('["' .. text .. '",17]')
    local whole = '["' .. text .. '",17]'
    for _, at in ipairs { 1, 2, 7, 15, 16, 17, 31, 32, 33, 4990, #whole - 20, #whole - 4 } do
      for _, len in ipairs { 1, 2, 5, 16, 40 } do
        assert.is_true(json.occurs(list, whole:sub(at, at + len - 1)))
      end
    end
    for _, wrong in ipairs { "aa", "ba]", "c", '"abb', "17]]", whole .. "x" } do
      assert.is_false(json.occurs(list, wrong))
    end
    assert.is_true(is_lazy(list))
    assert.is_true(json.occurs({ a = { "needle" } }, '["needle"'))
    assert.is_true(json.occurs(fresh('["' .. text .. '", 1.50]'), '",1.5]'))
    assert.has_error(function()
      json.occurs({}, "")
    end)
    assert.has_error(function()
      json.occurs({ print }, "x")
    end)
  end)

  it("decodes so many levels at once", function()
    local text = ('{"Job":{"ID":"a","Groups":[%s]}}'):format(long_object())
    assert.is_true(is_lazy(json.decode_lazy(text, 0)))
    assert.is_true(is_lazy(rawget(json.decode_lazy(text, 1), "Job")))
    local job = rawget(json.decode_lazy(text, 2), "Job")
    assert.equal("a", rawget(job, "ID"))
    assert.is_true(is_lazy(rawget(job, "Groups")))
    assert.equal(1, #job.Groups)
    assert.is_true(is_lazy(rawget(job.Groups, 1)))
    assert.has_error(function()
      json.decode_lazy(text, -1)
    end)
    assert.has_error(function()
      json.decode_lazy(text, 513)
    end)
  end)

  it("counts the bytes of the value itself", function()
    for _, case in ipairs { { 1024, false }, { 1025, true } } do
      local text = '["' .. ("y"):rep(case[1] - 4) .. '"]'
      assert.equal(case[1], #text)
      -- Behind it is enough for the whole to be long.
      local value = json.decode_lazy('{"v":' .. text .. ',"more":"' .. LONG .. '"}')
      assert.equal(case[2], is_lazy(rawget(value, "v")) or false)
    end
  end)

  local touches = {
    ["an index"] = function(t)
      return t.n
    end,
    ["an index that is not there"] = function(t)
      return t.nothing
    end,
    ["an assignment"] = function(t)
      t.more = nil
    end,
    ["the length"] = function(t)
      return #t
    end,
    ["pairs"] = function(t)
      return pairs(t)
    end,
    ["ipairs"] = function(t)
      for _ in ipairs(t) do
      end
    end,
    ["table.unpack"] = function(t)
      return table.unpack(t)
    end,
    ["table.insert"] = function(t)
      table.insert(t, "end")
    end,
    ["table.sort"] = function(t)
      pcall(table.sort, t, function()
        return false
      end)
    end,
    ["next"] = function(t)
      return raw.next(t)
    end,
    ["rawget"] = function(t)
      return raw.rawget(t, "n")
    end,
    ["rawlen"] = function(t)
      return raw.rawlen(t)
    end,
    ["rawset"] = function(t)
      raw.rawset(t, "more", 1)
    end,
    ["getmetatable"] = function(t)
      return raw.getmetatable(t)
    end,
    ["setmetatable"] = function(t)
      return raw.setmetatable(t, raw.getmetatable(t))
    end,
    ["json.array"] = function(t)
      pcall(json.array, t)
    end,
    ["a sorted encode"] = function(t)
      json.encode(t, { sorted = true })
    end,
    ["an indented encode"] = function(t)
      json.encode(t, { indent = 1 })
    end,
    ["digest"] = function(t)
      json.digest(t)
    end,
  }
  for name, touch in pairs(touches) do
    it("is decoded by " .. name, function()
      for _, text in ipairs { long_object(), long_array() } do
        local value = fresh(text)
        assert.is_true(is_lazy(value))
        touch(value)
        assert.is_falsy(is_lazy(value))
        local eager = json.decode(text)
        touch(eager)
        assert.equal(json.is_array(eager), json.is_array(value))
      end
    end)
  end

  it("is not decoded by what does not look into it", function()
    for _, text in ipairs { long_object(), long_array() } do
      local value = fresh(text)
      assert.equal("table", type(value))
      assert.truthy(tostring(value):find "^table: ")
      assert.is_true(value == ({ value })[1] and rawequal(value, value))
      assert.equal(text:sub(1, 1) == "[", json.is_array(value))
      json.encode(value)
      assert.is_true(is_lazy(value))
    end
  end)

  it("has the metatable of an eager one, before and after", function()
    local list, object = fresh(long_array()), fresh(long_object())
    assert.equal(getmetatable(json.array()), raw.getmetatable(list))
    assert.is_nil(raw.getmetatable(object))
    local mine = {
      __index = function()
        return "mine"
      end,
    }
    local other = fresh(long_object())
    assert.equal(other, raw.setmetatable(other, mine))
    assert.equal(7, other.n)
    assert.equal("mine", other.nothing)
    assert.equal(mine, getmetatable(other))
  end)

  it("gives what is assigned, and keeps the rest", function()
    local value = fresh(long_object())
    value.n = 8
    value.new = 1
    assert.equal(8, value.n)
    assert.same({ 1, 2 }, value.list)
    assert.equal(1, value.new)
    local list = fresh(long_array())
    list[#list + 1] = "end"
    assert.equal(5, #list)
    assert.equal("end", list[5])
    assert.equal("end", table.remove(list))
    assert.equal(LONG .. ",1", table.concat(list, ",", 1, 2))
  end)

  it("works as the source of another table's fields", function()
    local value = setmetatable({}, { __index = fresh(long_object()) })
    assert.equal(7, value.n)
    assert.is_nil(value.none)
  end)

  it("has each member once for pairs and next", function()
    for _, walk in ipairs {
      pairs,
      function(t)
        return raw.next, t
      end,
    } do
      local found = {}
      for key in walk(fresh(long_object())) do
        found[#found + 1] = key
      end
      table.sort(found)
      assert.same({ "list", "n", "text" }, found)
    end
  end)

  it("raises for what next, rawget and their like raise for", function()
    for _, name in ipairs { "next", "rawget", "rawset", "rawlen", "setmetatable" } do
      assert.has_error(function()
        raw[name](1, 2, 3)
      end)
      assert.has_error(function()
        raw[name]()
      end)
    end
    assert.has_error(function()
      raw.setmetatable({}, 1)
    end)
    assert.has_error(function()
      raw.setmetatable(setmetatable({}, { __metatable = 1 }), nil)
    end)
    assert.equal(1, raw.getmetatable(setmetatable({}, { __metatable = 1 })))
    assert.equal(getmetatable "", raw.getmetatable "")
    assert.has_error(function()
      raw.next({}, "absent")
    end)
    assert.equal(3, raw.rawlen "abc")
  end)

  it("is the same as an eager one on every recorded line, at every level", function()
    local bytes = 0
    for i, line in ipairs(recorded()) do
      local digest = json.digest(json.decode(line))
      for levels = 0, 6 do
        local value = json.decode_lazy(line, levels)
        assert.equal(digest, json.digest(json.decode(json.encode(value))), "line " .. i)
        assert.equal(digest, json.digest(value), "line " .. i)
      end
      bytes = bytes + #line
    end
    assert.is_true(bytes > 20000)
  end)

  it("is copied by the encoder as it stands, if that is what an eager one would give", function()
    local text = '["' .. LONG .. '",{"b":1,"a":null},"\\u0041\\/"]'
    assert.equal('{"v":' .. text .. "}", json.encode { v = fresh(text) })
    for _, part in ipairs { "1.0", "1e3", "1 ", "\n2", "9223372036854775807", "[ ]" } do
      local value = fresh('["' .. LONG .. '",' .. part .. "]")
      local eager = json.decode('["' .. LONG .. '",' .. part .. "]")
      assert.equal(json.encode(eager), json.encode(value))
    end
  end)

  it("is refused by the encoder where an eager one is too deep", function()
    local value = fresh(("["):rep(500) .. '"' .. LONG .. '"' .. ("]"):rep(500))
    for _ = 1, 12 do
      value = { value }
    end
    assert.equal(value, value)
    assert.has_no_error(function()
      json.encode(value)
    end)
    local ok, err = pcall(json.encode, { value })
    assert.is_false(ok)
    assert.truthy(tostring(err):find("nested deeper than 512 levels", 1, true))
  end)

  it("finds in text that stays text what decode finds, at the same place", function()
    local wrong = {
      "1 2",
      "1,",
      "01",
      "-",
      "1.",
      "1e",
      "1e999",
      "tru",
      "nul",
      '"\\x"',
      '"\\u12"',
      '"\t"',
      '"',
      "{1}",
      '{"a"}',
      '{"a" 1}',
      '{"a":}',
      '{"a":1,}',
      "[1}",
      '{"a":1]',
      "[",
      "]",
      "",
      ("["):rep(511),
      "\0",
      "'a'",
    }
    for _, part in ipairs(wrong) do
      local text = '{"a":["' .. LONG .. '",' .. part .. '],"b":1}'
      local _, expected = json.decode(text)
      assert.is_string(expected)
      for levels = 0, 3 do
        local value, err = json.decode_lazy(text, levels)
        assert.is_nil(value)
        assert.equal(expected, err)
      end
    end
  end)

  it("takes 512 levels and no more", function()
    local function nested(depth)
      return ("["):rep(depth) .. '"' .. LONG .. '"' .. ("]"):rep(depth)
    end
    local value = json.decode_lazy(nested(512))
    for _ = 1, 511 do
      value = value[1]
    end
    assert.equal(LONG, value[1])
    assert.equal(select(2, json.decode(nested(513))), select(2, json.decode_lazy(nested(513))))
  end)

  it("says the last of equal keys, and takes a value away by null", function()
    local value = fresh('{"text":"' .. LONG .. '","a":1,"a":2,"b":1,"b":null}')
    assert.equal(2, value.a)
    assert.is_nil(value.b)
  end)

  it("keeps little of a long text for a short part", function()
    local parts = {}
    for i = 1, 200 do
      parts[i] = '{"text":"' .. LONG .. '"}'
    end
    local kept = {}
    collectgarbage()
    collectgarbage()
    local before = collectgarbage "count"
    for i = 1, 5 do
      kept[i] = json.decode_lazy("[" .. table.concat(parts, ",") .. "]", 1)[i]
    end
    collectgarbage()
    collectgarbage()
    assert.is_true(is_lazy(kept[1]))
    local grown = collectgarbage "count" - before
    assert.is_true(grown < 200, ("%.0f KiB"):format(grown))
    parts = nil -- luacheck: ignore
  end)
end)

describe("cjson in a state of ours", function()
  it("writes what is lazy", function()
    local script = os.tmpname()
    local file = assert(io.open(script, "w"))
    file:write(([[
      local json, cjson, safe = require "host.json", require "cjson", require "cjson.safe"
      local function value() return json.decode_lazy(%q) end
      for _, codec in ipairs { cjson, safe, cjson.new(), safe.new() } do
        assert(#codec.encode(value()) > 10000)
        assert(codec.decode(codec.encode(value())).v.list[2] == 2)
      end
      local cycle = {}
      cycle.self, cycle.other = cycle, { cycle, cycle }
      assert(not pcall(cjson.encode, cycle))
      assert(not pcall(cjson.encode))
      assert(next(value().v) ~= nil and rawlen(value().w) == 4 and rawget(value().v, "n") == 7)
      assert(json.is_array(value().w) and getmetatable(value().v) == nil)
      setmetatable(value().v, { __index = { a = 1 } })
      print "right"
    ]]):format('{"v":' .. long_object() .. ',"w":' .. long_array() .. "}"))
    file:close()
    local out = assert(io.popen("build/nomad-operator exec " .. script .. " 2>&1"))
    local said = out:read "a"
    out:close()
    os.remove(script)
    assert.truthy(said:find("right", 1, true), said)
    assert.is_string(cjson.encode {})
  end)
end)
