/* lua_store: see lua_store.h. */
#include "lua_store.h"

#include <lauxlib.h>
#include <string.h>

#include "json_lazy.h"
#include "lua_buf.h"
#include "lua_context.h"

#define LABELS_MAX 16
#define SERIES_BYTES 4096

static int keep(lua_State *L)
{
	struct store_value value = {.kind = STORE_STRING};
	size_t len;
	const char *key = luaL_checklstring(L, 1, &len);
	bool forget = false;

	switch (lua_type(L, 2)) {
	case LUA_TNIL:
		forget = true;
		break;
	case LUA_TBOOLEAN:
		value.kind = STORE_BOOLEAN;
		value.boolean = lua_toboolean(L, 2);
		break;
	case LUA_TNUMBER:
		value.kind = lua_isinteger(L, 2) ? STORE_INTEGER : STORE_NUMBER;
		value.integer = lua_tointeger(L, 2);
		value.number = lua_tonumber(L, 2);
		break;
	case LUA_TSTRING:
		value.text = lua_tolstring(L, 2, &value.len);
		break;
	default:
		return luaL_typeerror(L, 2, "string, number, boolean or nil");
	}
	if (!store_keep(lua_context(L)->store, key, len, forget ? NULL : &value))
		return luaL_error(L, "host.keep: all values together may take %d MiB",
			(int)(STORE_BYTES_MAX >> 20));
	return 0;
}

static int kept(lua_State *L)
{
	size_t len;
	const char *key = luaL_checklstring(L, 1, &len);
	const struct store_value *value = store_kept(lua_context(L)->store, key, len);

	if (!value) {
		lua_pushnil(L);
		return 1;
	}
	switch (value->kind) {
	case STORE_STRING:
		lua_pushlstring(L, value->text, value->len);
		break;
	case STORE_INTEGER:
		lua_pushinteger(L, value->integer);
		break;
	case STORE_NUMBER:
		lua_pushnumber(L, value->number);
		break;
	case STORE_BOOLEAN:
		lua_pushboolean(L, value->boolean);
		break;
	}
	return 1;
}

static bool is_name(const char *text)
{
	return text[0] && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(text);
}

/* Appends {name="value",…} in the order of the names, so that equal labels are one series. */
static bool add_labels(lua_State *L, int index, struct buf *b)
{
	const char *names[LABELS_MAX];
	size_t count = 0, i;
	bool ok = true;

	json_lazy_touch(L, index);
	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
		const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";

		if (!is_name(name))
			luaL_error(L, "host.count: a label's name is of a-z, 0-9 and _");
		if (count == LABELS_MAX)
			luaL_error(L, "host.count: at most %d labels", LABELS_MAX);
		for (i = count++; i > 0 && strcmp(names[i - 1], name) > 0; i--)
			names[i] = names[i - 1];
		names[i] = name;
	}
	for (i = 0; ok && i < count; i++) {
		size_t len;
		const char *text;

		lua_getfield(L, index, names[i]);
		/* No __tostring: it could take the table with the names apart. */
		if (lua_type(L, -1) >= LUA_TTABLE)
			luaL_error(L, "host.count: a label's value is a string");
		text = luaL_tolstring(L, -1, &len);
		ok = buf_add(b, i == 0 ? "{" : ",", 1) && metrics_put_label(b, names[i], text, len);
		lua_pop(L, 2);
	}
	return ok && (count == 0 || buf_add(b, "}", 1));
}

/* Pushes the name of a series: the first argument, with the labels of the table at index, if there is one. */
static struct buf *push_series(lua_State *L, int index)
{
	const char *name = luaL_checkstring(L, 1);
	struct buf *b;
	bool ok;

	lua_settop(L, index);
	luaL_argcheck(L, is_name(name), 1, "a name is of a-z, 0-9 and _");
	luaL_argexpected(L, lua_isnil(L, index) || lua_istable(L, index), index, "table or nil");
	b = lua_buf_push(L, SERIES_BYTES);
	ok = buf_add(b, name, strlen(name)) && (lua_isnil(L, index) || add_labels(L, index, b));
	if (!ok)
		luaL_error(L, "host.count: name and labels together are too long");
	return b;
}

static int count(lua_State *L)
{
	double value = luaL_checknumber(L, 2);
	struct metrics *m = lua_context(L)->metrics;
	struct buf *b = push_series(L, 3);

	if (!metrics_add(m, buf_text(b), value))
		(void)metrics_add(m, "metrics_refused_total", 1);
	buf_free(b);
	return 0;
}

/* The function that host.counter returns; its upvalues are the series and where it was last time. */
static int count_on(lua_State *L)
{
	double value = luaL_optnumber(L, 1, 1);
	struct metrics *m = lua_context(L)->metrics;
	size_t before = (size_t)lua_tointeger(L, lua_upvalueindex(2));
	size_t at = before;

	if (!metrics_add_at(m, &at, lua_tostring(L, lua_upvalueindex(1)), value))
		(void)metrics_add(m, "metrics_refused_total", 1);
	if (at != before) {
		lua_pushinteger(L, (lua_Integer)at);
		lua_replace(L, lua_upvalueindex(2));
	}
	return 0;
}

static int counter(lua_State *L)
{
	struct buf *b = push_series(L, 2);

	lua_pushstring(L, buf_text(b));
	buf_free(b);
	lua_pushinteger(L, 0);
	lua_pushcclosure(L, count_on, 2);
	return 1;
}

void lua_store_add(lua_State *L)
{
	static const luaL_Reg functions[] = {{"keep", keep}, {"kept", kept}, {"count", count},
		{"counter", counter}, {NULL, NULL}};

	luaL_setfuncs(L, functions, 0);
}
