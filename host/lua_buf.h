/* lua_buf: a struct buf in a userdata, for C memory that a Lua error must not leak. */
#ifndef LUA_BUF_H
#define LUA_BUF_H

#include <lua.h>

#include "buf.h"

void lua_buf_open(lua_State *L); /* once a state, first */
/* Pushes the userdata; the buffer is freed with it, or earlier by buf_free. May raise. */
struct buf *lua_buf_push(lua_State *L, size_t max);

#endif
