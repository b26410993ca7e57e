-- A terminal that goes away: its SIGHUP ends the program instead of reloading it.
local process = require "support.process"
local wait = require "support.wait"

local program = os.getenv "NOMAD_OPERATOR_BIN" or "build/nomad-operator"

local function pid_of(name)
  local file = io.open(name)
  local text = file and file:read "a" or ""
  if file then
    file:close()
  end
  return tonumber(text)
end

local function alive(pid)
  return (os.execute(("kill -0 %d 2>/dev/null"):format(pid)))
end

describe("a terminal", function()
  it("takes the program with it when it is closed", function()
    local name = os.tmpname()
    -- script(1) gives the program a terminal; when script is killed, the terminal is gone.
    local command = ("echo $$ >%s; exec %s run -address 127.0.0.1:1"):format(name, program)
    local terminal = process.start { "script", "-qec", command, "/dev/null" }
    wait.until_true(20, "the program is up", function()
      return terminal.stdout:find "No event stream"
    end)
    local pid = pid_of(name)
    os.remove(name)
    finally(function()
      os.execute(("kill -9 %d 2>/dev/null"):format(pid))
    end)
    assert.is_true(alive(pid))
    terminal:signal "sigkill"
    wait.until_true(10, "the program ends with its terminal", function()
      return not alive(pid)
    end)
  end)
end)
