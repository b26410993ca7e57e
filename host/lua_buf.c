/* lua_buf: see lua_buf.h. */
#include "lua_buf.h"

#include <lauxlib.h>

#define BUF_META "host.buf"

static int buf_gc(lua_State *L)
{
	buf_free(luaL_checkudata(L, 1, BUF_META));
	return 0;
}

void lua_buf_open(lua_State *L)
{
	(void)luaL_newmetatable(L, BUF_META);
	lua_pushcfunction(L, buf_gc);
	lua_setfield(L, -2, "__gc");
	lua_pop(L, 1);
}

struct buf *lua_buf_push(lua_State *L, size_t max)
{
	struct buf *b;

	luaL_checkstack(L, 2, NULL);
	b = lua_newuserdatauv(L, sizeof(*b), 0);
	buf_init(b, max);
	luaL_setmetatable(L, BUF_META);
	return b;
}
