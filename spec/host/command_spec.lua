-- The commands of the host: init, exec and what a program can call, exit codes.
local json = require "host.json"
local process = require "support.process"
local served = require "support.served"

local directory

local function run(...)
  return process.run { os.getenv "NOMAD_OPERATOR_BIN" or "build/nomad-operator", ... }
end

local function path(name)
  return directory .. "/" .. name
end

local function read(name)
  local file = io.open(name, "rb")
  if not file then return nil end
  local text = file:read("a")
  file:close()
  return text
end

local function write(name, text)
  local file = assert(io.open(path(name), "wb"))
  file:write(text)
  file:close()
  return path(name)
end

-- Runs a program, which gets host and host.nomad.
local function exec(text, ...)
  local head = 'local host, nomad = require "host", require "host.nomad"\n'
  local arguments = { "exec", "-log-format", "text", ... }
  arguments[#arguments + 1] = write("program.lua", head .. text)
  return run(table.unpack(arguments))
end

before_each(function()
  directory = os.tmpname()
  os.remove(directory)
  assert(os.execute("mkdir " .. directory))
end)

after_each(function()
  os.execute("rm -rf " .. directory)
end)

describe("init", function()
  it("writes the built-in scripts and says what to do with them", function()
    local code, out = run("init", path "new")
    assert.equal(0, code)
    assert.equal(read "scripts/backup.lua", read(path "new/backup.lua"))
    assert.equal(read "scripts/backup.nomad.hcl", read(path "new/backup.nomad.hcl"))
    assert.matches("Wrote .*/new/backup%.lua\n", out)
    assert.matches("nomad%-operator run .*/new\n", out)
    assert.equal(0, (run("check", path "new")))
  end)

  it("overwrites nothing", function()
    write("backup.lua", "mine")
    local code, _, err = run("init", directory)
    assert.equal(1, code)
    assert.matches("backup%.lua: this file is there already", err)
    assert.equal("mine", read(path "backup.lua"))
    assert.is_nil(read(path "backup.nomad.hcl"))
  end)

  it("says why it cannot", function()
    local code, _, err = run("init", "/proc/none")
    assert.equal(1, code)
    assert.matches("/proc/none: No such file or directory", err)
    code, _, err = run("init", write("file", ""))
    assert.equal(1, code)
    assert.matches("this is not a directory", err)
  end)
end)

describe("exec", function()
  it("runs a program; its result is the exit code", function()
    local code, out = exec 'host.sleep(0.01) host.print("hello\\n") return 7'
    assert.equal(7, code)
    assert.equal("hello\n", out)
  end)

  it("logs numbers and truth values as JSON has them", function()
    local fields = '{ n = 15, part = 0.5, none = 1 / 0, yes = true, text = "15" }'
    local code, _, err = exec(('host.log("warn", "m", %s)'):format(fields), "-log-format", "json")
    assert.equal(0, code)
    local record = json.decode(err)
    assert.is_string(record.none)
    record.none, record.time = nil, nil
    assert.same({
      level = "warn", msg = "m", n = 15, part = 0.5, yes = true, text = "15", generation = 1,
    }, record)
  end)

  it("reports an error with file:line", function()
    local code, _, err = exec 'error("boom")'
    assert.equal(1, code)
    assert.matches("program%.lua:2: boom", err)
  end)

  it("ends a program that waits for nothing", function()
    local code, _, err = exec "host.signal():wait()"
    assert.equal(1, code)
    assert.matches("exec waits for something that nobody will do", err)
  end)

  it("ends a program that computes without end", function()
    local code, _, err = exec "while true do pcall(function() while true do end end) end"
    assert.equal(1, code)
    assert.matches("program%.lua:2: used more than 1 s of CPU without waiting", err)
  end)

  it("ends a program that wants all the memory", function()
    local code, _, err = exec('local s = "x" while true do s = s .. s end',
      "-lua-memory-max=8MiB")
    assert.equal(1, code)
    assert.matches("not enough memory", err)
  end)

  it("reads files and directories, built-in ones too", function()
    write("b.lua", "bee")
    local code, out, err = exec(([[
      local dir = %q
      host.print(table.concat(host.list_dir(dir), " ") .. "\n")
      host.print(host.read_file(dir .. "/b.lua") .. "\n")
      host.print(table.concat(host.list_dir("builtin:scripts"), " ") .. "\n")
      host.print(#host.read_file("builtin:scripts/backup.lua") .. "\n")
      for _, name in ipairs { "/nonexistent/x", dir, "/dev/zero", "builtin:nothing" } do
        host.print(select(2, host.read_file(name)) .. "\n")
      end
      host.print(select(2, host.list_dir(dir .. "/b.lua")))]]):format(directory))
    assert.equal(0, code, err)
    assert.equal(([[
b.lua program.lua
bee
backup.lua backup.nomad.hcl
%d
/nonexistent/x: No such file or directory
%s: Is a directory
/dev/zero: this is not a regular file
builtin:nothing: there is no such built-in file
%s/b.lua: Not a directory]]):format(#read "scripts/backup.lua", directory, directory), out)
  end)
end)

describe("host.nomad", function()
  local s

  before_each(function()
    s = served.start()
  end)

  after_each(function()
    s:close()
  end)

  local function ask(text, ...)
    local code, out, err = exec(text, "-address", s.server.address, ...)
    assert.equal(0, code, err)
    return out
  end

  it("gives the answer's status, body and index", function()
    s:put_job "a/b"
    local out = ask [[
      local path = "/v1/job/" .. nomad.escape "a/b"
      local r = assert(nomad.request { path = path, query = { namespace = "default" } })
      host.print(("%d %s %s"):format(r.status, math.type(r.index), r.body:match '"ID":"(a/b)"'))]]
    assert.equal("200 integer a/b", out)
  end)

  it("gives an error that says all", function()
    local out = ask [[
      local r, e = nomad.request { path = "/v1/job/none" }
      host.print(("%s %s %d %s %s\n"):format(r, e.code, e.status, e.retryable, e.request))
      host.print(tostring(e))]]
    assert.matches("^nil not_found 404 false GET /v1/job/none\n", out)
    assert.matches("/v1/job/none.*job not found", out)
  end)

  it("refuses a caller's mistakes before anything is sent", function()
    local out = ask [[
      for _, r in ipairs {
        { path = "/v1/jobs\r\nX: y" }, { path = "v1" }, {}, { path = "/v1/jobs?a=b" },
        { path = "/", method = "get" }, { path = "/", query = { a = {} } },
        { path = "/", query = "a=b" }, { path = "/", timeout = 0 }, { path = "/", body = {} },
      } do
        local ok, err = pcall(nomad.request, r)
        host.print(tostring(ok) .. " " .. tostring(err):sub(1, 200) .. "\n")
      end]]
    local _, refused = out:gsub("false [^\n]*\n", "")
    assert.equal(9, refused, out)
    assert.equal(0, #s.nomad.requests)
  end)

  it("sends nothing that writes with -dry-run", function()
    local out = ask([[
      local r, e = nomad.request { method = "PUT", path = "/v1/jobs", body = "{}" }
      host.print(e.code)]], "-dry-run")
    assert.equal("dry_run", out)
    assert.equal(0, #s.nomad:writes())
  end)

  it("ends a request with its task", function()
    local out = ask [[
      local t = host.spawn("long", function()
        local query = { index = 1000000, wait = "60s" }
        nomad.request { path = "/v1/jobs", query = query, timeout = 100 }
      end, function(ok, e) host.print(e.code) end)
      host.sleep(0.3)
      t:cancel()
      host.sleep(0.05)]]
    assert.equal("cancelled", out)
  end)

  it("cuts a list while it comes, whatever its size and the reader's speed", function()
    -- More than the reader lets wait (4 MiB), so that it has to pause the connection and go on.
    for i = 1, 300 do
      s.nomad:register {
        ID = ("job-%03d"):format(i), Type = "service", Datacenters = { "dc1" },
        Meta = { pad = ("x"):rep(30000) },
        TaskGroups = { { Name = "m", Tasks = { { Name = "m", Driver = "raw_exec" } } } },
      }
    end
    local out = ask [[
      local query = { namespace = "*", meta = true }
      local list = assert(nomad.list { path = "/v1/jobs", query = query })
      host.sleep(0.2)
      local n, last = 0, ""
      for text in function() return list:next() end do
        n = n + 1
        local id = text:match '"ID":"([^"]+)"'
        assert(id > last and text:sub(1, 1) == "{" and text:sub(-1) == "}")
        last = id
        assert(#text > 30000)
        if n % 100 == 0 then host.sleep(0.05) end
      end
      host.print(("%d %s %s"):format(n, math.type(list.index), list.index > 300))]]
    assert.equal("300 integer true", out)
  end)

  it("says why a list cannot be had, or broke off", function()
    s:put_job "a"
    local out = ask [[
      local list, e = nomad.list { path = "/v1/job/none" }
      host.print(tostring(list) .. " " .. e.code .. "\n")
      list, e = nomad.list { path = "/v1/job/a" }
      host.print(tostring(list) .. " " .. e.code .. "\n")
      list = assert(nomad.list { path = "/v1/nodes" })
      list:close()
      host.print(tostring(list:next()))]]
    assert.equal("nil not_found\nnil not_nomad\nnil", out)
  end)
end)
