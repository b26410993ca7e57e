/* lua_where: programs for where.h from their plain description in Lua, as lib/operator/filter.lua gives it. */
#ifndef LUA_WHERE_H
#define LUA_WHERE_H

#include <lua.h>

#include "where.h"

/* Adds the description at `index` as one of the alternatives. Raises where it is none. */
void lua_where_add(lua_State *L, int index, struct where *w);

#endif
