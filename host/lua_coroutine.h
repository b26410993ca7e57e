/* lua_coroutine: coroutine.resume, wrap, close and yield for scripts, known to the CPU watch. */
#ifndef LUA_COROUTINE_H
#define LUA_COROUTINE_H

#include <lua.h>

/* Replaces them in the library that is open. */
void lua_coroutine_open(lua_State *L);

#endif
