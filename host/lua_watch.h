/* lua_watch: of the module host: watch and unwatch, the keys whose events pass whatever they say. */
#ifndef LUA_WATCH_H
#define LUA_WATCH_H

#include <lua.h>

/* Adds the functions to the module table on top of the stack. */
void lua_watch_add(lua_State *L);

#endif
