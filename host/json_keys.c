/* json_keys: see json_keys.h. */
#include "json_keys.h"

/* Its address is the name in the registry. */
static const char registry_key;

struct json_keys *json_keys_push(lua_State *L)
{
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &registry_key) != LUA_TUSERDATA) {
		lua_pop(L, 1);
		struct json_keys *new = lua_newuserdatauv(L, sizeof(*new), 1);
		memset(new, 0, sizeof(*new));
		lua_createtable(L, JSON_KEYS, 0);
		lua_setiuservalue(L, -2, 1);
		lua_pushvalue(L, -1);
		lua_rawsetp(L, LUA_REGISTRYINDEX, &registry_key);
	}
	struct json_keys *keys = lua_touserdata(L, -1);
	(void)lua_getiuservalue(L, -1, 1); /* userdata table */
	lua_remove(L, -2);		   /* table */
	return keys;
}
