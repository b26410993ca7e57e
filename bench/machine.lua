--- machine: on what was measured, and with which versions: nothing that says whose it is or where its files are.

local machine = {}

local function ask(command)
  local pipe = io.popen(command .. " 2>/dev/null")
  local line = pipe and pipe:read("l")
  if pipe then
    pipe:close()
  end
  return line and line ~= "" and line or nil
end

local ASKED = {
  { "processor", "sed -n 's/^model name[^:]*: //p' /proc/cpuinfo" },
  { "cores", "nproc" },
  { "kernel", "uname -s -r -m" },
  { "system", "sed -n 's/^PRETTY_NAME=\"\\(.*\\)\"/\\1/p' /etc/os-release" },
  { "operator", "build/nomad-operator version" },
  { "commit", "git rev-parse --short HEAD" },
  { "libcurl", "curl-config --version" },
  { "lua", "lua5.4 -v | cut -d' ' -f1,2" },
  { "go", "go version | cut -d' ' -f3" },
  { "nomad/api", "sed -n 's/.*nomad\\/api \\(v[^ ]*\\).*/\\1/p' bench/peers/go.mod" },
  { "python", "python3 --version" },
  { "load before", "cut -d' ' -f1-3 /proc/loadavg" },
}

---@return string[] lines "cores: 2"
function machine.lines()
  local list = {}
  for _, asked in ipairs(ASKED) do
    local answer = ask(asked[2])
    if answer then
      list[#list + 1] = ("- %s: %s"):format(asked[1], answer)
    end
  end
  return list
end

return machine
