/* json: the Lua module host.json; json_decode and json_encode do the work. */
#include "json.h"

#include <inttypes.h>
#include <stdio.h>

#include <lauxlib.h>

#include "json_fill.h"
#include "json_find.h"
#include "json_globals.h"
#include "json_lazy.h"

/* Names in the registry. */
#define NULL_NAME "host.json.null"
#define ARRAY_NAME "host.json.array"

#define INDENT_MAX 16

static int null_text(lua_State *L)
{
	lua_pushliteral(L, "null");
	return 1;
}

void json_push_null(lua_State *L)
{
	if (lua_getfield(L, LUA_REGISTRYINDEX, NULL_NAME) == LUA_TUSERDATA)
		return;
	lua_pop(L, 1);
	(void)lua_newuserdatauv(L, 0, 0);
	lua_createtable(L, 0, 3);
	lua_pushcfunction(L, null_text);
	lua_setfield(L, -2, "__tostring");
	lua_pushliteral(L, "json.null");
	lua_setfield(L, -2, "__name");
	lua_pushboolean(L, false);
	lua_setfield(L, -2, "__metatable"); /* null meta */
	lua_setmetatable(L, -2);
	lua_pushvalue(L, -1);
	lua_setfield(L, LUA_REGISTRYINDEX, NULL_NAME);
}

void json_push_array_meta(lua_State *L)
{
	(void)luaL_newmetatable(L, ARRAY_NAME);
}

static bool wants_nulls(lua_State *L, int arg)
{
	if (lua_isnoneornil(L, arg))
		return false;
	luaL_checktype(L, arg, LUA_TTABLE);
	lua_getfield(L, arg, "nulls");
	bool nulls = lua_toboolean(L, -1);
	lua_pop(L, 1);
	return nulls;
}

static int l_decode(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);

	if ((wants_nulls(L, 2) ? json_push_nulls : json_push)(L, text, len))
		return 1;
	luaL_pushfail(L);
	lua_insert(L, -2); /* nil message */
	return 2;
}

static int l_decode_lazy(lua_State *L)
{
	(void)luaL_checkstring(L, 1);
	lua_Integer levels = luaL_optinteger(L, 2, 1);

	luaL_argcheck(L, levels >= 0 && levels <= JSON_DEPTH_MAX, 2, "levels are from 0 to 512");
	if (json_push_lazy(L, 1, (int)levels))
		return 1;
	luaL_pushfail(L);
	lua_insert(L, -2); /* nil message */
	return 2;
}

static struct json_format check_format(lua_State *L, int arg)
{
	struct json_format format = {false, 0};

	if (lua_isnoneornil(L, arg))
		return format;
	luaL_checktype(L, arg, LUA_TTABLE);
	lua_getfield(L, arg, "sorted");
	format.sorted = lua_toboolean(L, -1);
	lua_getfield(L, arg, "indent");
	lua_Integer indent = luaL_optinteger(L, -1, 0);
	luaL_argcheck(L, indent >= 0 && indent <= INDENT_MAX, arg, "indent is from 0 to 16");
	format.indent = (int)indent;
	lua_pop(L, 2);
	return format;
}

static int l_encode(lua_State *L)
{
	luaL_checkany(L, 1);
	struct json_format format = check_format(L, 2);
	lua_settop(L, 1);
	json_push_text(L, 1, format);
	return 1;
}

int json_push_digest(lua_State *L, uint64_t digest)
{
	char hex[17];

	(void)snprintf(hex, sizeof(hex), "%016" PRIx64, digest);
	lua_pushstring(L, hex);
	return 1;
}

static int l_digest(lua_State *L)
{
	luaL_checkany(L, 1);
	return json_push_digest(L, json_digest(L, 1));
}

static int l_array(lua_State *L)
{
	if (lua_isnoneornil(L, 1)) {
		lua_settop(L, 0);
		lua_newtable(L);
	}
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	json_lazy_touch(L, 1);
	json_push_array_meta(L); /* table meta */
	if (lua_getmetatable(L, 1)) {
		luaL_argcheck(L, lua_rawequal(L, -1, -2), 1, "this table has another metatable");
		lua_pop(L, 1);
	}
	lua_setmetatable(L, 1);
	return 1;
}

static int l_is_array(lua_State *L)
{
	struct json_lazy lazy;

	luaL_checkany(L, 1);
	bool is = false;
	if (json_lazy_is(L, 1, &lazy)) {
		is = lazy.text[0] == '[';
	} else if (lua_istable(L, 1)) {
		is = lua_rawgeti(L, 1, 1) != LUA_TNIL;
		json_push_array_meta(L); /* element meta */
		if (!is && lua_getmetatable(L, 1))
			is = lua_rawequal(L, -1, -2);
	}
	lua_pushboolean(L, is);
	return 1;
}

static int l_occurs(lua_State *L)
{
	size_t len;

	luaL_checkany(L, 1);
	const char *text = luaL_checklstring(L, 2, &len);
	luaL_argcheck(L, len > 0, 2, "the text is empty");
	lua_pushboolean(L, json_find(L, 1, text, len));
	return 1;
}

int luaopen_host_json(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"decode", l_decode},
		{"decode_lazy", l_decode_lazy},
		{"encode", l_encode},
		{"digest", l_digest},
		{"texts", json_texts},
		{"fill", json_fill},
		{"fill_digest", json_fill_digest},
		{"occurs", l_occurs},
		{"array", l_array},
		{"is_array", l_is_array},
		{NULL, NULL},
	};

	luaL_newlib(L, functions);
	json_push_null(L);
	lua_setfield(L, -2, "null");
	json_globals_push(L);
	lua_setfield(L, -2, "raw");
	return 1;
}
