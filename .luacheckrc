std = "lua54"
max_line_length = 100
max_comment_line_length = 120
max_cyclomatic_complexity = 12
include_files = {
  "lib",
  "scripts/*.lua",
  "examples/*/*.lua",
  "bench/*.lua",
  "bench/peers/*/*.lua",
  "spec",
  "tools/*.lua",
  "tools/demo",
  "*.rockspec",
  ".luacheckrc",
  ".busted",
}
exclude_files = { "lib/operator/testing/parsed.lua", "spec/fixtures" }
files["spec"] = { std = "+busted" }
files["spec/support/helper.lua"] = { std = "+busted" }
files["types"] = { ignore = { "212", "221", "241" } }
