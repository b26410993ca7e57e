/* lua_ending: see lua_ending.h. */
#include "lua_ending.h"

#include <lauxlib.h>
#include <stdlib.h>

#include "mem.h"

void lua_ending_free(struct lua_ending *e)
{
	free(e->message);
	free(e->trace);
	e->message = NULL;
	e->trace = NULL;
}

static char *copy_text(lua_State *L, int index)
{
	const char *text = luaL_tolstring(L, index, NULL);

	return xstrdup(text);
}

/* The done callback; its upvalue is the ending. */
static int on_done(lua_State *L)
{
	struct lua_ending *e = lua_touserdata(L, lua_upvalueindex(1));

	lua_ending_free(e);
	e->ok = lua_toboolean(L, 1);
	e->cb(e->user); /* before anything that may raise */
	e->result = (long)lua_tointeger(L, 2);
	if (e->ok)
		return 0;
	e->message = copy_text(L, 2);
	if (lua_isstring(L, 3))
		e->trace = copy_text(L, 3);
	return 0;
}

void lua_ending_push(lua_State *L, struct lua_ending *e)
{
	lua_pushlightuserdata(L, e);
	lua_pushcclosure(L, on_done, 1);
}
