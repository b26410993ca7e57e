/* lua_log: log, block, print and escape: what people read. */
#ifndef LUA_LOG_H
#define LUA_LOG_H

#include <lua.h>

/* Adds the functions to the module table on top of the stack. */
void lua_log_add(lua_State *L);

#endif
