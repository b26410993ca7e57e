-- policy, sandbox, loader: what a script may say, and how it is told what it may not.
local loader = require "operator.loader"

-- Loads scripts given as texts; returns policies, or nil and the error.
local function load_files(files, arguments)
  local names = {}
  for name in pairs(files) do
    names[#names + 1] = name:match("([^/]+)$")
  end
  table.sort(names)
  local host = { logged = {} }
  function host.read_file(path)
    if files[path] then
      return files[path]
    end
    return nil, path .. ": No such file or directory"
  end
  function host.list_dir(path)
    return path == "scripts" and names or nil
  end
  function host.log(level, message)
    host.logged[#host.logged + 1] = level .. " " .. message
  end
  local ok, policies = pcall(loader.load, host, arguments or { "scripts" })
  if ok then
    return policies, host
  end
  return nil, tostring(policies)
end

local function complaint(text)
  local policies, err = load_files({ ["scripts/p.lua"] = text })
  assert.is_nil(policies)
  return err
end

local GOOD = [[
local operator = require "operator"
return operator.policy {
  name = "good", watch = { topic = "Job" }, desired = function() return {} end,
}]]

describe("loader", function()
  it("loads a directory's scripts in order of their names", function()
    local policies = load_files({
      ["scripts/b.lua"] = GOOD:gsub("good", "second"),
      ["scripts/a.lua"] = GOOD,
      ["scripts/notes.txt"] = "x",
    })
    assert.equal("good", policies[1].name)
    assert.equal("second", policies[2].name)
    assert.equal("scripts/a.lua:2", policies[1].source)
    assert.equal(600, policies[1].resync)
  end)

  it("takes several policies from one script", function()
    local policies = load_files({
      ["scripts/a.lua"] = [[
      local operator = require "operator"
      local function one(name)
        local watch = { topic = "Job" }
        return operator.policy { name = name, watch = watch, on = { JobRegistered = print } }
      end
      return { one "a", one "b" }]],
    })
    assert.equal(2, #policies)
  end)

  it("gives every mistake with its file and line", function()
    local cases = {
      { "return {", "scripts/p.lua:1:" },
      { "local x = 1\nreturn nothing", 'scripts/p.lua:2: undefined global "nothing"' },
      { "local x = 1\nfoo = 2", "scripts/p.lua:2: a policy sets no globals; write: local foo" },
      { "return 5", "scripts/p.lua: a policy script returns operator.policy" },
      { "local x", "this one returns nothing" },
      { "return {}", "an empty table" },
      { 'return { "x" }', "item 1 of the returned list is a string" },
      { 'require "io"', "scripts/p.lua:1: a policy may require" },
      { 'require "operater"', "did you mean operator?" },
      { "error('boom')", "scripts/p.lua:1: boom" },
      { "error({})", "scripts/p.lua: table:" },
      { "io.open('/etc/passwd')", 'undefined global "io"' },
      { "return string.dump(print)", "scripts/p.lua:1:" },
    }
    for _, case in ipairs(cases) do
      assert.matches(case[2], complaint(case[1]), 1, true)
    end
  end)

  it("names what is wrong in the policy, at the line of the call", function()
    local function with(fields)
      return complaint(
        'local operator = require "operator"\nreturn operator.policy {\n' .. fields .. "\n}"
      )
    end
    local function expect(fields, text)
      local err = with(fields)
      assert.matches("^scripts/p.lua:2: ", err)
      assert.matches(text, err, 1, true)
    end
    local base = 'name = "x", watch = { topic = "Job" }, '
    expect('watch = { topic = "Job" }', "name: expected lower-case letters")
    expect('name = "X", watch = { topic = "Job" }', "name: expected lower-case letters")
    expect('name = "x"', "watch is missing")
    expect('name = "x", watch = { topic = "Jobs" }', 'unknown topic "Jobs", did you mean Job?')
    expect('name = "x", watch = { topic = "Operator" }', "there are ACLAuthMethod, ACLBindingRule")
    expect(
      'name = "x", watch = { topic = "Job", wehre = {} }',
      'unknown field "wehre", did you mean where?'
    )
    expect(base .. "desird = print", 'unknown field "desird", did you mean desired?')
    expect(base .. "", "the policy does nothing")
    expect(base .. "desired = 5", "desired: expected a function, got a number")
    expect(base .. "desired = print, reconcile = print", "not both")
    expect(base .. 'desired = print, resync = "soon"', 'resync: "soon" is not a length of time')
    expect(base .. 'every = { ["5 minutes"] = print }', 'every["5 minutes"]:')
    expect(base .. 'cron = { ["@every 5m"] = print }', 'cron["@every 5m"]:')
    expect(base .. "on = { JobRegistred = print }", "did you mean JobRegistered?")
    expect(base .. "desired = print, max_delete = -1", "max_delete: expected a whole number from 0")
    expect(base .. "desired = print, replace = 1", "replace: expected a boolean, got a number")
    expect(base .. 'desired = print, ignore = "x"', "ignore: expected a table, got a string")
    expect(base .. 'desired = print, ignore = { "TaskGroups[*]" }', "expected the path of a field")
    expect(base .. 'desired = print, ignore = { "Meta" }', "Meta cannot be left to others")
    expect(
      'name = "x", watch = { topic = "Job", where = { Meta = { a = true } } }, desired = print',
      'write "true"'
    )
    expect(
      'name = "x", watch = { topic = "Job", except = { Meta = { a = 1 } } }, desired = print',
      'watch.except.Meta.a: values of Meta are strings, write "1"'
    )
    expect(
      'name = "x", watch = { topic = "Job", excpet = {} }, desired = print',
      'unknown field "excpet", did you mean except?'
    )
    local alloc =
      'name = "x", on = {}, watch = { topic = "Allocation", %s = { Job = { ID = "a" } } }'
    for _, side in ipairs({ "where", "except" }) do
      local text = ("watch.%s.Job: events of the topic Allocation do not have it"):format(side)
      expect(alloc:format(side), text)
    end
  end)

  it("refuses two policies of one name, naming both places", function()
    local _, err = load_files({ ["scripts/a.lua"] = GOOD, ["scripts/b.lua"] = GOOD })
    assert.equal(
      'scripts/b.lua:2: a policy named "good" is already declared at scripts/a.lua:2',
      err
    )
  end)

  it("says that a file is not there, or a directory empty", function()
    local _, err = load_files({}, { "nowhere.lua" })
    assert.equal("nowhere.lua: No such file or directory", err)
    _, err = load_files({ ["scripts/readme.md"] = "" })
    assert.matches("no policy in this directory", err, 1, true)
  end)

  it("keeps scripts apart from each other and from the libraries", function()
    local policies, host = load_files({
      ["scripts/a.lua"] = 'string.find = nil; assert(getmetatable("") == nil)\n' .. GOOD,
      ["scripts/b.lua"] = 'assert(string.find("ab", "b") == 2); print("x", 1)\n'
        .. GOOD:gsub("good", "b"),
    })
    assert.is_table(policies, host)
    assert.same({ "info x 1" }, host.logged)
    assert.is_function(string.find)
  end)
end)

describe("operator.occurs", function()
  local json = require "host.json"
  local operator = require "operator"

  it("finds keys and strings at any depth, in what was touched and what was not", function()
    local filler = ('"a":"%s",'):format(("x"):rep(8000))
    local text = ('{"TaskGroups":[{%s"Meta":{"auto-backup":"yes"}}]}'):format(filler)
    for _, decode in ipairs({ json.decode, json.decode_lazy }) do
      local job = decode(text)
      assert.is_true(operator.occurs(job.TaskGroups, "auto-backup"))
      assert.is_true(operator.occurs(job.TaskGroups, "yes"))
      assert.is_false(operator.occurs(job.TaskGroups, "auto_backup"))
      assert.equal("yes", job.TaskGroups[1].Meta["auto-backup"])
      assert.is_true(operator.occurs(job.TaskGroups, "auto-backup"))
    end
    assert.is_false(operator.occurs(nil, "x"))
  end)

  it("takes a text that JSON writes as it is", function()
    assert.error_matches(function()
      operator.occurs({}, 'a"b')
    end, "letters, digits, - and _", 1, true)
  end)
end)
