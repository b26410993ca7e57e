-- The raw scanner on lines as Nomad sent them, held against the codec.
local json = require "host.json"
local scan = require "host.scan"

describe("host.scan", function()
  for _, name in ipairs { "jobs", "namespace-team-a" } do
    it("finds in " .. name .. ".ndjson what decoding the line finds", function()
      local lines = 0
      for line in io.lines("spec/fixtures/recordings/" .. name .. ".ndjson") do
        local decoded = assert(json.decode(line))
        local events, index = scan.events(line)
        assert.are.equal(decoded.Index or 0, index)
        assert.are.equal(#(decoded.Events or {}), #events)
        for i, event in ipairs(events) do
          local expected = decoded.Events[i]
          assert.are.equal(expected.Topic, event.topic)
          assert.are.equal(expected.Type, event.type)
          assert.are.equal(expected.Key, event.key)
          assert.are.equal(expected.Namespace or "", event.namespace)
          assert.are.equal(expected.Index, event.index)
          assert.are.equal(json.digest(expected.Payload), json.digest(json.decode(event.payload)))
        end
        lines = lines + 1
      end
      assert.is_true(lines > 3)
    end)
  end

  it("unescapes names, and gives an absent field as an empty string", function()
    local event = scan.events([[{"Events":[{"Topic":"\u004aob","Key":"a\"b"}],"Index":3}]])[1]
    assert.are.same(
      { topic = "Job", type = "", key = 'a"b', namespace = "", index = 3, payload = "" },
      event)
  end)

  it("knows a heartbeat, and what is no line of the stream", function()
    assert.are.same({}, (scan.events "{}"))
    assert.is_nil(scan.events "Permission denied")
    assert.is_nil(scan.events [[{"Events":[{"Topic":"Job"]])
    assert.is_nil(scan.events "")
  end)
end)
