-- The raw filter held against its meaning, lib/operator/filter.lua: on lines as Nomad sent them, and on generated
-- objects and conditions. WHERE_LINES says how many are generated (make where: a million), WHERE_SEED from which seed.
local filter = require "operator.filter"
local generate = require "support.where"
local json = require "host.json"
local scan = require "host.scan"

local LINES = tonumber(os.getenv "WHERE_LINES" or 20000)
local SEED = tonumber(os.getenv "WHERE_SEED" or 1)

-- A program, and what it means.
local function compile(watch)
  local one = filter.new(watch.where, watch.except)
  return scan.where({ one:program() }), one
end

local function job(text)
  return '{"Job":' .. text .. "}"
end

-- Raw and decoded must agree; returns what the raw filter said.
local function agree(watch, text)
  local program, meaning = compile(watch)
  local payload = job(text)
  local raw = program:payload(payload)
  local object = assert(json.decode(payload)).Job
  local decided = meaning:match(object, payload)
  if raw ~= nil and raw ~= decided then
    error(
      ("raw %s, decoded %s\nwatch %s\npayload %s"):format(
        raw,
        decided,
        generate.show(watch),
        payload
      ),
      2
    )
  end
  return raw
end

describe("host.scan.where", function()
  local YES, NO, UNSURE = true, false, nil
  local cases = {
    { "a string", { A = "x" }, [[{"A":"x"}]], YES },
    { "another string", { A = "x" }, [[{"A":"xy"}]], NO },
    { "a field that is not there", { A = "x" }, [[{}]], NO },
    { "an escaped value", { A = "auto" }, [[{"A":"\u0061ut\u006f"}]], YES },
    { "an escaped key", { ["auto-backup"] = "true" }, [[{"\u0061uto-backup":"true"}]], YES },
    { "a surrogate pair", { A = "😀" }, [[{"A":"\ud83d\ude00"}]], YES },
    { "half of one", { A = "\u{FFFD}" }, [[{"A":"\ud83d"}]], YES },
    { "the last of two keys", { A = "x" }, [[{"A":"y","A":"x"}]], YES },
    { "the first of two keys", { A = "x" }, [[{"A":"x","A":"y"}]], NO },
    { "a key that null takes away", { A = "x" }, [[{"A":"x","A":null}]], NO },
    { "two keys of which one is escaped", { A = "x" }, [[{"A":"y","\u0041":"x"}]], YES },
    { "an integer", { A = 1 }, [[{"A":1}]], YES },
    { "an integer that is written as a float", { A = 1 }, [[{"A":1.0}]], YES },
    { "a float that is written as an integer", { A = 1.0 }, [[{"A":1}]], YES },
    { "an exponent", { A = 1000 }, [[{"A":1e3}]], YES },
    { "minus nought", { A = 0 }, [[{"A":-0}]], YES },
    { "a large integer", { A = 2 ^ 53 | 0 }, [[{"A":9007199254740993}]], NO },
    { "the same exactly", { A = (2 ^ 53 | 0) + 1 }, [[{"A":9007199254740993}]], YES },
    { "a large integer against a float", { A = 2.0 ^ 53 }, [[{"A":9007199254740993}]], NO },
    { "2^63", { A = 2.0 ^ 63 }, [[{"A":9223372036854775808}]], YES },
    { "the least integer", { A = math.mininteger }, [[{"A":-9223372036854775808}]], YES },
    { "a number that is a string", { A = 1 }, [[{"A":"1"}]], NO },
    { "true", { A = true }, [[{"A":true}]], YES },
    { "false", { A = false }, [[{"A":false}]], YES },
    { "false for absent", { A = false }, [[{}]], YES },
    { "false for null", { A = false }, [[{"A":null}]], YES },
    { "false for nought", { A = false }, [[{"A":0}]], NO },
    { "any of", { A = { "x", "y" } }, [[{"A":"y"}]], YES },
    { "none of", { A = { "x", "y" } }, [[{"A":"z"}]], NO },
    { "a nested object", { A = { B = { C = "x" } } }, [[{"A":{"B":{"C":"x"}}}]], YES },
    {
      "a nested key elsewhere",
      { Meta = { a = "x" } },
      [[{"TaskGroups":[{"Meta":{"a":"x"}}],"Meta":{"b":"x"}}]],
      NO,
    },
    { "an element", { A = { B = "x" } }, [[{"A":[{"B":"y"},{"B":"x"}]}]], YES },
    { "no element", { A = { B = "x" } }, [[{"A":[{"B":"y"},{}]}]], NO },
    { "an element of a list in a list", { A = "x" }, [=[{"A":[["y"],["x"]]}]=], YES },
    { "an element that is false", { A = false }, [[{"A":[null,false]}]], YES },
    { "an element that is null", { A = false }, [[{"A":[null]}]], NO },
    { "a present string", { A = filter.present }, [[{"A":"x"}]], YES },
    { "an empty string", { A = filter.present }, [[{"A":""}]], NO },
    { "an empty object", { A = filter.present }, [[{"A":{ }}]], NO },
    { "an object of nulls", { A = filter.present }, [[{"A":{"b":null}}]], NO },
    { "an object with a null", { A = filter.present }, [[{"A":{"b":null,"c":1}}]], UNSURE },
    { "an empty list", { A = filter.present }, [[{"A":[ ]}]], NO },
    { "a list of null", { A = filter.present }, [[{"A":[null]}]], YES },
    { "nought", { A = filter.present }, [[{"A":0}]], YES },
    { "a prefix", { A = filter.prefix "ab" }, [[{"A":"abc"}]], YES },
    { "no prefix", { A = filter.prefix "ab" }, [[{"A":"a"}]], NO },
    { "an escaped prefix", { A = filter.prefix "ab" }, [[{"A":"\u0061b\n"}]], YES },
    { "half a character", { A = filter.prefix "\xC3" }, [[{"A":"\u00e9"}]], YES },
    { "a text", filter.mentions "auto", [[{"B":{"xautox":1}}]], YES },
    { "no text", filter.mentions "auto", [[{"B":{"xaut":1,"b":"\n"}}]], NO },
    {
      "a text that is spelt with an escape",
      filter.mentions "auto",
      [[{"B":"\u0061uto"}]],
      UNSURE,
    },
    { "an escape that spells none of it", filter.mentions "auto", [[{"B":"\u003c"}]], NO },
    { "white space", { A = "x" }, ' { "A" :\t"x" ,\n"B" : [ ] } ', YES },
  }

  for _, case in ipairs(cases) do
    it("decides " .. case[1], function()
      assert.are.equal(case[4], agree({ where = case[2] }, case[3]))
    end)
  end

  local mentions, null = filter.mentions "auto", [[{"A":{"b":null,"c":1}}]] -- of which A is present: unsure
  local exceptions = {
    { "no exception", { A = "x" }, { B = "y" }, [[{"A":"x","B":"z"}]], YES },
    { "an exception", { A = "x" }, { B = "y" }, [[{"A":"x","B":"y"}]], NO },
    { "an exception of what does not match", { A = "x" }, { B = "y" }, [[{"A":"z","B":"y"}]], NO },
    { "an exception without a where", nil, { B = "y" }, [[{"A":"x","B":"y"}]], NO },
    { "what is left without a where", nil, { B = "y" }, [[{"A":"x"}]], YES },
    {
      "one of several exceptions",
      { A = "x" },
      { { B = "y" }, { B = "z" } },
      [[{"A":"x","B":"z"}]],
      NO,
    },
    {
      "a nested exception",
      { A = { B = "x" } },
      { A = { C = "y" } },
      [[{"A":{"C":"y","B":"x"}}]],
      NO,
    },
    { "a text, but for a field", mentions, { A = "x" }, [[{"A":"x","B":"auto"}]], NO },
    { "a text, and not the field", mentions, { A = "x" }, [[{"A":"y","B":"auto"}]], YES },
    { "a field, but for a text", { A = "x" }, mentions, [[{"A":"x","B":"auto"}]], NO },
    { "a field, and not the text", { A = "x" }, mentions, [[{"A":"x","B":"aut"}]], YES },
    {
      "an exception that cannot be told",
      { A = filter.present },
      { A = filter.present },
      null,
      UNSURE,
    },
    { "one that cannot, of a match", { A = { c = 1 } }, { A = filter.present }, null, UNSURE },
    { "one that cannot, of no match", { A = { c = 2 } }, { A = filter.present }, null, NO },
    { "an exception of what cannot", { A = filter.present }, { A = { c = 1 } }, null, NO },
    { "no exception of what cannot", { A = filter.present }, { A = { c = 2 } }, null, UNSURE },
    {
      "an escaped text, but for a field",
      mentions,
      { A = "x" },
      [[{"A":"x","B":"\u0061uto"}]],
      NO,
    },
  }
  for _, case in ipairs(exceptions) do
    it("decides " .. case[1], function()
      assert.are.equal(case[5], agree({ where = case[2], except = case[3] }, case[4]))
    end)
  end

  it("refuses an exception of one, or of three", function()
    for _, count in ipairs { 0, 1, 3 } do
      local node = { kind = "except" }
      for i = 1, count do
        node[i] = { kind = "present" }
      end
      assert.has_error(function()
        scan.where { node }
      end, "a where's except is not of two")
    end
  end)

  it("says yes if any of several programs does, and asks each by its own names", function()
    local program = scan.where {
      filter.new({ Meta = { a = "1" } }):program(),
      filter.new({ Type = "batch" }):program(),
      filter.new({ Meta = { b = filter.present } }):program(),
    }
    assert.is_true(program:payload(job [[{"Meta":{"a":"1"}}]]))
    assert.is_true(program:payload(job [[{"Meta":{"b":"1"}}]]))
    assert.is_true(program:payload(job [[{"Type":"batch"}]]))
    assert.is_false(program:payload(job [[{"Meta":{"a":"2"},"Type":"service"}]]))
    assert.is_false((scan.where {}):payload(job "{}"))
  end)

  it("says which of several programs hold, or that it is not sure of all", function()
    local gen, sure = generate.new(SEED, filter), 0
    for _ = 1, LINES // 4 do
      local case = { gen:case(3) }
      local text, programs, expected = table.remove(case, 1), {}, 0
      local payload, object = job(text), assert(json.decode(text))
      for i, watch in ipairs(case) do
        local one = filter.new(watch.where, watch.except)
        programs[i] = one:program()
        expected = expected | (one:match(object, payload) and 1 << (i - 1) or 0)
      end
      local _, _, _, holds = scan.where(programs):payload(payload)
      if holds then
        sure = sure + 1
        assert.are.equal(expected, holds, generate.show(case) .. "\n" .. text)
      end
    end
    assert.is_true(sure > LINES / 8, "sure: " .. sure)
  end)

  it("leaves to Lua what it cannot walk, what is deleted, and what is not there", function()
    local program = compile { where = { A = "x" } }
    for _, payload in ipairs {
      "",
      "{",
      "null",
      "[]",
      "{}",
      '{"Job":null}',
      '{"Job":[]}',
      '{"Job":{"A":"y"}',
      '{"Job":{"A" "y"}}',
      '{"Job":{"A":"y",}}',
      '{"Job":{"A":y}}',
      '{"Job":{"A":"y"},"Deleted":true}',
      '{"Job":{"A":"y"}}x',
    } do
      assert.is_nil((program:payload(payload)), payload)
    end
    assert.is_false((program:payload '{"Deleted":false,"Job":{"A":"y"}}'))
  end)

  it("tells the object's ModifyIndex", function()
    local program = compile { where = { A = "x" } }
    local _, version = program:payload(job [[{"ModifyIndex":17,"A":{"ModifyIndex":99}}]])
    assert.are.equal(17, version)
  end)

  it("agrees on every event that Nomad sent", function()
    local watches, events = generate.watches(filter), 0
    for _, name in ipairs { "jobs", "namespace-team-a" } do
      for line in io.lines("spec/fixtures/recordings/" .. name .. ".ndjson") do
        for _, event in ipairs(scan.events(line)) do
          local text = event.topic == "Job" and event.payload:match '^{"Job":(.*)}$'
          for _, watch in ipairs(text and watches or {}) do
            agree(watch, text)
            events = events + 1
          end
        end
      end
    end
    assert.is_true(events > 100)
  end)

  it("leaves out no stub of which the decoded one says yes, or cannot tell", function()
    local gen = generate.new(SEED, filter)
    local out = 0
    for i = 1, LINES // 4 do
      local watch, text = gen:pair()
      local one, shallow = filter.new(watch.where, watch.except), i % 2 == 0
      local program = one:stub_program(shallow)
      local raw = program and (scan.where { program }):object(text)
      if program and raw == false then
        local decided = one:match_stub(json.decode(text))
        out = out + 1
        assert.is_true(
          decided == false or (shallow and decided == nil),
          generate.show(watch) .. "\n" .. text
        )
      end
    end
    assert.is_true(out > LINES / 40, "left out: " .. out)
  end)

  it("says no of no stub whose object matches", function()
    local gen = generate.new(SEED, filter)
    local said = { yes = 0, no = 0, nothing = 0 }
    for _ = 1, LINES // 4 do
      local watch, text = gen:pair()
      local one, object = filter.new(watch.where, watch.except), assert(json.decode(text))
      local stub = { JobSummary = "auto-backup" }
      for name in pairs(one.stub) do
        stub[name] = object[name]
      end
      local decided = one:match_stub(stub)
      local answer = decided == nil and "nothing" or decided and "yes" or "no"
      said[answer] = said[answer] + 1
      if decided == false then
        assert.is_false(one:match(object), generate.show(watch) .. "\n" .. text)
      end
    end
    for answer, count in pairs(said) do
      assert.is_true(count > LINES / 80, answer .. ": " .. count)
    end
  end)

  it(
    "leaves out stubs without the text of a shallow policy, and none where all have to be read",
    function()
      local hints = filter.new { filter.mentions "auto-backup", filter.mentions "autobackup" }
      local program = scan.where { hints:stub_program(true) }
      assert.is_false(program:object '{"ID":"web","Meta":{"a":"b"}}')
      assert.is_true(program:object '{"ID":"web","Meta":{"auto-backup":"b"}}')
      assert.is_nil(program:object '{"ID":"web","Meta":{"\\u0061uto-backup":"b"}}')
      assert.is_nil(hints:stub_program(false))
      assert.is_nil(filter.new({ TaskGroups = { Name = "x" } }):stub_program(false))
      local never = scan.where { filter.new({ TaskGroups = { Name = "x" } }):stub_program(true) }
      assert.is_false(never:object '{"ID":"web"}')
    end
  )

  it(("agrees on %d generated lines from seed %d"):format(LINES, SEED), function()
    local gen = generate.new(SEED, filter)
    local said = { yes = 0, no = 0, unsure = 0 }
    for _ = 1, LINES do
      local raw = agree(gen:pair())
      local answer = raw == nil and "unsure" or raw and "yes" or "no"
      said[answer] = said[answer] + 1
    end
    -- A generator of which all is one answer would prove nothing.
    assert.is_true(said.yes > LINES / 10, "yes: " .. said.yes)
    assert.is_true(said.no > LINES / 10, "no: " .. said.no)
    assert.is_true(said.unsure < LINES / 4, "unsure: " .. said.unsure)
    if LINES > 20000 then
      print(
        ("0 differences over %d lines (yes %d, no %d, left to Lua %d)"):format(
          LINES,
          said.yes,
          said.no,
          said.unsure
        )
      )
    end
  end)
end)
