/* lua_error: see lua_error.h. */
#include "lua_error.h"

#include <lauxlib.h>

#define ERROR_META "host.error"

static int error_tostring(lua_State *L)
{
	if (lua_getfield(L, 1, "message") == LUA_TSTRING)
		return 1;
	if (lua_getfield(L, 1, "code") == LUA_TSTRING)
		return 1;
	lua_pushliteral(L, "an error without a message");
	return 1;
}

void lua_error_open(lua_State *L)
{
	(void)luaL_newmetatable(L, ERROR_META);
	lua_pushcfunction(L, error_tostring);
	lua_setfield(L, -2, "__tostring");
	lua_pop(L, 1);
}

void lua_error_mark(lua_State *L, int index)
{
	index = lua_absindex(L, index);
	luaL_checkstack(L, 1, NULL);
	luaL_getmetatable(L, ERROR_META);
	lua_setmetatable(L, index);
}

void lua_error_push(lua_State *L, const char *code, const char *message)
{
	luaL_checkstack(L, 3, NULL);
	lua_createtable(L, 0, 4);
	lua_pushstring(L, code);
	lua_setfield(L, -2, "code");
	lua_pushstring(L, message);
	lua_setfield(L, -2, "message");
	lua_error_mark(L, -1);
}
