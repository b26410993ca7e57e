/* lua_signal: conditions that tasks wait for. */
#ifndef LUA_SIGNAL_H
#define LUA_SIGNAL_H

#include <lua.h>

/* Adds the functions to the module table on top of the stack. */
void lua_signal_add(lua_State *L);

#endif
