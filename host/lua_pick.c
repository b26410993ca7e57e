/* lua_pick: see lua_pick.h.
 *
 * An element is given where one of the programs holds or cannot be told, and where its key is watched: as with events
 * (interests.c). What cannot be read is given too, so that it is the script that says so. */
#include "lua_pick.h"

#include <lauxlib.h>
#include <stdlib.h>

#include "interests.h"
#include "lua_context.h"
#include "lua_keys.h"
#include "lua_where.h"

#define PICK_META "host.nomad.Pick"

struct lua_pick {
	struct where *where;
	size_t id, ns, meta; /* notes of where */
	char *topic;
	struct keyset *keys; /* of all elements; its userdata is our user value */
	const struct keyset *watched;
	uint64_t left_out;
	bool has_meta;
};

static int pick_gc(lua_State *L)
{
	struct lua_pick *p = luaL_checkudata(L, 1, PICK_META);

	where_free(p->where);
	free(p->topic);
	p->where = NULL;
	p->topic = NULL;
	return 0;
}

static void read_where(lua_State *L, int index, struct lua_pick *p)
{
	p->where = where_new(p->topic);
	p->id = where_note(p->where, "ID");
	p->ns = where_note(p->where, "Namespace");
	p->meta = where_note(p->where, "Meta");
	lua_getfield(L, index, "where");
	luaL_checktype(L, -1, LUA_TTABLE);
	for (lua_Integer i = 1; lua_geti(L, -1, i) != LUA_TNIL; i++) {
		lua_where_add(L, lua_gettop(L), p->where);
		lua_pop(L, 1);
	}
	lua_pop(L, 2);
	where_seal(p->where);
}

struct lua_pick *lua_pick_push(lua_State *L, int index)
{
	struct lua_pick *p;

	index = lua_absindex(L, index);
	luaL_checktype(L, index, LUA_TTABLE);
	p = lua_newuserdatauv(L, sizeof(*p), 1);
	*p = (struct lua_pick){.watched = lua_context(L)->watched};
	if (luaL_newmetatable(L, PICK_META)) {
		lua_pushcfunction(L, pick_gc);
		lua_setfield(L, -2, "__gc");
	}
	lua_setmetatable(L, -2);
	lua_getfield(L, index, "topic");
	p->topic = xstrdup(luaL_checkstring(L, -1));
	lua_pop(L, 1);
	lua_getfield(L, index, "keys");
	p->keys = lua_keys_check(L, lua_gettop(L));
	lua_setiuservalue(L, -2, 1);
	read_where(L, index, p);
	return p;
}

bool lua_pick_wants(struct lua_pick *p, const char *text, size_t len)
{
	enum where_answer answer = where_object(p->where, text, len);
	struct scan_span id, ns, meta;
	uint64_t key;

	if (!where_noted(p->where, p->id, &id) || !id.p)
		return true;
	(void)where_noted(p->where, p->ns, &ns);
	key = interests_key(p->topic, &ns, &id);
	keyset_add(p->keys, key);
	if (answer != WHERE_NO || keyset_has(p->watched, key))
		return true;
	p->left_out++;
	p->has_meta = p->has_meta || where_noted(p->where, p->meta, &meta);
	return false;
}

uint64_t lua_pick_left_out(const struct lua_pick *p)
{
	return p->left_out;
}

bool lua_pick_has_meta(const struct lua_pick *p)
{
	return p->has_meta;
}
