-- tools/fake_nomad.lua: the served model as a program.
local http = require "support.http"
local json = require "host.json"
local process = require "support.process"
local uv = require "luv"
local wait = require "support.wait"

describe("tools/fake_nomad.lua", function()
  local program

  after_each(function()
    if program then program:stop() end
    program = nil
  end)

  local function address()
    return wait.until_true(10, function() return program:said() end, function()
      return program.stdout:match "^listening on http://127%.0%.0%.1:(%d+)\n"
        or program.open == 0 and error(program:said(), 0)
    end)
  end

  it("says where it listens, has jobs, and ends at SIGTERM", function()
    program = process.start { "lua5.4", "tools/fake_nomad.lua", "-jobs", 20, "--marked", "3" }
    local port = tonumber(address())
    local list = json.decode(http.request({ port = port, path = "/v1/jobs?meta=true" }).body)
    assert.equal(20, #list)
    local marked = 0
    for _, stub in ipairs(list) do
      marked = marked + (stub.Meta and stub.Meta["auto-backup"] and 1 or 0)
    end
    assert.equal(3, marked)
    local wrong = { port = port, path = "/v1/_fault", method = "POST", body = "[" }
    assert.equal(400, http.request(wrong).status)
    program:signal "sigterm"
    assert.equal(0, program:wait(5))
    assert.equal("", program.stderr)
  end)

  it("works from another directory, and ends with its input", function()
    local here = uv.cwd()
    local command = ": | lua5.4 %s/tools/fake_nomad.lua -stdin -version 1.4.3"
    program = process.start { "sh", "-c", command:format(here), cwd = "/" }
    address()
    assert.equal(0, program:wait(5))
  end)

  it("refuses what it does not know", function()
    local code, _, stderr = process.run { "lua5.4", "tools/fake_nomad.lua", "-prot", "1" }
    assert.equal(1, code)
    assert.matches("-prot: there are -port", stderr, 1, true)
    program = process.start { "lua5.4", "tools/fake_nomad.lua" }
    code, _, stderr = process.run { "lua5.4", "tools/fake_nomad.lua", "-port", address() }
    assert.equal(1, code)
    assert.matches("EADDRINUSE", stderr)
  end)
end)
