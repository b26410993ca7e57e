/* lua_lock: host.lock: one holder a key, in any generation. */
#ifndef LUA_LOCK_H
#define LUA_LOCK_H

#include <lua.h>

/* Adds the functions to the module table on top of the stack. */
void lua_lock_add(lua_State *L);

#endif
