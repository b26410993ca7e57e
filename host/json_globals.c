/* json_globals: see json_globals.h. */
#include "json_globals.h"

#include <lauxlib.h>

#include "json_lazy.h"

/* What comes first is never lazy: the table was touched at the start. */
static int next(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 2);
	if (lua_isnil(L, 2))
		json_lazy_touch(L, 1);
	if (lua_next(L, 1))
		return 2;
	lua_pushnil(L);
	return 1;
}

static int rawget(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_checkany(L, 2);
	lua_settop(L, 2);
	json_lazy_touch(L, 1);
	lua_rawget(L, 1);
	return 1;
}

static int rawset(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_checkany(L, 2);
	luaL_checkany(L, 3);
	lua_settop(L, 3);
	json_lazy_touch(L, 1);
	lua_rawset(L, 1);
	return 1;
}

static int rawlen(lua_State *L)
{
	int type = lua_type(L, 1);

	luaL_argexpected(L, type == LUA_TTABLE || type == LUA_TSTRING, 1, "table or string");
	json_lazy_touch(L, 1);
	lua_pushinteger(L, (lua_Integer)lua_rawlen(L, 1));
	return 1;
}

static int getmetatable(lua_State *L)
{
	luaL_checkany(L, 1);
	json_lazy_touch(L, 1);
	if (!lua_getmetatable(L, 1))
		lua_pushnil(L);
	else
		(void)luaL_getmetafield(L, 1, "__metatable");
	return 1;
}

static int setmetatable(lua_State *L)
{
	int type = lua_type(L, 2);

	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
	json_lazy_touch(L, 1);
	if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
		return luaL_error(L, "cannot change a protected metatable");
	lua_settop(L, 2);
	lua_setmetatable(L, 1);
	return 1;
}

static const luaL_Reg functions[] = {{"next", next}, {"rawget", rawget}, {"rawset", rawset},
	{"rawlen", rawlen}, {"getmetatable", getmetatable}, {"setmetatable", setmetatable},
	{NULL, NULL}};

void json_globals_push(lua_State *L)
{
	luaL_newlib(L, functions);
}

void json_globals_set(lua_State *L)
{
	lua_pushglobaltable(L);
	luaL_setfuncs(L, functions, 0);
	lua_pop(L, 1);
}

/* Upvalue: cjson's own. */
static int cjson_encode(lua_State *L)
{
	json_lazy_touch_all(L, 1);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
	return lua_gettop(L);
}

static int cjson_new(lua_State *L)
{
	lua_settop(L, 0);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_call(L, 0, 1);
	json_globals_wrap_cjson(L);
	return 1;
}

static void wrap(lua_State *L, const char *name, lua_CFunction with)
{
	lua_getfield(L, -1, name);
	lua_pushcclosure(L, with, 1);
	lua_setfield(L, -2, name);
}

void json_globals_wrap_cjson(lua_State *L)
{
	wrap(L, "encode", cjson_encode);
	wrap(L, "new", cjson_new);
}
