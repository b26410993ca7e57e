/* lua_keys: see lua_keys.h. */
#include "lua_keys.h"

#include "lua_class.h"

#define KEYS_META "host.Keys"

struct keys {
	struct keyset *set;
};

struct keyset *lua_keys_check(lua_State *L, int index)
{
	const struct keys *k = luaL_checkudata(L, index, KEYS_META);

	return k->set;
}

/* self, topic, key */
static uint64_t check_hash(lua_State *L)
{
	size_t topic_len, key_len;
	const char *topic = luaL_checklstring(L, 2, &topic_len);
	const char *key = luaL_checklstring(L, 3, &key_len);

	return keyset_hash(topic, topic_len, key, key_len);
}

static int keys_new(lua_State *L)
{
	struct keys *k = lua_newuserdatauv(L, sizeof(*k), 0);

	k->set = NULL;
	luaL_setmetatable(L, KEYS_META);
	k->set = keyset_new();
	return 1;
}

static int keys_add(lua_State *L)
{
	keyset_add(lua_keys_check(L, 1), check_hash(L));
	return 0;
}

static int keys_has(lua_State *L)
{
	lua_pushboolean(L, keyset_has(lua_keys_check(L, 1), check_hash(L)));
	return 1;
}

static int keys_gc(lua_State *L)
{
	struct keys *k = luaL_checkudata(L, 1, KEYS_META);

	keyset_free(k->set);
	k->set = NULL;
	return 0;
}

void lua_keys_add(lua_State *L)
{
	static const luaL_Reg methods[] = {{"add", keys_add}, {"has", keys_has}, {NULL, NULL}};
	static const luaL_Reg meta[] = {{"__gc", keys_gc}, {NULL, NULL}};

	lua_class_open(L, KEYS_META, methods, meta);
	lua_pushcfunction(L, keys_new);
	lua_setfield(L, -2, "keys");
}
