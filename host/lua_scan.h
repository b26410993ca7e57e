/* lua_scan: the module host.scan, the raw scanner for specs. */
#ifndef LUA_SCAN_H
#define LUA_SCAN_H

#include <lua.h>

int luaopen_host_scan(lua_State *L);

#endif
