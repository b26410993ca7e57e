/* lua_health: reads what gen:health() returns. */
#ifndef LUA_HEALTH_H
#define LUA_HEALTH_H

#include <lua.h>

#include "health.h"

/* From the table at the top, within Lua; may raise. Whatever has been read is in *out all the same. */
void lua_health_read(lua_State *L, struct health *out);

#endif
