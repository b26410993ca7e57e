/* lua_time: sleep, timer, now, monotonic: what depends on the clock. */
#ifndef LUA_TIME_H
#define LUA_TIME_H

#include <lua.h>

/* Adds the functions to the module table on top of the stack. */
void lua_time_add(lua_State *L);

#endif
