-- README: its policy is an example that is run, its commands and flags exist. ARCHITECTURE and docs: what they name is
-- there.
local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

describe("README", function()
  local readme = read "README.md"

  it("shows the policy of examples/02-child as it is", function()
    assert.is_truthy(readme:find("```lua\n" .. read "examples/02-child/warm.lua" .. "```", 1, true))
  end)

  it("names only commands that the program has", function()
    local help = read "host/config_help.c"
    local count = 0
    for command in readme:gmatch "nomad%-operator (%l+) " do
      count = count + 1
      assert.is_truthy(help:find("nomad%-operator " .. command), command)
    end
    assert.is_true(count > 5)
  end)

  it("shows policies where they are", function()
    local count = 0
    for path, line in readme:gmatch "\nPolicy %S+ from (%S+):(%d+)" do
      local number = 0
      for text in io.lines(path) do
        number = number + 1
        if number == tonumber(line) then
          assert.matches("operator.policy {", text, 1, true)
          count = count + 1
        end
      end
    end
    assert.equal(2, count)
  end)

  it("names only files that are there", function()
    for path in readme:gmatch "`?([%w_/.-]+%.[%a]+)`?" do
      if path:find "^lib/" or path:find "^scripts/" or path:find "^[A-Z]+%.md$" then
        assert(io.open(path), path):close()
      end
    end
    assert.is_truthy(io.open "examples/02-child/job.json")
  end)
end)

describe("what ARCHITECTURE and docs name", function()
  local present = {}
  local pipe =
    assert(io.popen "find host lib spec bench tools types scripts docs examples -type f; ls")
  for path in pipe:lines() do
    present[path:match "[^/]+$"], present[path] = true, true
  end
  pipe:close()

  for _, name in ipairs { "ARCHITECTURE", "docs/state", "docs/limits", "docs/topics" } do
    local document = name .. ".md"
    it("is there: " .. document, function()
      local text, count = read(document), 0
      for path in text:gmatch "`([%w_/.-]+%.[chl][ua]?a?)[`:]" do
        count = count + 1
        assert.is_true(present[path] or present[path:match "[^/]+$"], path)
      end
      for path in text:gmatch "%]%(([^)#:]+)%)" do
        count = count + 1
        assert.is_true(present[path:gsub("^%.%./", "")] or present["docs/" .. path], path)
      end
      assert.is_true(count > 0)
    end)
  end
end)
