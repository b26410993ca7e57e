/* lua_packed: the module host.packed, tables of packed records. Their memory is the Lua state's and counts against its
 * cap; the collector has nothing to look at in them. */
#ifndef LUA_PACKED_H
#define LUA_PACKED_H

#include <lua.h>

int luaopen_host_packed(lua_State *L);

#endif
