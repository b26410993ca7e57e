/* lua_health: see lua_health.h. */
#include "lua_health.h"

#include <lauxlib.h>

static lua_Number number(lua_State *L, const char *name)
{
	lua_Number value;

	lua_getfield(L, -1, name);
	value = luaL_checknumber(L, -1);
	lua_pop(L, 1);
	return value;
}

static void read_policy(lua_State *L, struct health *out)
{
	struct health_policy *p;

	luaL_checktype(L, -1, LUA_TTABLE);
	lua_getfield(L, -1, "name");
	p = health_add(out, luaL_checkstring(L, -1));
	lua_pop(L, 1);
	p->ready = (long)number(L, "ready");
	p->running = (long)number(L, "running");
	p->waiting = (long)number(L, "waiting");
	p->parked = (long)number(L, "parked");
	p->oldest = number(L, "oldest");
}

void lua_health_read(lua_State *L, struct health *out)
{
	luaL_checktype(L, -1, LUA_TTABLE);
	out->epoch = (uint64_t)number(L, "epoch");
	lua_getfield(L, -1, "denied");
	out->denied = lua_toboolean(L, -1);
	lua_getfield(L, -2, "list_error");
	if (!lua_isnil(L, -1))
		out->list_error = xstrdup(luaL_checkstring(L, -1));
	lua_getfield(L, -3, "policies");
	luaL_checktype(L, -1, LUA_TTABLE);
	for (lua_Integer i = 1; lua_geti(L, -1, i) != LUA_TNIL; i++) {
		read_policy(L, out);
		lua_pop(L, 1);
	}
	lua_pop(L, 4); /* nil policies list_error denied */
}
