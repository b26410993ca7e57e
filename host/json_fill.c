/* json_fill: JSON text with gaps, and what stands in these. What never changes is text already.
 *
 * A list of pieces: text; n: the string values[n] as it stands between quotes; -n: values[n] as it is, JSON text itself. */
#include "json_fill.h"

#include <lauxlib.h>
#include <string.h>

#include "json.h"
#include "json_lazy.h"
#include "json_write.h"
#include "mem.h"

/* Is it text without control characters and without those that are barred? */
static bool is_clean(const char *text, size_t len, const char *barred)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c == 0x7f || strchr(barred, c))
			return false;
	}
	return true;
}

int json_texts(lua_State *L)
{
	const char *barred = luaL_checkstring(L, 4);
	lua_Integer room = luaL_checkinteger(L, 3), count;

	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_checktype(L, 2, LUA_TTABLE);
	luaL_argcheck(L, room >= 0 && room < 1024, 3, "a small number expected");
	json_lazy_touch(L, 1);
	count = (lua_Integer)lua_rawlen(L, 2);
	lua_createtable(L, (int)(count + room), 0);
	for (lua_Integer i = 1; i <= count; i++) {
		size_t len;

		(void)lua_rawgeti(L, 2, i);
		if (lua_rawget(L, 1) != LUA_TSTRING)
			return 0;
		const char *text = lua_tolstring(L, -1, &len);
		if (!is_clean(text, len, barred))
			return 0;
		lua_rawseti(L, -2, i);
	}
	return 1;
}

/* The string at the top of the stack, without the quotes around it. */
static void write_inside(struct json_writer *w, const char *text, size_t len)
{
	size_t begin = w->len;

	json_write_string(w, text, len);
	w->len -= 2;
	memmove(w->data + begin, w->data + begin + 1, w->len - begin);
}

/* The piece at the top of the stack; pops it. */
static void write_piece(lua_State *L, struct json_writer *w, int values)
{
	lua_Integer n = 0;
	size_t len;

	if (lua_isinteger(L, -1)) {
		n = lua_tointeger(L, -1);
		lua_pop(L, 1);
		if (lua_rawgeti(L, values, n < 0 ? -n : n) != LUA_TSTRING)
			luaL_error(L, "value %d is no string", (int)(n < 0 ? -n : n));
	} else if (lua_type(L, -1) != LUA_TSTRING) {
		luaL_error(L, "a piece is a %s", luaL_typename(L, -1));
	}
	const char *text = lua_tolstring(L, -1, &len);
	if (n > 0)
		write_inside(w, text, len);
	else
		json_write(w, text, len);
	lua_pop(L, 1);
}

static void write_all(lua_State *L, struct json_writer *w)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_checktype(L, 2, LUA_TTABLE);
	lua_settop(L, 2);
	json_write_begin(w, L);
	for (lua_Integer i = 1; lua_rawgeti(L, 1, i) != LUA_TNIL; i++)
		write_piece(L, w, 2);
	lua_pop(L, 1);
}

int json_fill(lua_State *L)
{
	struct json_writer w UNINITIALIZED;

	write_all(L, &w);
	lua_pushlstring(L, w.data, w.len);
	lua_insert(L, w.out_at);
	w.out_at++;
	json_write_end(&w);
	return 1;
}

int json_fill_digest(lua_State *L)
{
	struct json_writer w UNINITIALIZED;

	write_all(L, &w);
	uint64_t digest = json_digest_text(w.data, w.len);
	json_write_end(&w);
	return json_push_digest(L, digest);
}
