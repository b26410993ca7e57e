/* lua_ask: host.ask: a question to the person at the terminal. For commands; the operator itself asks nobody. */
#ifndef LUA_ASK_H
#define LUA_ASK_H

#include <lua.h>

/* Adds the function to the module table on top of the stack. */
void lua_ask_add(lua_State *L);

#endif
