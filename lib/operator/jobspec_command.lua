--- jobspec_command: nomad-operator jobspec validate | canonicalize | diff | convert | render | schema.
---
--- Each subcommand returns the exit code: 0 all went well, 1 a job is invalid or something failed, 2 two jobs differ.
--- What a person asked for goes to standard output, problems of the job to standard error where something else is
--- printed, and errors to the log.

local host = require "host"
local input = require "operator.jobspec_input"
local json = require "host.json"
local jobspec = require "nomad.jobspec"
local nearest = require "operator.nearest"

local command = {}

local function fail(message, ...)
  host.log("error", select("#", ...) > 0 and message:format(...) or message)
  return 1
end

local function print_json(value)
  host.print(json.encode(value, { sorted = true, indent = 2 }) .. "\n")
end

local function plural(count, noun)
  return ("%d %s%s"):format(count, noun, count == 1 and "" or "s")
end

--- "FILE: PATH: what is wrong", as a person reads it.
local function problem_line(name, problem)
  return ("%s: %s%s%s\n"):format(
    host.escape(name),
    problem.path ~= "" and host.escape(problem.path) .. ": " or "",
    problem.level == "warning" and "warning: " or "",
    host.escape(problem.message)
  )
end

local function count(problems, level)
  local number = 0
  for _, problem in ipairs(problems) do
    number = number + (problem.level == level and 1 or 0)
  end
  return number
end

local function problems_of(job, version)
  return jobspec.validate(job, { nomad = version, lenient = host.options.lenient })
end

--- Reads the jobs of the arguments and checks them; nil, after it was told, when one cannot be used. Problems go to the
--- log, so that what is printed stays clean.
---@param paths string[]
---@return operator.jobspec.Input[]?
---@return string? version
local function usable(paths)
  local version, wrong = input.version()
  if wrong then
    fail(wrong)
    return nil
  end
  local list, bad = {}, false
  for i, path in ipairs(paths) do
    local read, err = input.job(path)
    if not read then
      fail(err)
      return nil
    end
    for _, problem in ipairs(problems_of(read.job, version)) do
      local is_error = problem.level == "error"
      bad = bad or is_error
      local at = problem.path ~= "" and problem.path .. ": " or ""
      local level = is_error and "error" or "warn"
      host.log(level, ("%s: %s%s"):format(read.name, at, problem.message))
    end
    list[i] = read
  end
  if bad then
    return nil
  end
  return list, version
end

---------------------------------------------------------------------------------------------------
-- validate

local function print_reports(reports)
  local errors, warnings, wrong = 0, 0, 0
  for _, report in ipairs(reports) do
    for _, problem in ipairs(report.problems) do
      host.print(problem_line(report.file, problem))
    end
    errors = errors + count(report.problems, "error")
    warnings = warnings + count(report.problems, "warning")
    wrong = wrong + (report.valid and 0 or 1)
  end
  host.print(
    ("%s in %s, %s; %d invalid.\n"):format(
      plural(errors, "error"),
      plural(#reports, "file"),
      plural(warnings, "warning"),
      wrong
    )
  )
end

local function report_on(path, version)
  local read, err = input.job(path)
  local name = input.name(path)
  local problems
  if read then
    problems = problems_of(read.job, version)
  else
    -- The sentence names the file itself.
    local text = err:sub(1, #name + 2) == name .. ": " and err:sub(#name + 3) or err
    problems = { { path = "", message = text, level = "error" } }
  end
  return {
    file = name,
    problems = json.array(problems),
    valid = count(problems, "error") == 0,
  }
end

function command.validate(args)
  local version, wrong = input.version()
  if wrong then
    return fail(wrong)
  end
  local reports, valid = json.array {}, true
  for i, path in ipairs(args) do
    reports[i] = report_on(path, version)
    valid = valid and reports[i].valid
  end
  if host.options.json then
    print_json { files = reports, valid = valid }
  else
    print_reports(reports)
  end
  return valid and 0 or 1
end

---------------------------------------------------------------------------------------------------
-- canonicalize, diff, convert

-- Canonical forms; nil, after it was told, when Nomad could not decode a job.
local function canonical(read, version)
  local options = { nomad = version, region = host.options.region }
  options.namespace = host.options.namespaces[1]
  local ok, result = pcall(jobspec.canonicalize, read.job, options)
  if not ok then
    fail("%s: %s", read.name, (tostring(result):gsub("^[^%s:]+%.lua:%d+: ", "")))
    return nil
  end
  return result
end

function command.canonicalize(args)
  local list, version = usable(args)
  local job = list and canonical(list[1], version)
  if not job then
    return 1
  end
  print_json(list[1].wrapped and { Job = job } or job)
  return 0
end

local function print_changes(changes)
  if host.options.json then
    local list = json.array {}
    for i, change in ipairs(changes) do
      local shown = not change.secret
      list[i] = {
        path = change.path,
        kind = change.kind,
        old = shown and change.old or nil,
        new = shown and change.new or nil,
        secret = change.secret,
      }
    end
    print_json { different = #changes > 0, changes = list }
    return
  elseif #changes == 0 then
    host.print("The jobs are the same.\n")
    return
  end
  for _, line in ipairs(require("nomad.jobspec.difftext").lines(changes)) do
    host.print(host.escape(line) .. "\n")
  end
  host.print(plural(#changes, "change") .. ".\n")
end

function command.diff(args)
  local list, version = usable(args)
  local old = list and canonical(list[1], version)
  local new = old and canonical(list[2], version)
  if not new then
    return 1
  end
  local changes = jobspec.diff(old, new)
  print_changes(changes)
  return #changes > 0 and 2 or 0
end

function command.convert(args)
  local list, version = usable(args)
  if not list then
    return 1
  end
  local read = list[1]
  if read.hcl then
    print_json { Job = read.job }
    return 0
  end
  local text, warnings = require("nomad.jobspec.to_hcl").job(read.job, { nomad = version })
  for _, warning in ipairs(warnings) do
    host.log("warn", ("%s: %s: %s"):format(read.name, warning.path, warning.message))
  end
  if host.options.json then
    print_json { hcl = text, warnings = json.array(warnings) }
  else
    host.print(text)
  end
  return 0
end

---------------------------------------------------------------------------------------------------
-- render

-- "true" and "false" are booleans, lists and objects are JSON, all else is text.
local function value_of(text)
  if text == "true" or text == "false" or text:find("^%s*[%[{]") then
    return json.decode(text)
  end
  return text
end

local function values_of(args)
  local values = {}
  for i = 2, #args do
    local key, text = args[i]:match("^([%a_][%w_]*)=(.*)$")
    if not key then
      return nil,
        ('"%s" is no value of the template; expected KEY=VALUE, as in JobID=web'):format(args[i])
    end
    local value, err = value_of(text)
    if err then
      return nil, ("the value of %s begins as JSON does, but is none: %s"):format(key, err)
    end
    values[key] = value
  end
  return values
end

function command.render(args)
  local values, wrong = values_of(args)
  if not values then
    return fail(wrong)
  end
  local text, err = input.text(args[1])
  if not text then
    return fail(err)
  end
  local template = require "nomad.jobspec.template"
  local ok, out = pcall(function()
    return template.new(text, input.name(args[1])):text(values)
  end)
  if not ok then
    return fail(tostring(out))
  end
  host.print(out)
  return 0
end

---------------------------------------------------------------------------------------------------
-- schema

local function type_text(field)
  local base = field.of or field.type
  if field.type == "list" then
    return base .. "[]"
  elseif field.type == "map" then
    return base .. "{}"
  end
  return base
end

local function default_text(field)
  if field.default == nil then
    return nil
  elseif field.type == "duration" then
    return require("nomad.jobspec.duration").text(field.default)
  end
  return json.encode(field.default)
end

local function hcl_text(field)
  local shapes = { block = "%s {}", blocks = "%s {} ...", label = "(%s)" }
  return field.hcl and (shapes[field.kind] or "%s"):format(field.hcl)
end

-- What is to be said about a field besides its name and type.
local function notes(field)
  local list = {}
  local function add(format, value)
    if value ~= nil and value ~= false then
      list[#list + 1] = format:format(value)
    end
  end
  add("HCL: %s", hcl_text(field) or not field.runtime and "no name")
  add("default: %s", default_text(field))
  add("one of: %s", field.enum and table.concat(field.enum, ", "))
  add("at least %s", field.min)
  add("at most %s", field.max)
  add("since Nomad %s", field.since)
  add("required%s", field.required and "")
  add("made by the server%s", field.runtime and "")
  add("deprecated%s", field.deprecated and "")
  return list
end

local function print_field(field)
  host.print(("  %-28s %s\n      %s\n"):format(field.name, type_text(field), field.doc))
  local list = notes(field)
  if #list > 0 then
    host.print(("      %s\n"):format(table.concat(list, "; ")))
  end
end

local function field_data(field)
  local data = { type = type_text(field), hcl_kind = field.kind, types = nil }
  for _, key in ipairs({ "name", "hcl", "default", "enum", "min", "max", "since", "doc" }) do
    data[key] = field[key]
  end
  data.required = field.required or false
  data.runtime = field.runtime or false
  data.deprecated = field.deprecated or false
  return data
end

local function print_objects(schema)
  local list = json.array {}
  for i, name in ipairs(schema.order) do
    local object = schema.objects[name]
    list[i] = { name = name, doc = object.doc, fields = #object.fields }
    if not host.options.json then
      host.print(("%-32s %s\n"):format(name, object.doc))
    end
  end
  if host.options.json then
    print_json { newest = schema.newest, objects = list }
  else
    host.print(("%d objects, as of Nomad %s.\n"):format(#schema.order, schema.newest))
  end
  return 0
end

local function find_object(schema, word)
  for _, name in ipairs(schema.order) do
    if name:lower() == word:lower() then
      return schema.objects[name]
    end
  end
  local hint = nearest.hint(word, schema.order)
  fail('there is no object "%s"%s; jobspec schema lists them', word, hint)
end

local function find_field(object, word)
  local field = object.by_name[word:lower()] or object.by_hcl[word]
  if field then
    return { field }
  end
  local names = {}
  for i, one in ipairs(object.fields) do
    names[i] = one.name
  end
  fail('%s has no field "%s"%s', object.name, word, nearest.hint(word, names))
end

function command.schema(args)
  local schema = require "nomad.jobspec.schema"
  if not args[1] then
    return print_objects(schema)
  end
  local word, name = args[1]:match("^([^.]*)%.?(.*)$")
  local object = find_object(schema, word)
  local fields = object and (name == "" and object.fields or find_field(object, name))
  if not fields then
    return 1
  end
  if host.options.json then
    local list = json.array {}
    for i, field in ipairs(fields) do
      list[i] = field_data(field)
    end
    print_json { name = object.name, doc = object.doc, fields = list }
    return 0
  end
  host.print(("%s: %s\n"):format(object.name, object.doc))
  for _, field in ipairs(fields) do
    print_field(field)
  end
  return 0
end

---------------------------------------------------------------------------------------------------

--- How many arguments each takes, and how it is called.
local USE = {
  validate = { 1, math.huge, "validate FILE ..." },
  canonicalize = { 1, 1, "canonicalize FILE" },
  diff = { 2, 2, "diff OLD NEW" },
  convert = { 1, 1, "convert FILE" },
  render = { 1, math.huge, "render TEMPLATE KEY=VALUE ..." },
  schema = { 0, 1, "schema [OBJECT[.FIELD]]" },
}

local NAMES = { "validate", "canonicalize", "diff", "convert", "render", "schema" }

local function twice_stdin(name, args)
  local found = 0
  for _, path in ipairs(name == "render" and {} or args) do
    found = found + (path == "-" and 1 or 0)
  end
  return found > 1
end

--- Runs a subcommand.
---@async
---@param args string[] its name, then what it takes
---@return integer exit code
function command.run(args)
  local name = args[1]
  local use = USE[name]
  if not use then
    return fail(
      'there is no command jobspec "%s"%s; there are %s',
      name,
      nearest.hint(name, NAMES),
      table.concat(NAMES, ", ")
    )
  end
  local rest = { table.unpack(args, 2) }
  if #rest < use[1] or #rest > use[2] then
    return fail(
      "jobspec %s %s; it is: nomad-operator jobspec %s",
      name,
      #rest < use[1] and "needs an argument more" or "takes no more arguments",
      use[3]
    )
  elseif twice_stdin(name, rest) then
    return fail("jobspec %s: standard input (-) can be read only once", name)
  end
  return command[name](rest)
end

return { run = command.run }
