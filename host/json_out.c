/* json_out: see json_out.h. */
#include "json_out.h"

#include <stdbool.h>

#include <lauxlib.h>

#define META_NAME "host.json.out"

enum { KEPT_MAX = 128 * 1024 };

/* Its address is the name in the registry. */
static const char registry_key;

static void resize(lua_State *L, struct json_out *out, size_t cap)
{
	void *user;
	lua_Alloc allocate = lua_getallocf(L, &user);
	char *data = allocate(user, out->data, out->cap, cap);

	if (!data && cap > 0)
		return;
	out->data = data;
	out->cap = cap;
}

static int out_gc(lua_State *L)
{
	resize(L, lua_touserdata(L, 1), 0);
	return 0;
}

struct json_out *json_out_take(lua_State *L)
{
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &registry_key) == LUA_TUSERDATA) {
		lua_pushboolean(L, false);
		lua_rawsetp(L, LUA_REGISTRYINDEX, &registry_key);
		return lua_touserdata(L, -1);
	}
	lua_pop(L, 1);
	struct json_out *out = lua_newuserdatauv(L, sizeof(*out), 0);
	*out = (struct json_out){NULL, 0};
	if (luaL_newmetatable(L, META_NAME)) {
		lua_pushcfunction(L, out_gc);
		lua_setfield(L, -2, "__gc");
	}
	lua_setmetatable(L, -2);
	return out;
}

void json_out_grow(lua_State *L, struct json_out *out, size_t cap)
{
	resize(L, out, cap);
	if (out->cap >= cap)
		return;
	/* Lua makes room as it does for its own values, or raises the error that says that there is none. */
	(void)lua_newuserdatauv(L, cap, 0);
	lua_pop(L, 1);
	lua_gc(L, LUA_GCCOLLECT);
	resize(L, out, cap);
	if (out->cap < cap)
		luaL_error(L, "not enough memory");
}

void json_out_give_back(lua_State *L)
{
	struct json_out *out = lua_touserdata(L, -1);

	if (out->cap > KEPT_MAX)
		resize(L, out, 0);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &registry_key);
}
