/* lua_watch: see lua_watch.h. */
#include "lua_watch.h"

#include <lauxlib.h>

#include "lua_context.h"

/* topic, key */
static uint64_t check_hash(lua_State *L)
{
	size_t topic_len, key_len;
	const char *topic = luaL_checklstring(L, 1, &topic_len);
	const char *key = luaL_checklstring(L, 2, &key_len);

	return keyset_hash(topic, topic_len, key, key_len);
}

static int watch(lua_State *L)
{
	struct lua_context *c = lua_context(L);
	uint64_t hash = check_hash(L);

	if (c->watched)
		keyset_add(c->watched, hash);
	return 0;
}

static int unwatch(lua_State *L)
{
	struct lua_context *c = lua_context(L);
	uint64_t hash = check_hash(L);

	if (c->watched)
		keyset_remove(c->watched, hash);
	return 0;
}

static int take_newest(lua_State *L)
{
	struct lua_context *c = lua_context(L);

	lua_pushinteger(L, (lua_Integer)c->newest_before);
	c->newest_before = 0;
	return 1;
}

void lua_watch_add(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"watch", watch}, {"unwatch", unwatch}, {"take_newest", take_newest}, {NULL, NULL}};

	luaL_setfuncs(L, functions, 0);
}
