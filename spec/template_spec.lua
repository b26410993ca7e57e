local json = require "host.json"
local template = require "template"

local function render(text, values, options)
  local t, err = template.compile(text, "t.hcl")
  assert.is_nil(err)
  return t:render(values or {}, options)
end

--- The error of compiling or rendering, as text.
local function fails(text, values)
  local t, err = template.compile(text, "t.hcl")
  if not t then
    return err
  end
  local ok, raised = pcall(t.render, t, values or {})
  assert.is_false(ok, "no error for " .. text)
  return raised
end

--- A case's text as the name of a test, on one line.
local function named(text)
  return (text:sub(1, 60):gsub("\n", "\\n"))
end

local VALUES = {
  A = "x", N = 3, F = 1.5, Yes = true, No = false, Empty = "",
  M = { b = 2, a = 1, ["auto-backup"] = "true", deep = { er = "down" } },
  L = json.array { "one", "two", "three" }, Void = json.array {},
}

describe("template", function()
  describe("renders", function()
    local cases = {
      { "plain text {{ env \"X\" }} ${attr.x}", "plain text {{ env \"X\" }} ${attr.x}" },
      { "a [[ .A ]] b", "a x b" },
      { "[[.A]][[.N]][[.F]][[.Yes]]", "x31.5true" },
      { "[[ .M.deep.er ]]", "down" },
      { "[[ (.M).a ]]", "1" },
      { "[[ index .M \"auto-backup\" ]]", "true" },
      { "[[ index .L 0 ]][[ index .L 2 ]]", "onethree" },
      { "[[ $.A ]]", "x" },
      { "a  [[- .A -]]  b", "axb" },
      { "a\n[[- /* gone */ -]]\n b", "ab" },
      { "a [[/* gone\n */]] b", "a  b" },
      { "[[ \"q\\\"\\u00e9\\x41\" ]][[ `raw\\n` ]]", "q\"éAraw\\n" },
      { "[[ -3 ]] [[ 0x10 ]] [[ 1e3 ]] [[ 1_000 ]] [[ 2.50 ]]", "-3 16 1000 1000 2.5" },
      { "[[ $x := .A ]][[ $x ]][[ $x = \"y\" ]][[ $x ]]", "xy" },
      { "[[ if .Yes ]]1[[ else ]]2[[ end ]]", "1" },
      { "[[ if .No ]]1[[ else if .N ]]2[[ else ]]3[[ end ]]", "2" },
      { "[[ if .Missing ]]1[[ else if .Empty ]]2[[ else ]]3[[ end ]]", "3" },
      { "[[ if .Missing.Deeper ]]1[[ end ]]", "" },
      { "[[ if $y := .A ]][[ $y ]][[ end ]]", "x" },
      { "[[ $x := 1 ]][[ if true ]][[ $x = 2 ]][[ end ]][[ $x ]]", "2" },
      { "[[ $x := 1 ]][[ if true ]][[ $x := 2 ]][[ end ]][[ $x ]]", "1" },
      { "[[ with .M.deep ]][[ .er ]][[ $.A ]][[ end ]]", "downx" },
      { "[[ with .Missing ]]1[[ else ]]2[[ end ]]", "2" },
      { "[[ with .Missing ]]1[[ else with .A ]][[ . ]][[ end ]]", "x" },
      { "[[ range .L ]]<[[ . ]]>[[ end ]]", "<one><two><three>" },
      { "[[ range $i, $v := .L ]][[ $i ]]=[[ $v ]] [[ end ]]", "0=one 1=two 2=three " },
      { "[[ range $k, $v := .M ]][[ $k ]] [[ end ]]", "a auto-backup b deep " },
      { "[[ range .Void ]]1[[ else ]]none[[ end ]]", "none" },
      { "[[ range 3 ]][[ . ]][[ end ]]", "012" },
      { "[[ range .L ]][[ if eq . \"two\" ]][[ break ]][[ end ]][[ . ]][[ end ]]", "one" },
      { "[[ range .L ]][[ if eq . \"two\" ]][[ continue ]][[ end ]][[ . ]][[ end ]]", "onethree" },
      { "[[ .A | upper | printf \"%s-%d\" \"n\" | len ]]", nil, "printf" },
      { "[[ .N | printf \"%s-%03d\" .A ]]", "x-003" },
      { "[[ if and .Yes (not .No) ]]1[[ end ]]", "1" },
      { "[[ and .No (index .L 99) ]]", "false" },
      { "[[ or .Empty .A ]]", "x" },
      { "[[ or .A (index .L 99) ]]", "x" },
      { "[[ eq .A \"y\" \"x\" ]][[ ne .N 3 ]][[ lt 1 2 ]][[ ge \"b\" \"a\" ]]",
        "truefalsetruetrue" },
      { "[[ len .L ]][[ len .A ]][[ len .M ]]", "314" },
      { "[[ default \"d\" .Missing ]][[ .A | default \"d\" ]]", "dx" },
      { "[[ .L | join \",\" ]]", "one,two,three" },
      { "[[ index (split \"-\" \"a-b\") 1 ]]", "b" },
      { "[[ replace \".\" \"-\" \"a.b.c\" ]]", "a-b-c" },
      { "[[ trimPrefix \"a-\" \"a-b\" ]][[ trimSuffix \"-b\" \"a-b\" ]]", "ba" },
      { "[[ hasPrefix \"a\" \"ab\" ]][[ hasSuffix \"a\" \"ab\" ]][[ contains \"b\" \"abc\" ]]",
        "truefalsetrue" },
      { "[[ contains \"two\" .L ]]", "true" },
      { "[[ lower \"AB\" ]][[ title \"web app\" ]][[ trim \" a \" ]]", "abWeb Appa" },
      { "[[ quote \"a\\\"b\" ]] [[ squote .A ]] [[ toJson .M.deep ]] [[ toJson .Void ]]",
        "\"a\\\"b\" 'x' {\"er\":\"down\"} []" },
      { "[[ indent 2 \"a\\nb\" ]][[ nindent 1 \"c\" ]]", "  a\n  b\n c" },
      { "[[ add 1 2 3 ]] [[ sub 5 .N ]] [[ mul 2 .F ]] [[ div 7 2 ]] [[ mod 7 4 ]]",
        "6 2 3 3 3" },
      { "[[ max 1 4 2 ]][[ min 3 2 ]][[ int \"7\" ]][[ ternary \"a\" \"b\" .Yes ]]", "427a" },
      { "[[ .A | raw ]]", "x" },
      { "[[ \"]]\" ]]", "]]" },
    }
    for _, case in ipairs(cases) do
      it(named(case[1]), function()
        if case[2] then
          assert.equal(case[2], render(case[1], VALUES))
        else
          assert.matches(case[3], fails(case[1], VALUES))
        end
      end)
    end
  end)

  describe("says where and what", function()
    local cases = {
      { "a\n[[ .A", "^t.hcl:2: an action is not closed, expected \"]]\"" },
      { "[[ ]]", "^t.hcl:1: an empty action" },
      { "\n\n[[ if .A ]]", "^t.hcl:3: the if is not closed, expected 'end'" },
      { "[[ end ]]", "^t.hcl:1: end without an if" },
      { "[[ else ]]", "^t.hcl:1: else without an if" },
      { "[[ if .A ]][[ else ]][[ else ]][[ end ]]", "a second else" },
      { "[[ if ]][[ end ]]", "if without a value, expected: if .Name" },
      { "[[ .A | ]]", "expected a value, found the end of the action" },
      { "[[ .A | .B ]]", "expected a function after \"|\"" },
      { "[[ .A .B ]]", "expected \"|\" or the end of the action, found \".B\"" },
      { "[[ uper .A ]]", "^t.hcl:1: there is no function \"uper\"" },
      { "[[ eq len .A 3 ]]", "expected it in %( %)" },
      { "[[ (.A ]]", "expected \"%)\"" },
      { "[[ $x ]]", "the variable $x is not declared here" },
      { "[[ $x = 1 ]]", "not declared here" },
      { "[[ .Meta.auto-backup ]]", "is read with index" },
      { "[[ 'a' ]]", "double quotes" },
      { "[[ \"a\n\" ]]", "a string is not closed" },
      { "[[ \"\\z\" ]]", "is no escape" },
      { "[[/* x ]]", "a comment is not closed" },
      { "[[/* x */ .A ]]", "right after the comment" },
      { "[[ define \"x\" ]]", "define is not supported" },
      { "[[ break ]]", "break outside a range" },
      { "[[ range $a, .L ]][[ end ]]", "expected: range $key, $value" },
      { ("[[ if true ]]"):rep(200), "nested deeper than 100" },
      { "[[ " .. ("("):rep(200) .. "]]", "nested deeper than 100" },
      { "a\n\n[[ .Missing ]]", "^t.hcl:3: .Missing has no value" },
      { "[[ .M.x.y ]]", "has no value" },
      { "[[ .A.B ]]", "^t.hcl:1: cannot read .B of the string \"x\"" },
      { "\n[[ upper .M ]]", "^t.hcl:2: upper: expected a string, found a map" },
      { "[[ lt 1 .A ]]", "lt: expected two numbers or two strings" },
      { "[[ index .L 9 ]]", "no element 9 in a list of 3" },
      { "[[ range .A ]][[ end ]]", "range goes over a list or a map, found the string" },
      { "[[ range 1000000000 ]]x[[ end ]]", "whole number up to" },
      { "[[ indent 1000000000 .A ]]", "longer than" },
      { "[[ div 1 0 ]]", "division by zero" },
      { "[[ required \"say A\" .Missing ]]", "required: say A" },
      { "[[ range 100000 ]]" .. ("x"):rep(100) .. "[[ end ]]", "rendered text is longer" },
    }
    for _, case in ipairs(cases) do
      it(named(case[1]), function()
        assert.matches(case[2], fails(case[1], VALUES))
      end)
    end
  end)

  it("takes other delimiters", function()
    local t = assert(template.compile("<< .A >> [[ .B ]]", "t", { open = "<<", close = ">>" }))
    assert.equal("1 [[ .B ]]", t:render { A = 1 })
  end)

  it("names its placeholders with their lines", function()
    local text = "[[ .A ]]\n[[ $x := 1 ]]\n[[ .B | raw ]][[ if .C ]][[ .D ]][[ end ]]"
    local t = assert(template.compile(text, "t"))
    local seen = {}
    for i, placeholder in ipairs(t:placeholders()) do
      seen[i] = { placeholder.line, placeholder.source, placeholder.raw, placeholder.inside }
    end
    assert.same({ { 1, ".A", false, false }, { 3, ".B | raw", true, false },
      { 3, ".D", false, true } }, seen)
    assert.is_false(t:is_plain())
    assert.is_true(template.compile("[[ $x := 1 ]][[ $x ]]", "t"):is_plain())
  end)

  it("lets the caller escape values, told what was said before", function()
    local t = assert(template.compile("a=[[ .A ]];b=[[ .B ]]", "t"))
    local said = {}
    local text = t:render({ A = 1, B = "x" }, {
      escape = function(value, placeholder)
        said[#said + 1] = placeholder.source
        return "<" .. tostring(value) .. ">"
      end,
      text = function(piece)
        said[#said + 1] = piece
      end,
    })
    assert.equal("a=<1>;b=<x>", text)
    assert.same({ "a=", ".A", ";b=", ".B" }, said)
  end)

  it("passes on what escape raises", function()
    local t = assert(template.compile("[[ .A ]]", "t"))
    local refused = { code = "template" }
    local ok, err = pcall(t.render, t, { A = 1 }, { escape = function()
      error(refused, 0)
    end })
    assert.is_false(ok)
    assert.equal(refused, err)
  end)

  it("shows an outline without values", function()
    local text = "[[ if .A ]]a[[ .B ]][[ else ]]b[[ end ]][[ range .L ]]c[[ end ]]"
    local t = assert(template.compile(text, "t"))
    local function sample()
      return "?"
    end
    assert.equal("a?c", t:outline(sample))
    assert.equal("b", t:outline(sample, function()
      return false
    end))
    assert.equal(2, #t:blocks())
  end)
end)
