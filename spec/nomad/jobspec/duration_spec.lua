-- duration: what Go's time.ParseDuration makes of a text, and what its String makes of a number. The nanoseconds are
-- Go's own answers.
local duration = require "nomad.jobspec.duration"

describe("a length of time", function()
  it("is read as Go reads it", function()
    for text, nanoseconds in pairs {
      ["30s"] = 30000000000,
      ["1h30m"] = 5400000000000,
      ["1.5s"] = 1500000000,
      ["250ms"] = 250000000,
      ["0"] = 0,
      ["+0"] = 0,
      ["-0"] = 0,
      ["0s"] = 0,
      ["-1s"] = -1000000000,
      ["+2us"] = 2000,
      ["3µs"] = 3000,
      ["3μs"] = 3000,
      [".5s"] = 500000000,
      ["1.s"] = 1000000000,
      ["2562047h47m16.854775807s"] = math.maxinteger,
      ["1h1h"] = 7200000000000,
      -- Zeros before it, however many.
      ["00000000000000000000001s"] = 1000000000,
      -- What is below a nanosecond, and what fits no number behind the point, is dropped.
      ["1.9ns"] = 1,
      ["1.9999999999999999999m"] = 119999999999,
      ["0.92233720368547758085s"] = 922337203,
      ["1618.587009767h"] = 5826913235161200,
      ["2606.5333104s9µs"] = 2606533319400,
      -- The ends of what 64 bits hold.
      ["9223372036854775807ns"] = math.maxinteger,
      ["9223372036854775.807us"] = math.maxinteger,
      ["-9223372036854775808ns"] = math.mininteger,
      ["-9223372036854775.808us"] = math.mininteger,
    } do
      assert.equal(nanoseconds, duration.parse(text), text)
    end
  end)

  it("is refused where Go refuses it", function()
    for _, text in ipairs {
      "",
      "s",
      "1",
      "1d",
      "1 s",
      "-",
      "+",
      ".s",
      "1.2.3s",
      "1..2s",
      "1S",
      "9e9s",
      "1h0",
      "1s0",
      "--1s",
      "1s ",
      "1s\n",
    } do
      local nanoseconds, err = duration.parse(text)
      assert.is_nil(nanoseconds, text)
      assert.equal(
        ('"%s" is not a length of time; write it like "30s", "10m" or "1h30m"'):format(text),
        err
      )
    end
  end)

  it("is refused where it does not fit", function()
    for _, text in ipairs {
      "9223372036854775808ns",
      "-9223372036854775809ns",
      "9223372036854775.808us",
      "9223372036.854775808s",
      "2562048h",
      "99999999999999999999s",
      "18446744073709551616ns",
      "2562047h47m16.854775807s1ns",
    } do
      local nanoseconds, err = duration.parse(text)
      assert.is_nil(nanoseconds, text)
      assert.equal(('"%s" is longer than Nomad can count, which is 292 years'):format(text), err)
    end
  end)

  it("is written as Go writes it", function()
    for text, nanoseconds in pairs {
      ["1h30m0s"] = 5400000000000,
      ["1.5s"] = 1500000000,
      ["250ms"] = 250000000,
      ["0s"] = 0,
      ["1m0s"] = 60000000000,
      ["1.5µs"] = 1500,
      ["5ns"] = 5,
      ["-2s"] = -2000000000,
      ["-2562047h47m16.854775808s"] = math.mininteger,
    } do
      assert.equal(text, duration.text(nanoseconds))
    end
  end)

  it("has no zeros at its end for a person", function()
    for text, nanoseconds in pairs {
      ["1h30m"] = 5400000000000,
      ["10h"] = 36000000000000,
      ["10m"] = 600000000000,
      ["1h0m5s"] = 3605000000000,
      ["0s"] = 0,
      ["500ms"] = 500000000,
    } do
      assert.equal(text, duration.short(nanoseconds))
    end
  end)
end)
