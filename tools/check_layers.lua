-- check_layers: who may include and require whom, and how long a file of the host may be. Exit code 1 with a
-- line for each breach.

-- The host's layers, lowest first; a file may include those of its own layer and of lower ones. A concept that
-- takes several files (json_decode.c) is named by its beginning.
local host_layers = {
  { "^mem$", "^hex$", "^pair$", "^backslash$", "^pool$", "^block$", "^embedded$", "^version$" },
  { "^buf$", "^escape$", "^secrets$", "^log", "^config", "^confirm$", "^alarm$", "^turn$",
    "^store$", "^files$" },
  { "^ndjson", "^scan", "^where", "^keyset$", "^packed$", "^metrics", "^interests$", "^inbox$",
    "^told$", "^health$" },
  { "^http", "^admin" },
  { "^api" },
  { "^stream" },
  { "^json", "^report$", "^task", "^vm", "^lua_", "^collector$", "^generation" },
  { "^main$", "^run", "^ask$", "^command$", "^init$", "^process$", "^ready$" },
}
local lua_from_layer = 7
local only_in = {
  ["curl/curl.h"] = "^http",
  ["microhttpd.h"] = "^admin",
}
local longest = 500

-- What a Lua file may require: directory -> patterns of module names. The first directory that fits counts.
local lua_rules = {
  { "^lib/operator/testing/", { "^operator", "^nomad", "^host", "^template$", "^luv$" } },
  { "^lib/operator/", { "^operator", "^nomad", "^host", "^template$", "^cjson$" } },
  -- Two leaves of the operator that know nothing of it: cron expressions, and misspelt names.
  {
    "^lib/nomad/jobspec/",
    { "^nomad", "^host", "^template", "^operator%.cron$", "^operator%.nearest$" },
  },
  { "^lib/nomad/", { "^nomad", "^host", "^template" } },
  { "^lib/template%.lua$", { "^template%." } },
  { "^lib/template/", { "^template%.", "^host%.json$" } },
  { "^scripts/", { "^operator$", "^nomad", "^template$", "^cjson$" } },
  { "^examples/", { "^operator$", "^nomad", "^template$", "^cjson$" } },
}

local breaches = 0
local function breach(where, text, ...)
  breaches = breaches + 1
  io.stderr:write(where, ": ", text:format(...), "\n")
end

local function lines_of(path)
  local list = {}
  for line in io.lines(path) do list[#list + 1] = line end
  return list
end

local function find(command)
  local list = {}
  local pipe = assert(io.popen(command .. " 2>/dev/null | LC_ALL=C sort"))
  for path in pipe:lines() do list[#list + 1] = path end
  pipe:close()
  return list
end

local function layer_of(name)
  for layer, patterns in ipairs(host_layers) do
    for _, pattern in ipairs(patterns) do
      if name:find(pattern) then return layer end
    end
  end
end

local function check_include(where, name, layer, included, quoted)
  if only_in[included] and not name:find(only_in[included]) then
    breach(where, "%s may be included only by %s.c", included, only_in[included]:sub(2))
  end
  if included:find("^lua[%w]*%.h$") or included == "lauxlib.h" then
    if layer < lua_from_layer then breach(where, "%s lies below the layers that know Lua", name) end
  elseif quoted then
    local other = layer_of((included:gsub("%.h$", "")))
    if included:find("/", 1, true) then
      breach(where, "%s lies in another directory", included)
    elseif not other then
      breach(where, "%s has no layer in tools/check_layers.lua", included)
    elseif other > layer then
      breach(where, "%s of layer %d includes %s of layer %d", name, layer, included, other)
    end
  end
end

-- Headers including each other in a ring: found by walking down from each.
local function check_rings(includes)
  local state = {}
  local function visit(name, trail)
    if state[name] == "done" then return end
    if state[name] == "open" then
      breach("host", "ring of includes: %s -> %s", table.concat(trail, " -> "), name)
      return
    end
    state[name] = "open"
    trail[#trail + 1] = name
    for _, other in ipairs(includes[name] or {}) do visit(other, trail) end
    trail[#trail] = nil
    state[name] = "done"
  end
  for name in pairs(includes) do visit(name, {}) end
end

local function check_host()
  local includes = {}
  for _, path in ipairs(find("ls host/*.[ch]")) do
    local name = path:match("([%w_]+)%.[ch]$")
    local layer = layer_of(name)
    local lines = lines_of(path)
    if not layer then breach(path, "has no layer in tools/check_layers.lua") end
    if #lines > longest then breach(path, "%d lines; a file has at most %d", #lines, longest) end
    includes[name] = includes[name] or {}
    for number, line in ipairs(lines) do
      local bracket, included = line:match('^%s*#%s*include%s*(["<])([^">]+)')
      if included and layer then
        check_include(path .. ":" .. number, name, layer, included, bracket == '"')
        local other = bracket == '"' and included:match("^([%w_]+)%.h$")
        if other and path:find("%.h$") then table.insert(includes[name], other) end
      end
    end
  end
  check_rings(includes)
end

local function allowed(module, patterns)
  for _, pattern in ipairs(patterns) do
    if module:find(pattern) then return true end
  end
  return false
end

local function check_lua_file(path, patterns)
  for number, line in ipairs(lines_of(path)) do
    for module in line:gsub("%-%-.*", ""):gmatch("%f[%w_]require%s*%(?%s*[\"']([%w_.]+)[\"']") do
      if not allowed(module, patterns) then
        breach(path .. ":" .. number, "may not require %q", module)
      end
    end
  end
end

local function check_lua()
  for _, path in ipairs(find("find lib scripts examples -name '*.lua'")) do
    local ruled = false
    for _, rule in ipairs(lua_rules) do
      if not ruled and path:find(rule[1]) then
        ruled = true
        check_lua_file(path, rule[2])
      end
    end
    if not ruled then breach(path, "has no rule in tools/check_layers.lua") end
    local length = #lines_of(path)
    if length > longest and not path:find("/parsed%.lua$") then
      breach(path, "%d lines; a file has at most %d", length, longest)
    end
  end
end

check_host()
check_lua()
os.exit(breaches == 0)
