-- nomad-operator jobspec …: what it prints and its exit codes, by the real binary. No Nomad runs here: what is asked of
-- one is asked of an address where nobody listens.
local arrays = require "support.jobspec.arrays"
local bases = require "support.jobspec.bases"
local json = require "host.json"
local process = require "support.process"

local GOOD = [[{"Job":{"ID":"web","Datacenters":["dc1"],"TaskGroups":[{"Name":"g","Count":2,
  "Tasks":[{"Name":"main","Driver":"raw_exec","Config":{"command":"/bin/true"},
  "Resources":{"CPU":100,"MemoryMB":64}}]}]}}]]

local directory

local function write(name, text)
  local file = assert(io.open(directory .. "/" .. name, "wb"))
  file:write(text)
  file:close()
  return directory .. "/" .. name
end

local function run(...)
  return process.run {
    os.getenv "NOMAD_OPERATOR_BIN" or "build/nomad-operator", "jobspec", "-log-format=text",
    "-address=http://127.0.0.1:1", ...,
  }
end

-- What a shell makes of the words behind the text on standard input.
local function piped(text, words)
  local binary = os.getenv "NOMAD_OPERATOR_BIN" or "build/nomad-operator"
  local command = ("%s jobspec %s < %s"):format(binary, words, write("stdin", text))
  return process.run { "sh", "-c", command }
end

before_each(function()
  directory = os.tmpname()
  os.remove(directory)
  assert(os.execute("mkdir " .. directory))
end)

after_each(function()
  os.execute("rm -rf " .. directory)
end)

describe("jobspec validate", function()
  it("names everything that is wrong, with file and path", function()
    local bad = GOOD:gsub("MemoryMB", "MemoyMB"):gsub('"dc1"', '""'):gsub("raw_exec", "")
    local good_file, bad_file = write("good.json", GOOD), write("bad.json", bad)
    local code, out = run("validate", good_file, bad_file)
    assert.equal(1, code)
    assert.matches(bad_file .. ": TaskGroups[0].Tasks[0].Resources.MemoyMB: "
      .. "unknown field, did you mean MemoryMB?\n", out, 1, true)
    assert.matches(bad_file .. ": TaskGroups[0].Tasks[0].Driver: ", out, 1, true)
    assert.is_nil(out:find(good_file, 1, true))
    assert.matches("\n%d errors in 2 files, 0 warnings; 1 invalid%.\n$", out)
    code, out = run("validate", good_file)
    assert.equal(0, code)
    assert.equal("0 errors in 1 file, 0 warnings; 0 invalid.\n", out)
  end)

  it("takes unknown fields with -lenient, and from a server that is newer than we", function()
    local file = write("a.json", (GOOD:gsub('"ID"', '"Fresh":1,"ID"')))
    assert.equal(1, (run("validate", file)))
    assert.equal(1, (run("validate", "-nomad=1.11.3", file)))
    for _, flag in ipairs { "-lenient", "-nomad=99.0.0" } do
      local code, out = run("validate", flag, file)
      assert.equal(0, code)
      assert.matches(": Fresh: warning: unknown field", out, 1, true)
      assert.matches("1 warning; 0 invalid", out, 1, true)
    end
    local code, out = run("canonicalize", "-nomad=99.0.0", file)
    assert.equal(0, code)
    assert.equal(1, json.decode(out).Job.Fresh)
  end)

  it("answers machines with -json", function()
    local file = write("a.json", (GOOD:gsub("64", "1")))
    local code, out = run("validate", "-json", file)
    local answer = assert(json.decode(out))
    assert.equal(1, code)
    assert.is_false(answer.valid)
    assert.equal(file, answer.files[1].file)
    local problem = answer.files[1].problems[1]
    assert.equal("TaskGroups[0].Tasks[0].Resources.MemoryMB", problem.path)
    assert.equal("error", problem.level)
  end)

  it("reads a null in a map as Nomad does, as an empty text", function()
    local job = json.decode(GOOD).Job
    job.Meta = { a = json.null }
    job.TaskGroups[1].Tasks[1].Artifacts = {
      { GetterSource = "https://example.org/a.tgz", GetterOptions = { checksum = json.null } },
    }
    local file = write("null.json", json.encode(job))
    local code, out = run("validate", file)
    assert.equal(1, code)
    assert.matches('GetterOptions.checksum: "" is no checksum', out, 1, true)
    job.TaskGroups[1].Tasks[1].Artifacts = nil
    code, out = run("canonicalize", write("null.json", json.encode(job)))
    assert.equal(0, code)
    assert.same({ a = "" }, json.decode(out).Meta)
  end)

  it("reads standard input, bare jobs, and keys in any case", function()
    local bare = json.encode(json.decode(GOOD).Job)
    assert.equal(0, (piped(bare, "validate -")))
    assert.equal(0, (piped((GOOD:gsub('"Job"', '"job"')), "validate -")))
    assert.equal(0, (piped("\u{FEFF}" .. GOOD, "validate -")))
  end)
end)

describe("a file that is no job", function()
  it("is told in a sentence that names it and what is expected", function()
    local cases = {
      [""] = "it is empty; expected a job, bare or in",
      ["hello"] = "this is neither JSON (line 1, column 1",
      ["[1]"] = "this is a list, expected a job",
      ['"x"'] = "this is a string, expected a job",
      ["{}"] = "the object is empty; expected a job",
      ['{"Jobs":{}}'] = 'no field of it is a job\'s, as "Jobs"',
      ['{"Job":[]}'] = "Job is a list, expected a job",
      ['{"Job":1}'] = "Job is a number, expected a job",
      ['{"Job":{"ID":"a"},"x":1}'] = '"x" stands beside Job',
      ['{"ID":"a"} {"ID":"b"}'] = "one file holds one job",
      ['{"ID":'] = "this is no JSON: line 1, column 7",
    }
    for text, expected in pairs(cases) do
      local file = write("input", text)
      local code, out = run("validate", file)
      assert.equal(1, code, text)
      assert.matches(file .. ": ", out, 1, true)
      assert.matches(expected, out, 1, true)
      for _, word in ipairs { "canonicalize", "convert" } do
        local code_of, out_of, err = run(word, file)
        assert.equal(1, code_of, text)
        assert.equal("", out_of)
        assert.matches(expected:gsub('"', '"'), err, 1, true)
      end
    end
    assert.matches("/none: No such file or directory", (select(3, run("convert", "/none"))))
    assert.matches("Is a directory", (select(3, run("convert", directory))))
  end)

  it("is HCL, and there is no Nomad to parse it", function()
    local file = write("a.nomad.hcl", 'job "a" {\n}\n')
    local code, _, err = run("convert", file)
    assert.equal(1, code)
    assert.matches("a.nomad.hcl: this is HCL, which a Nomad has to parse, and none does: ", err,
      1, true)
    assert.matches("JSON needs none", err, 1, true)
  end)
end)

describe("jobspec", function()
  it("canonicalizes, wrapped as it was", function()
    local code, out = run("canonicalize", write("a.json", GOOD))
    assert.equal(0, code)
    assert.equal("service", json.decode(out).Job.Type)
    code, out = run("canonicalize", write("b.json", out))
    assert.equal(0, code)
    assert.equal(50, json.decode(out).Job.Priority)
    assert.equal(0, (run("diff", write("c.json", out), write("d.json", GOOD))))
  end)

  it("compares; 2 says that there are differences", function()
    local old = write("old.json", GOOD)
    local new = write("new.json", (GOOD:gsub('"Count":2', '"Count":3')))
    local code, out = run("diff", old, new)
    assert.equal(2, code)
    assert.equal("~ group g\n  ~ Count: 2 → 3\n1 change.\n", out)
    code, out = run("diff", "-json", old, new)
    assert.equal(2, code)
    assert.same({
      different = true,
      changes = { { kind = "changed", path = "TaskGroups[g].Count", old = 2, new = 3 } },
    }, json.decode(out))
    code, out = run("diff", old, old)
    assert.equal(0, code)
    assert.equal("The jobs are the same.\n", out)
  end)

  it("converts JSON to HCL, and names what is lost", function()
    local file = write("a.json", (GOOD:gsub('"ID"', '"Stop":true,"ID"')))
    local code, out, err = run("convert", file)
    assert.equal(0, code)
    assert.matches('^job "web" {\n  datacenters = %["dc1"%]\n', out)
    assert.matches(file .. ": Stop: HCL has no word for it, left out", err, 1, true)
    code, out = run("convert", "-json", file)
    assert.equal(0, code)
    assert.equal("Stop", json.decode(out).warnings[1].path)
  end)

  it("renders a template", function()
    local file = write("t.hcl", 'job "[[ .ID ]]" {\n[[ range .DCs ]]# [[ . ]]\n[[ end ]]}\n')
    local code, out = run("render", file, "ID=a=b", 'DCs=["x","y"]')
    assert.equal(0, code)
    assert.equal('job "a=b" {\n# \n# \n}\n', out)
    local err
    code, out, err = run("render", file, "DCs=[]")
    assert.equal(1, code)
    assert.equal("", out)
    assert.matches("t.hcl:1: .ID has no value", err, 1, true)
    assert.matches("expected KEY=VALUE", (select(3, run("render", file, "x"))), 1, true)
    assert.matches("is none", (select(3, run("render", file, "DCs=[1"))), 1, true)
  end)

  it("prints the schema", function()
    local code, out = run("schema")
    assert.equal(0, code)
    assert.matches("\n72 objects, as of Nomad ", out, 1, true)
    code, out = run("schema", "Resources.memory")
    assert.equal(0, code)
    assert.matches("MemoryMB +int\n", out)
    assert.matches("HCL: memory; default: 300; at least 10", out, 1, true)
    code, out = run("schema", "-json", "port")
    assert.equal(0, code)
    assert.equal("Label", json.decode(out).fields[1].name)
    assert.equal(1, (run("schema", "Nothing")))
    local err = select(3, run("schema", "Resources.MemoyMB"))
    assert.matches("did you mean MemoryMB", err, 1, true)
  end)

  it("says how it is called", function()
    assert.matches("did you mean validate", (select(3, run "validte")), 1, true)
    assert.matches("needs an argument more; it is: nomad-operator jobspec diff OLD NEW",
      (select(3, run("diff", "a"))), 1, true)
    assert.matches("can be read only once", (select(3, run("diff", "-", "-"))), 1, true)
    assert.matches('"7" is no version', (select(3, run("validate", "-nomad=7", "a"))), 1, true)
  end)
end)

describe("README", function()
  it("shows what the commands print", function()
    local file <close> = assert(io.open "README.md")
    local session = file:read("a"):match "\n## Job specifications\n.-```\n(.-)```"
    local binary = os.getenv "NOMAD_OPERATOR_BIN" or "build/nomad-operator"
    local commands = {}
    for line in session:gmatch "[^\n]*\n" do
      local words = line:match "^%$ nomad%-operator (.*)\n"
      if words then
        commands[#commands + 1] = { words = words, shown = "" }
      else
        commands[#commands].shown = commands[#commands].shown .. line
      end
    end
    for _, one in ipairs(commands) do
      local format = "b=$(realpath %s); cd spec/fixtures/jobspec/readme; $b %s 2>&1"
      local _, out = process.run { "sh", "-c", format:format(binary, one.words) }
      assert.equal(one.shown, out)
    end
    assert.equal(4, #commands)
  end)
end)

describe("mutated JSON", function()
  local function mutated(text)
    local at, to = math.random(#text), math.random(#text)
    local kind = math.random(5)
    if kind == 1 then
      return text:sub(1, at)
    elseif kind == 2 then
      return text:sub(1, at - 1) .. text:sub(at + 1)
    elseif kind == 3 then
      return text:sub(1, at) .. string.char(math.random(0, 255)) .. text:sub(at + 1)
    elseif kind == 4 then
      return text:sub(1, at) .. text:sub(math.min(at, to), math.max(at, to)) .. text:sub(at + 1)
    end
    local values = { "null", "[]", "{}", "1e999", '""', "-1", "true", ("["):rep(600) }
    local value = values[math.random(#values)]:gsub("%%", "%%%%")
    local number, seen = math.random(40), 0
    return (text:gsub('":[%w"]+', function(found)
      seen = seen + 1
      return seen == number and '":' .. value or found
    end))
  end

  -- 300 files: their names and texts.
  local function mutants()
    local files, texts = {}, {}
    for i = 1, 300 do
      local base = bases.names[math.random(#bases.names)]
      local text = json.encode({ Job = arrays.mark(bases[base]()) }, { sorted = true })
      for _ = 1, math.random(3) do
        text = mutated(text)
      end
      files[i], texts[i] = write(("m%d.json"):format(i), text), text
    end
    return files, texts
  end

  local function has_shape(text)
    local value = json.decode(text)
    return type(value) == "table" and type(value.Job) == "table" and value.Job.ID ~= nil
  end

  it("never crashes a command, and is never taken without a job's shape", function()
    math.randomseed(61)
    local files, texts = mutants()
    local code, out, err = run("validate", "-json", table.unpack(files))
    assert.equal(1, code, err)
    local answer = assert(json.decode(out))
    assert.equal(300, #answer.files)
    local valid = 0
    for i, file in ipairs(answer.files) do
      assert.is_true(not file.valid or has_shape(texts[i]), texts[i]:sub(1, 200))
      valid = valid + (file.valid and 1 or 0)
    end
    assert.is_true(valid > 0 and valid < 300)
    for i = 1, 40 do
      local expected = answer.files[i].valid and 0 or 1
      assert.equal(expected, (run("canonicalize", files[i])), texts[i]:sub(1, 200))
      assert.equal(expected, (run("convert", files[i])), texts[i]:sub(1, 200))
    end
  end)
end)
