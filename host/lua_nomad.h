/* lua_nomad: of the module host.nomad (types/host_nomad.lua): request, escape and error. */
#ifndef LUA_NOMAD_H
#define LUA_NOMAD_H

#include <lua.h>

/* Adds the functions to the module table on top of the stack. */
void lua_nomad_add(lua_State *L);

#endif
