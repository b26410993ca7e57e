-- odd_values: strings, maps and lists that are hard to say in HCL, at random.
local json = require "host.json"

local odd_values = {}

local PIECES = {
  "a", "B", " ", "}", "{", "$", "%", "${", "%{", "$${", "%%{", "${attr.kernel.name}", "${a}}",
  "${a} }", "${NOMAD_PORT_http}", "${var.x}", "${local.y}", "${true}", "${1 + 2}", "${x:-y}",
  "${meta.a-b}", "~}", "${ a }", "${a.0}", "${a[0]}", "${upper(\"x\")}", "%{ if x }", "\\", "\"",
  "'", "\n", "\n\n", "\t", "\r\n", "EOF", "\nEOF\n", "<<EOF\n", "  ", "\0", "\1", "\127", "é",
  "日本", "😀", "{{ env \"A\" }}", "#", "//", "/*", "*/", "\u{2028}", "${a}${b}", "$$", "%%", "EOF2",
}

local KEYS = {
  "a", "b_c", "d-e", "F1", "_g", "for", "null", "true", "in", "dynamic", "content", "a.b", "1a",
  "x y", "${k}", "ü", "", "\"", "h\ni", "labels", "if",
}

function odd_values.text()
  local parts = {}
  for i = 1, math.random(0, 6) do
    parts[i] = PIECES[math.random(#PIECES)]
  end
  return table.concat(parts)
end

local function any(depth)
  local kind = math.random(depth > 0 and 9 or 6)
  if kind <= 3 then
    return odd_values.text()
  elseif kind == 4 then
    return math.random(2) == 1
  elseif kind == 5 then
    return math.random(-5, 1 << 53)
  elseif kind == 6 then
    return math.random() * 10 ^ math.random(-20, 20)
  elseif kind == 7 then
    return odd_values.map(depth - 1)
  end
  local list = json.array {}
  local only_maps = kind == 8
  for i = 1, math.random(0, 3) do
    list[i] = only_maps and odd_values.map(depth - 1) or any(depth - 1)
  end
  return list
end

-- A map of anything; `first` says which of its own keys there may be.
function odd_values.map(depth, first)
  local map = {}
  for _ = 1, math.random(0, 4) do
    local key = KEYS[math.random(#KEYS)]
    if not first or key:find(first) then
      map[key] = any(depth)
    end
  end
  return map
end

-- A map of strings.
function odd_values.strings()
  local map = {}
  for _ = 1, math.random(0, 4) do
    map[KEYS[math.random(#KEYS)]] = odd_values.text()
  end
  return map
end

return odd_values
