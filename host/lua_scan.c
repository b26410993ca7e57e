/* lua_scan: the module host.scan, the raw scanner for specs. */
#include "lua_scan.h"

#include <lauxlib.h>

#include "scan.h"

struct list {
	lua_State *L;
	lua_Integer count;
};

/* A field that is not there is an empty string: that is what it is to Go too. */
static void push_text(lua_State *L, const struct scan_span *s)
{
	luaL_Buffer b;
	char *out;
	long len;

	if (!s->p) {
		lua_pushliteral(L, "");
		return;
	}
	if (!s->escaped) {
		lua_pushlstring(L, s->p, s->n);
		return;
	}
	out = luaL_buffinitsize(L, &b, s->n);
	len = scan_unescape(s->p, s->n, out);
	if (len < 0)
		luaL_error(L, "an escape in this line is not JSON's");
	luaL_pushresultsize(&b, (size_t)len);
}

/* An error may be raised through scan_events, which holds no memory of its own. */
static void push_event(const struct scan_event *event, void *user)
{
	struct list *list = user;
	lua_State *L = list->L;

	lua_createtable(L, 0, 6); /* line list event */
	push_text(L, &event->topic);
	lua_setfield(L, -2, "topic");
	push_text(L, &event->type);
	lua_setfield(L, -2, "type");
	push_text(L, &event->key);
	lua_setfield(L, -2, "key");
	push_text(L, &event->ns);
	lua_setfield(L, -2, "namespace");
	lua_pushinteger(L, (lua_Integer)event->index);
	lua_setfield(L, -2, "index");
	lua_pushlstring(L, event->payload.p ? event->payload.p : "", event->payload.n);
	lua_setfield(L, -2, "payload");
	lua_rawseti(L, -2, ++list->count); /* line list */
}

static int scan_lua_events(lua_State *L)
{
	struct list list = {.L = L, .count = 0};
	uint64_t index;
	size_t len;
	const char *line = luaL_checklstring(L, 1, &len);

	lua_settop(L, 1);
	luaL_checkstack(L, 8, NULL);
	lua_newtable(L); /* line list */
	if (scan_events(line, len, &index, push_event, &list) == SCAN_NOT_JSON) {
		lua_pushnil(L);
		return 1;
	}
	lua_pushinteger(L, (lua_Integer)index);
	return 2;
}

int luaopen_host_scan(lua_State *L)
{
	static const luaL_Reg functions[] = {{"events", scan_lua_events}, {NULL, NULL}};

	luaL_newlib(L, functions);
	return 1;
}
