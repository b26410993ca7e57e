/* lua_keys: of the module host: keys, a set of many keys that takes little memory. */
#ifndef LUA_KEYS_H
#define LUA_KEYS_H

#include <lua.h>

#include "keyset.h"

/* Adds the function to the module table on top of the stack. */
void lua_keys_add(lua_State *L);
/* The set at `index`, which its value there keeps. Raises where it is none. */
struct keyset *lua_keys_check(lua_State *L, int index);

#endif
