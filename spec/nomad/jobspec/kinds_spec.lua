-- kinds: what is nothing, a list, an object, and what may be taken for one.
local json = require "host.json"
local kinds = require "nomad.jobspec.kinds"

describe("a value of a job", function()
  -- What each question says of: nil, null, "", 0, 0.0, false, {}, [], [1], {"a":1}, true, 1, "x".
  local values = table.pack(
    nil,
    json.null,
    "",
    0,
    0.0,
    false,
    {},
    json.array {},
    json.array { 1 },
    { a = 1 },
    true,
    1,
    "x"
  )
  for name, expected in pairs {
    is_zero = "yyyyyyyy.....",
    is_list = ".......yy....",
    is_object = "......y..y...",
    may_be_list = "......yyy....",
    may_be_object = "......yy.y...",
  } do
    it("answers " .. name, function()
      local answers = {}
      for i = 1, values.n do
        answers[i] = kinds[name](values[i]) and "y" or "."
      end
      assert.equal(expected, table.concat(answers))
    end)
  end
end)
