/* json_lazy: see json_lazy.h. */
#include "json_lazy.h"

#include <lauxlib.h>

#include "json.h"

enum {
	KEPT_SHARE = 8, /* a smaller share of a text is copied out of it */
	SLOTS = 10,
};

/* Fields of the metatable of a table that is still text. */
enum { MT_TEXT = 1, MT_AT, MT_LEN, MT_LEVELS, MT_COUNT = MT_LEVELS };

/* Its address names the field that only such metatables have. */
static const char mark;

static int meta_index(lua_State *L)
{
	json_lazy_touch(L, 1);
	lua_settop(L, 2);
	lua_gettable(L, 1);
	return 1;
}

static int meta_newindex(lua_State *L)
{
	json_lazy_touch(L, 1);
	lua_settop(L, 3);
	lua_settable(L, 1);
	return 0;
}

static int meta_len(lua_State *L)
{
	json_lazy_touch(L, 1);
	lua_pushinteger(L, luaL_len(L, 1));
	return 1;
}

static int next(lua_State *L)
{
	lua_settop(L, 2);
	if (lua_next(L, 1))
		return 2;
	lua_pushnil(L);
	return 1;
}

static int meta_pairs(lua_State *L)
{
	json_lazy_touch(L, 1);
	lua_pushcfunction(L, next);
	lua_pushvalue(L, 1);
	lua_pushnil(L);
	return 3;
}

void json_lazy_push(lua_State *L, int text, size_t at, size_t len, int levels)
{
	static const luaL_Reg meta[] = {{"__index", meta_index}, {"__newindex", meta_newindex},
		{"__len", meta_len}, {"__pairs", meta_pairs}, {NULL, NULL}};
	size_t whole;

	text = lua_absindex(L, text);
	luaL_checkstack(L, SLOTS, "JSON");
	const char *p = lua_tolstring(L, text, &whole);
	lua_newtable(L);
	lua_createtable(L, MT_COUNT, sizeof(meta) / sizeof(meta[0])); /* value meta */
	luaL_setfuncs(L, meta, 0);
	if (len < whole / KEPT_SHARE) {
		lua_pushlstring(L, p + at, len);
		at = 0;
	} else {
		lua_pushvalue(L, text);
	}
	lua_rawseti(L, -2, MT_TEXT);
	lua_pushinteger(L, (lua_Integer)at);
	lua_rawseti(L, -2, MT_AT);
	lua_pushinteger(L, (lua_Integer)len);
	lua_rawseti(L, -2, MT_LEN);
	lua_pushinteger(L, levels);
	lua_rawseti(L, -2, MT_LEVELS);
	lua_pushboolean(L, true);
	lua_rawsetp(L, -2, &mark);
	lua_setmetatable(L, -2);
}

/* Pushes the metatable of a table that is still text, or nothing. */
static bool push_meta(lua_State *L, int index)
{
	if (!lua_istable(L, index) || !lua_getmetatable(L, index))
		return false;
	bool is = lua_rawgetp(L, -1, &mark) == LUA_TBOOLEAN;
	lua_pop(L, is ? 1 : 2);
	return is;
}

static size_t size_field(lua_State *L, int meta, int field)
{
	(void)lua_rawgeti(L, meta, field);
	size_t size = (size_t)lua_tointeger(L, -1);
	lua_pop(L, 1);
	return size;
}

/* Of the metatable on top; pushes the text that holds it. */
static struct json_lazy read_meta(lua_State *L)
{
	int meta = lua_gettop(L);
	(void)lua_rawgeti(L, meta, MT_TEXT);
	return (struct json_lazy){.text = lua_tostring(L, -1) + size_field(L, meta, MT_AT),
		.len = size_field(L, meta, MT_LEN),
		.levels = (int)size_field(L, meta, MT_LEVELS)};
}

bool json_lazy_is(lua_State *L, int index, struct json_lazy *lazy)
{
	luaL_checkstack(L, SLOTS, "JSON");
	if (!push_meta(L, index))
		return false;
	*lazy = read_meta(L);
	lua_pop(L, 2);
	return true;
}

/* The members are stored while the table is still lazy, so that one that memory ended in the middle of is none. */
void json_lazy_touch(lua_State *L, int index)
{
	if (!lua_istable(L, index))
		return;
	index = lua_absindex(L, index);
	luaL_checkstack(L, SLOTS, "JSON");
	if (!push_meta(L, index))
		return;
	struct json_lazy lazy = read_meta(L); /* meta text */
	int text = lua_gettop(L);
	json_push_level(L, text, lazy.text, lazy.len); /* meta text fresh */
	for (lua_pushnil(L); lua_next(L, -2);) {
		lua_pushvalue(L, -2);
		lua_insert(L, -2); /* … fresh key key value */
		lua_rawset(L, index);
	}
	if (!lua_getmetatable(L, -1))
		lua_pushnil(L);
	lua_setmetatable(L, index);
	lua_settop(L, text - 2);
}

/* Puts the table on top of the stack at the end of those to touch, once. Pops it, or what else is there. */
static void remember(lua_State *L, int seen, lua_Integer *count)
{
	if (lua_istable(L, -1)) {
		lua_pushvalue(L, -1);
		if (lua_rawget(L, seen) == LUA_TNIL) {
			lua_pushvalue(L, -2);
			lua_pushboolean(L, true);
			lua_rawset(L, seen);
			lua_pushvalue(L, -2);
			lua_rawseti(L, seen, ++*count);
		}
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

void json_lazy_touch_all(lua_State *L, int index)
{
	int top = lua_gettop(L);
	lua_Integer count = 0;

	if (!lua_istable(L, index))
		return;
	luaL_checkstack(L, SLOTS + 4, "JSON");
	lua_pushvalue(L, index);
	lua_newtable(L); /* value seen */
	int seen = lua_gettop(L);
	lua_pushvalue(L, -2);
	remember(L, seen, &count);
	for (lua_Integer i = 1; i <= count; i++) {
		(void)lua_rawgeti(L, seen, i);
		json_lazy_touch(L, -1);
		for (lua_pushnil(L); lua_next(L, -2);)
			remember(L, seen, &count);
		lua_pop(L, 1);
	}
	lua_settop(L, top);
}
