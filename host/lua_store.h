/* lua_store: keep, kept and count: numbers and small values of the process. */
#ifndef LUA_STORE_H
#define LUA_STORE_H

#include <lua.h>

/* Adds the functions to the module table on top of the stack. */
void lua_store_add(lua_State *L);

#endif
