-- embed: writes the files named on the command line as C arrays to standard output (see host/embedded.h).
-- lib/operator/queue.lua becomes "operator.queue", lib/operator/init.lua "operator"; other files keep their path.
-- Modules are compiled here, lines and names kept for tracebacks: the program would need 5 ms at each start for that.

local function name_of(path)
  local module = path:match("^lib/(.+)%.lua$")
  if not module then return path end
  return (module:gsub("/init$", ""):gsub("/", "."))
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = assert(file:read("a"))
  file:close()
  return text
end

local function content(path)
  local text = read(path)
  return path:match("^lib/") and string.dump(assert(load(text, "@" .. path, "t"))) or text
end

-- Bytes rather than a string literal: C compilers must take only 4095 characters of the latter.
local function bytes(text)
  local lines = {}
  for i = 1, #text, 24 do
    lines[#lines + 1] = "\t" .. table.concat({ text:byte(i, i + 23) }, ",") .. ",\n"
  end
  return table.concat(lines)
end

local names, paths = {}, {}
for _, path in ipairs(arg) do
  -- lib holds only modules; anything else beside them (an editor's backup) has no place in the program.
  if path:match("^lib/.+%.lua$") or path:match("^scripts/[^.~]+%.[%w.]+$") then
    local name = name_of(path)
    if paths[name] then
      io.stderr:write(("embed: %s and %s have the same name %s\n"):format(paths[name], path, name))
      os.exit(1)
    end
    names[#names + 1], paths[name] = name, path
  end
end
table.sort(names)

io.write("/* Made by tools/embed.lua. */\n#include \"embedded.h\"\n\n")
for i, name in ipairs(names) do
  -- The NUL at the end is not part of the text; it keeps an empty file a valid array.
  local text = bytes(content(paths[name]))
  io.write(("static const unsigned char file_%d[] = {\n%s\t0};\n"):format(i, text))
end
io.write("\nconst struct embedded embedded_files[] = {\n")
for i, name in ipairs(names) do
  io.write(("\t{\"%s\", file_%d, sizeof file_%d - 1},\n"):format(name, i, i))
end
io.write("\t{NULL, NULL, 0}};\n")
io.write(("const size_t embedded_count = %d;\n"):format(#names))
