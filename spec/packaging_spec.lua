-- What packaging/Dockerfile does, proven without a container engine: make install into an empty directory, and what
-- the second stage installs is all that the program needs, as a user without rights.
local uv = require "luv"
local process = require "support.process"

local function read(path)
  local file = assert(io.open(path))
  local text = file:read("a")
  file:close()
  return text
end

local function run(options)
  local code, out, err = process.run(options)
  assert.equal(0, code, out .. err)
  return out
end

describe("the image", function()
  local root
  local dockerfile = read("packaging/Dockerfile")

  setup(function()
    root = assert(uv.fs_mkdtemp((os.getenv("TMPDIR") or "/tmp") .. "/nomad-operator-image-XXXXXX"))
    run { "chmod", "755", root }
    local command = assert(dockerfile:match("RUN make %-C /src install DESTDIR=/out PREFIX=(%S+)"))
    run { "make", "-s", "install", "DESTDIR=" .. root, "PREFIX=" .. command, seconds = 300 }
  end)

  teardown(function()
    process.run { "rm", "-rf", root }
  end)

  -- The shared libraries of the program, as the loader finds them: name -> path.
  local function libraries()
    local found = {}
    for name, path in run({ "ldd", root .. "/usr/bin/nomad-operator" }):gmatch("(%S+) => (/%S+)") do
      found[name] = path
    end
    return found
  end

  it("has the program where the entry point looks for it", function()
    local entry = assert(dockerfile:match('ENTRYPOINT %["([^"]+)"%]'))
    assert.truthy(uv.fs_stat(root .. entry))
    assert.truthy(dockerfile:find("COPY --from=build /out" .. entry .. " " .. entry, 1, true))
  end)

  it("installs the packages of the libraries that the program names itself", function()
    local wanted = {
      "libc.so.6", "libm.so.6", "libcurl.so.4", "libcrypto.so.3", -- libcurl brings it
      "libmicrohttpd.so.12",
    }
    local headers = run { "readelf", "-d", root .. "/usr/bin/nomad-operator" }
    for name in headers:gmatch("NEEDED%)%s+Shared library: %[([^%]]+)%]") do
      local known = false
      for _, one in ipairs(wanted) do known = known or one == name end
      assert.is_true(known, name .. " is needed, but no package of the image has it")
    end
    assert.truthy(dockerfile:find("libcurl4", 1, true))
    assert.truthy(dockerfile:find("libmicrohttpd12", 1, true))
  end)

  it("runs without root in a directory of its own", function()
    if uv.getuid() ~= 0 then
      pending("chroot needs root")
      return
    end
    for _, path in pairs(libraries()) do run { "cp", "--parents", "-L", path, root } end
    local needed = run { "ldd", root .. "/usr/bin/nomad-operator" }
    local loader = assert(needed:match("\n%s*(/%S+ld%-%S+)"))
    run { "cp", "--parents", "-L", loader, root }
    local user = assert(dockerfile:match("\nUSER (%d+)"))
    local out = run {
      "chroot", "--userspec=" .. user .. ":" .. user, root,
      "/usr/bin/nomad-operator", "check", "builtin:scripts",
    }
    assert.truthy(out:find("policy backup", 1, true), out)
  end)

  it("leaves nothing of the build out of the first stage", function()
    assert.truthy(read(".dockerignore"):find("build", 1, true))
    assert.is_nil(dockerfile:find("USER root", 1, true))
  end)
end)
