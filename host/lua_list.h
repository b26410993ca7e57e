/* lua_list: of the module host.nomad: list, which reads an array of any size element by element. */
#ifndef LUA_LIST_H
#define LUA_LIST_H

#include <lua.h>

/* Adds the function to the module table on top of the stack. */
void lua_list_add(lua_State *L);

#endif
