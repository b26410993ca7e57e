/* lua_where: see lua_where.h.
 *
 *   { kind = "any", { … }, { … } }             { kind = "fields", fields = { Meta = { … } } }
 *   { kind = "except", { … }, { … } }
 *   { kind = "equal", value = "true" }         { kind = "prefix", text = "x" }, "mentions"
 *   { kind = "present" }                       { kind = "unsaid" } */
#include "lua_where.h"

#include <lauxlib.h>
#include <string.h>

static void add(lua_State *L, struct where_node *parent, const char *name, size_t len);

/* The text of the description on top of the stack. */
static void add_text(
	lua_State *L, struct where_node *parent, const char *name, size_t len, enum where_kind kind)
{
	struct where_node *n = where_add(parent, name, len, kind);
	const char *text;
	size_t text_len;

	if (lua_getfield(L, -1, "text") != LUA_TSTRING)
		luaL_error(L, "a where's text is a %s", luaL_typename(L, -1));
	text = lua_tolstring(L, -1, &text_len);
	where_set_text(n, text, text_len);
	lua_pop(L, 1);
}

/* ANY, or EXCEPT. Returns how many nodes it has. */
static lua_Integer add_list(
	lua_State *L, struct where_node *parent, const char *name, size_t len, enum where_kind kind)
{
	struct where_node *n = where_add(parent, name, len, kind);
	lua_Integer i;

	for (i = 1; lua_geti(L, -1, i) != LUA_TNIL; i++) {
		add(L, n, NULL, 0);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	return i - 1;
}

static void add_fields(lua_State *L, struct where_node *parent, const char *name, size_t len)
{
	struct where_node *n = where_add(parent, name, len, WHERE_FIELDS);

	if (lua_getfield(L, -1, "fields") != LUA_TTABLE)
		luaL_error(L, "a where's fields are a %s", luaL_typename(L, -1));
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		size_t key_len = 0;
		const char *key =
			lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &key_len) : NULL;

		if (!key)
			luaL_error(L, "a where's field is named by a %s", luaL_typename(L, -2));
		else
			add(L, n, key, key_len);
	}
	lua_pop(L, 1);
}

static void add_equal(lua_State *L, struct where_node *parent, const char *name, size_t len)
{
	int type = lua_getfield(L, -1, "value");
	const char *text;
	size_t text_len;

	if (type == LUA_TSTRING) {
		text = lua_tolstring(L, -1, &text_len);
		where_set_text(where_add(parent, name, len, WHERE_STRING), text, text_len);
	} else if (type == LUA_TBOOLEAN) {
		where_set_boolean(
			where_add(parent, name, len, WHERE_BOOLEAN), lua_toboolean(L, -1));
	} else if (lua_isinteger(L, -1)) {
		where_set_integer(
			where_add(parent, name, len, WHERE_INTEGER), lua_tointeger(L, -1));
	} else if (type == LUA_TNUMBER) {
		where_set_float(where_add(parent, name, len, WHERE_FLOAT), lua_tonumber(L, -1));
	} else {
		luaL_error(L, "a where's value is a %s", luaL_typename(L, -1));
	}
	lua_pop(L, 1);
}

/* The description on top of the stack. */
static void add(lua_State *L, struct where_node *parent, const char *name, size_t len)
{
	static const char *const kinds[] = {"any", "fields", "equal", "prefix", "mentions",
		"present", "except", "unsaid", NULL};
	int kind;

	luaL_checkstack(L, 8, "where");
	luaL_checktype(L, -1, LUA_TTABLE);
	lua_getfield(L, -1, "kind");
	kind = luaL_checkoption(L, -1, NULL, kinds);
	lua_pop(L, 1);
	switch (kind) {
	case 0:
		(void)add_list(L, parent, name, len, WHERE_ANY);
		break;
	case 1:
		add_fields(L, parent, name, len);
		break;
	case 2:
		add_equal(L, parent, name, len);
		break;
	case 3:
		add_text(L, parent, name, len, WHERE_PREFIX);
		break;
	case 4:
		add_text(L, parent, name, len, WHERE_MENTIONS);
		break;
	case 5:
		(void)where_add(parent, name, len, WHERE_PRESENT);
		break;
	case 6:
		if (add_list(L, parent, name, len, WHERE_EXCEPT) != 2)
			luaL_error(L, "a where's except is not of two");
		break;
	default:
		(void)where_add(parent, name, len, WHERE_UNSAID);
		break;
	}
}

void lua_where_add(lua_State *L, int index, struct where *w)
{
	lua_pushvalue(L, index);
	add(L, where_root(w), NULL, 0);
	lua_pop(L, 1);
}
