-- The tools of the build: what they say when something is missing, and that the checks catch what they are for.
local uv = require "luv"
local process = require "support.process"

describe("tools", function()
  local dir
  local root = assert(uv.cwd())

  before_each(function()
    dir = assert(uv.fs_mkdtemp((os.getenv("TMPDIR") or "/tmp") .. "/nomad-operator-tools-XXXXXX"))
  end)

  after_each(function()
    process.run { "rm", "-rf", dir }
  end)

  local function write(name, text, executable)
    local path = dir .. "/" .. name
    process.run { "mkdir", "-p", path:match("^(.*)/") }
    local file = assert(io.open(path, "w"))
    file:write(text)
    file:close()
    if executable then uv.fs_chmod(path, 493) end
    return path
  end

  local function lines_of(text)
    return select(2, text:gsub("\n", "\n"))
  end

  describe("nomad/find", function()
    -- On a PATH with nothing but what the script itself needs: no Go, no Nomad.
    local function find(options)
      process.run { "mkdir", "-p", dir .. "/bin" }
      for _, name in ipairs { "bash", "dirname", "head" } do
        uv.fs_symlink(uv.fs_realpath("/usr/bin/" .. name), dir .. "/bin/" .. name)
      end
      table.insert(options, 1, root .. "/tools/nomad/find")
      table.insert(options, 1, "/usr/bin/env")
      options.env = options.env or {}
      options.env.HOME, options.env.PATH = dir, dir .. "/bin"
      return process.run(options)
    end

    local function fake(name, version)
      return write(name, ("#!/bin/sh\necho 'Nomad v%s'\n"):format(version), true)
    end

    it("takes NOMAD_BIN before PATH before the cache", function()
      local cached = fake(".cache/nomad-operator/nomad-1.11.3", "1.11.3")
      assert.equal(cached .. "\n", select(2, find {}))
      local on_path = fake("bin/nomad", "1.9.7")
      assert.equal(on_path .. "\n", select(2, find {}))
      local named = fake("mine", "1.8.0")
      assert.equal(named .. "\n", select(2, find { env = { NOMAD_BIN = named } }))
    end)

    it("takes only the version that is wanted", function()
      fake("bin/nomad", "1.4.30")
      local cached = fake(".cache/nomad-operator/nomad-1.4.3", "1.4.3")
      assert.equal(cached .. "\n", select(2, find { "1.4.3" }))
    end)

    it("says in one line what is missing", function()
      local code, out, err = find { "1.4.3" }
      assert.equal(1, code)
      assert.equal("", out)
      assert.equal(1, lines_of(err))
      assert.truthy(err:find("no Nomad 1.4.3", 1, true))
      assert.truthy(err:find("make nomad", 1, true))
    end)

    it("says that there is no Go, or too old a one, to build with", function()
      local _, _, err = find { "-build", "1.4.3" }
      assert.truthy(err:find("no Go", 1, true))
      write("bin/go", "#!/bin/sh\necho go1.24.9\n", true)
      _, _, err = find { "-build", "1.4.3" }
      assert.truthy(err:find("go1.24.9 is too old", 1, true))
    end)

    it("refuses a NOMAD_BIN that is no program", function()
      local code, _, err = find { env = { NOMAD_BIN = dir .. "/nothing" } }
      assert.equal(1, code)
      assert.truthy(err:find("which is no program", 1, true))
    end)
  end)

  describe("deps", function()
    -- A dpkg-query that knows these packages only.
    local function deps(packages)
      write("bin/dpkg-query", ("#!/bin/sh\nprintf 'installed %%s\\n' %s\n"):format(packages), true)
      write("bin/id", "#!/bin/sh\necho 1000\n", true)
      return process.run {
        root .. "/tools/deps", "build", env = { PATH = dir .. "/bin:/usr/bin:/bin" },
      }
    end

    it("is silent when all is there", function()
      local code, out, err = deps("gcc libc6-dev make lua5.4 liblua5.4-dev lua-cjson-dev " ..
        "libuv1-dev libcurl4-openssl-dev libmicrohttpd-dev")
      assert.same({ 0, "", "" }, { code, out, err })
    end)

    it("prints the line to run when it may not install", function()
      local code, _, err = deps("gcc libc6-dev make lua5.4 liblua5.4-dev lua-cjson-dev")
      assert.equal(1, code)
      assert.equal(1, lines_of(err))
      assert.truthy(err:find("apt%-get install [^\n]* libuv1%-dev libcurl4%-openssl%-dev "))
    end)
  end)

  describe("check_layers", function()
    local function check()
      local code, _, err = process.run { "lua5.4", root .. "/tools/check_layers.lua", cwd = dir }
      return code, err
    end

    it("is content with what follows the layers", function()
      write("host/http.c", '#include <curl/curl.h>\n#include "buf.h"\n')
      write("host/buf.h", '#include "mem.h"\n')
      write("host/mem.h", "")
      write("lib/nomad/jobs.lua", 'local json = require "host.json"\n')
      assert.same({ 0, "" }, { check() })
    end)

    for _, case in ipairs {
      { "an include of a higher layer", "buf.c:1: buf of layer", "host/buf.c",
        '#include "http.h"' },
      { "Lua below json", "stream lies below", "host/stream.c", "#include <lua.h>" },
      { "curl outside http", "api.c:2: curl/curl.h", "host/api.c", "\n#include <curl/curl.h>" },
      { "microhttpd outside admin", "http.c:1: microhttpd.h", "host/http.c",
        "#include <microhttpd.h>" },
      { "a file without a layer", "misc.c: has no layer", "host/misc.c", "" },
      { "a long file", "buf.c: 501 lines", "host/buf.c", ("\n"):rep(500) },
      { "a script that requires the host", 'x.lua:1: may not require "host"', "scripts/x.lua",
        'local host = require("host")' },
      { "nomad that requires operator", 'x.lua:1: may not require "operator.queue"',
        "lib/nomad/x.lua", "local o = require 'operator.queue'" },
    } do
      local name, complaint, path, text = table.unpack(case)
      it("catches " .. name, function()
        write(path, text .. "\n")
        local code, err = check()
        assert.equal(1, code)
        assert.truthy(err:find(complaint, 1, true), err)
      end)
    end

    it("catches headers that include each other", function()
      write("host/buf.h", '#include "log.h"\n')
      write("host/log.h", '#include "buf.h"\n')
      local code, err = check()
      assert.equal(1, code)
      assert.truthy(err:find("ring of includes", 1, true), err)
    end)
  end)

  describe("embed", function()
    it("names modules by their place, and keeps every byte", function()
      write("lib/operator/init.lua", "return 1\n")
      write("lib/operator/queue.lua", "")
      write("scripts/backup.nomad.hcl", "a\0\255\"\\")
      write("scripts/backup.lua~", "an editor's")
      local code, out = process.run {
        "lua5.4", root .. "/tools/embed.lua", "lib/operator/queue.lua", "scripts/backup.nomad.hcl",
        "lib/operator/init.lua", "scripts/backup.lua~", cwd = dir,
      }
      assert.equal(0, code)
      local names = {}
      for name in out:gmatch('{"([^"]+)", file_') do names[#names + 1] = name end
      assert.same({ "operator", "operator.queue", "scripts/backup.nomad.hcl" }, names)
      assert.truthy(out:find("\t97,0,255,34,92,\n", 1, true))
      assert.truthy(out:find("embedded_count = 3;", 1, true))
    end)
  end)
end)
