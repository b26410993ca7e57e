-- hcl: where a text is while it is written.
local hcl = require "nomad.jobspec.hcl"

--- The contexts at each `@`, and the scanner, after the text came in pieces of `size` bytes.
local function contexts(text, size)
  local scanner, seen = hcl.scanner(), {}
  for piece in (text .. "@"):gmatch "([^@]*)@" do
    for at = 1, #piece, size do
      scanner:feed(piece:sub(at, at + size - 1))
    end
    seen[#seen + 1] = scanner:context()
  end
  seen[#seen] = nil
  return table.concat(seen, " "), scanner
end

describe("hcl", function()
  local cases = {
    { "a = @", "bare" },
    { 'a = "@"', "string" },
    { 'a = "x\\"@"\nb = @', "string bare" },
    { 'a = "\\\\"\nb = @', "bare" },
    { 'a = "$${@"', "string" },
    { 'a = "${@}@"@', "interpolation string bare" },
    { 'a = "${x({ a = "@" })}@"', "string string" },
    { 'a = "cost $@"\nb = @', "string bare" },
    { "# @\na = @", "comment bare" },
    { "// @\na = @", "comment bare" },
    { "/* @ **/ @", "comment bare" },
    { "a = 1 / @", "bare" },
    { "a = <<EOT\n@\nEOT\nb = @", "heredoc bare" },
    { "a = <<-EOT\n  x \"@\n  EOTX\n @ \n  EOT\nb = @", "heredoc heredoc bare" },
    { "a = <<EOT\nEOT\nb = @", "bare" },
    { "a = <<EOT\n${@}@\nEOT\n@", "interpolation heredoc bare" },
    { "args = [\"-c\", <<-E\n  @\n  E\n, @]", "heredoc bare" },
  }
  for _, case in ipairs(cases) do
    for _, size in ipairs { 1, 3, 1000 } do
      local text = case[1]:gsub("\n", "\\n")
      it(("knows the places in %q, cut after %d"):format(text, size), function()
        assert.equal(case[2], (contexts(case[1], size)))
      end)
    end
  end

  it("notices what computes", function()
    for _, text in ipairs {
      'a = upper("x")', 'a = "x" == "y" ? 1 : 2', "locals {}", 'variable "x" {}', 'dynamic "x" {}',
      "a = [for x in y : x]", 'a = "${upper("x")}"', 'a = "%{ if true }x%{ endif }"',
      'a = "${x + y}"', "a = 1 + 2", "a = !x",
    } do
      assert.is_true(select(2, contexts(text .. "\n", 1)).computes, text)
    end
  end)

  it("takes plain job files for what they are", function()
    for _, text in ipairs {
      'job "a" {\n  type = "batch"\n  meta {\n a-b = "c"\n }\n}', 'a = ["x", 1.5, -2, true]',
      'a = { "b" = 1, c = "d", e : "f" }',
      'a = "${attr.kernel.name} ${NOMAD_TASK_DIR} (x) + y == z"',
      "# upper(x)\n/* a == b */", "a = <<E\nf(x) == y\nE\n", 'a = "$${upper(x)}"',
      'a = "${meta["x"]}"',
    } do
      assert.is_false(select(2, contexts(text .. "\n", 1)).computes, text)
    end
  end)

  it("tells the place of a value from that of a name", function()
    local function expects_value(text)
      return select(2, contexts(text, 1)):expects_value()
    end
    assert.is_true(expects_value "a = ")
    assert.is_true(expects_value "a =")
    assert.is_true(expects_value 'a = ["x", ')
    assert.is_false(expects_value "meta {\n ")
    assert.is_false(expects_value 'job ')
    assert.is_false(expects_value 'a = "b"\n')
  end)
end)
