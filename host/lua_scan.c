/* lua_scan: the module host.scan, the raw scanner for specs. */
#include "lua_scan.h"

#include <lauxlib.h>

#include "lua_where.h"
#include "scan_walk.h"

#define WHERE_META "host.scan.Where"

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

struct program {
	struct where *where;
};

/* A list of descriptions, and the name of the payload's object. */
static int where(lua_State *L)
{
	const char *object = luaL_optstring(L, 2, "Job");
	struct program *p;

	luaL_checktype(L, 1, LUA_TTABLE);
	p = lua_newuserdatauv(L, sizeof(*p), 0);
	p->where = NULL;
	luaL_setmetatable(L, WHERE_META);
	p->where = where_new(object);
	for (lua_Integer i = 1; lua_geti(L, 1, i) != LUA_TNIL; i++) {
		lua_where_add(L, lua_gettop(L), p->where);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	where_seal(p->where);
	return 1;
}

/* nil: it has to be decoded to tell. */
static void push_answer(lua_State *L, enum where_answer answer)
{
	if (answer == WHERE_UNSURE)
		lua_pushnil(L);
	else
		lua_pushboolean(L, answer == WHERE_YES);
}

static int where_lua_payload(lua_State *L)
{
	const struct program *p = luaL_checkudata(L, 1, WHERE_META);
	size_t len;
	const char *text = luaL_checklstring(L, 2, &len);
	struct scan_walk whole = {.p = scan_skip_space(text, text + len), .end = text + len};
	struct scan_span value, longest;
	struct where_seen seen;

	/* As the scanner of a line would have it. */
	if (scan_walk_nested(&whole, &value, &longest))
		where_skip(p->where, &longest);
	push_answer(L, where_payload(p->where, text, len, &seen));
	lua_pushinteger(L, (lua_Integer)seen.version);
	lua_pushinteger(L, seen.sure ? (lua_Integer)seen.spec : 0);
	if (seen.sure)
		lua_pushinteger(L, (lua_Integer)seen.holds);
	else
		lua_pushnil(L);
	return 4;
}

static int where_lua_object(lua_State *L)
{
	const struct program *p = luaL_checkudata(L, 1, WHERE_META);
	size_t len;
	const char *text = luaL_checklstring(L, 2, &len);

	push_answer(L, where_object(p->where, text, len));
	return 1;
}

static int where_gc(lua_State *L)
{
	struct program *p = luaL_checkudata(L, 1, WHERE_META);

	where_free(p->where);
	p->where = NULL;
	return 0;
}

int luaopen_host_scan(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"events", scan_lua_events}, {"where", where}, {NULL, NULL}};
	static const luaL_Reg methods[] = {
		{"payload", where_lua_payload}, {"object", where_lua_object}, {NULL, NULL}};

	(void)luaL_newmetatable(L, WHERE_META);
	lua_pushcfunction(L, where_gc);
	lua_setfield(L, -2, "__gc");
	luaL_newlib(L, methods);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
	luaL_newlib(L, functions);
	return 1;
}
