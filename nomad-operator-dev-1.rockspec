-- lib/ as a rock, for editors and for specs of policies: `luarocks make` in a clone. The program is built by make.
package = "nomad-operator"
version = "dev-1"
source = { url = "git+file://." }
description = {
  summary = "Lua libraries of nomad-operator, with its model of Nomad",
  license = "MIT",
}
dependencies = { "lua ~> 5.4" }
build = {
  type = "command",
  build_command = "make build/lib/host/json.so build/lib/host/packed.so build/lib/host/scan.so",
  install_command = [[mkdir -p "$(LUADIR)" "$(LIBDIR)/host" && cp -R lib/. "$(LUADIR)" &&
    cp build/lib/host/json.so build/lib/host/packed.so build/lib/host/scan.so "$(LIBDIR)/host"]],
}
