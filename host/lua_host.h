/* lua_host: the module host (types/host.lua): options, logs, tasks, counters, what is kept. The functions that
 * wait are in files of their own. */
#ifndef LUA_HOST_H
#define LUA_HOST_H

#include <lua.h>

/* Makes host and host.nomad known to require, and their metatables to the state. The vm's user pointer must be
 * a struct lua_context. */
void lua_host_open(lua_State *L);

#endif
