/* json_encode: Lua values to JSON text, and the digest of a value, which is a hash of that text.
 *
 * The text grows in the state's buffer (the first 2 KiB on the C stack), so an error on the way leaks nothing. Tables are
 * read raw: no metamethod runs. */
#include "json.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "json_lazy.h"
#include "json_write.h"
#include "mem.h"

#define FNV_OFFSET 0xcbf29ce484222325U
#define FNV_PRIME 0x100000001b3U

enum {
	TABLE_SLOTS = 12, /* Lua stack that one level needs */
	PATH_SHOWN = 200, /* bytes of a path in a message */
};

struct encoder {
	lua_State *L;
	struct json_format format;
	int null_at; /* stack indexes */
	const void *array_meta;
	int depth;
	struct json_writer w;
};

/* Where in the value we are: a list from the inside out, one link in each C frame. */
struct path {
	const struct path *up;
	const char *key; /* NULL: an element */
	size_t len;
	lua_Integer element;
};

enum shape { IS_ARRAY, IS_UNMARKED, IS_WRITTEN };

static void write_value(struct encoder *e, const struct path *path);

static void new_line(struct encoder *e)
{
	if (e->format.indent == 0)
		return;
	size_t spaces = (size_t)e->format.indent * (size_t)e->depth;
	json_write_reserve(&e->w, spaces + 1);
	e->w.data[e->w.len++] = '\n';
	memset(e->w.data + e->w.len, ' ', spaces);
	e->w.len += spaces;
}

/* -------- errors -------- */

static void add_path(struct encoder *e, const struct path *path)
{
	if (!path)
		return;
	add_path(e, path->up);
	if (!path->key) {
		json_write_char(&e->w, '[');
		json_write_integer(&e->w, path->element);
		json_write_char(&e->w, ']');
		return;
	}
	size_t plain = 0;
	while (plain < path->len && path->key[plain] &&
		strchr("abcdefghijklmnopqrstuvwxyz"
		       "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789",
			path->key[plain]))
		plain++;
	if (plain > 0 && plain == path->len) {
		if (path->up)
			json_write_char(&e->w, '.');
		json_write(&e->w, path->key, path->len);
	} else {
		json_write_char(&e->w, '[');
		json_write_string(&e->w, path->key, path->len);
		json_write_char(&e->w, ']');
	}
}

/* Raises "cannot be written as JSON: Meta.x is a function". The text so far gives its buffer for the path. */
static void refuse(struct encoder *e, const struct path *path, const char *fmt, ...)
{
	va_list args;
	lua_State *L = e->L;

	luaL_checkstack(L, TABLE_SLOTS, "JSON");
	e->w.len = 0;
	add_path(e, path);
	bool cut = e->w.len > PATH_SHOWN;
	lua_pushlstring(L, e->w.data, cut ? PATH_SHOWN : e->w.len);
	va_start(args, fmt);
	lua_pushvfstring(L, fmt, args);
	va_end(args); /* path why */
	luaL_error(L, "cannot be written as JSON: %s%s %s",
		path ? lua_tostring(L, -2) : "the value", cut ? "…" : "", lua_tostring(L, -1));
}

/* -------- containers -------- */

static void enter(struct encoder *e, const struct path *path)
{
	if (e->depth == JSON_DEPTH_MAX)
		refuse(e, path, "is nested deeper than %d levels, or holds itself", JSON_DEPTH_MAX);
	luaL_checkstack(e->L, TABLE_SLOTS, "JSON");
	e->depth++;
}

static void leave(struct encoder *e, char bracket, bool empty)
{
	e->depth--;
	if (!empty)
		new_line(e);
	json_write_char(&e->w, bracket);
}

static void refuse_hole(struct encoder *e, int index, const struct path *path)
{
	lua_Integer i = 1;

	while (lua_rawgeti(e->L, index, i) != LUA_TNIL) {
		lua_pop(e->L, 1);
		i++;
	}
	refuse(e, path, "is an array with a hole: [%I] is missing", (LUAI_UACINT)i);
}

/* The length of an array that has nothing but its elements, 1 and following. */
static lua_Integer array_length(struct encoder *e, int index, const struct path *path)
{
	lua_State *L = e->L;
	lua_Integer length = (lua_Integer)lua_rawlen(L, index), count = 0;

	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) { /* key value */
		if (!lua_isinteger(L, -2))
			refuse(e, path, "is an array and has the key %s too",
				luaL_tolstring(L, -2, NULL));
		lua_Integer key = lua_tointeger(L, -2);
		if (key < 1 || key > length)
			refuse_hole(e, index, path);
		count++;
	}
	if (count < length)
		refuse_hole(e, index, path);
	return length;
}

/* Elements in the order of lua_next, which is nearly always theirs; false when not, or when there is anything else. */
static bool write_elements(struct encoder *e, int index, const struct path *path)
{
	lua_State *L = e->L;
	struct path here = {path, NULL, 0, 0};

	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) { /* key value */
		here.element++;
		if (!lua_isinteger(L, -2) || lua_tointeger(L, -2) != here.element) {
			lua_pop(L, 2);
			return false;
		}
		if (here.element > 1)
			json_write_char(&e->w, ',');
		new_line(e);
		write_value(e, &here);
	}
	return true;
}

/* The same in every other case. */
static void write_in_order(struct encoder *e, int index, const struct path *path)
{
	struct path here = {path, NULL, 0, 0};
	lua_Integer length = array_length(e, index, path);

	for (here.element = 1; here.element <= length; here.element++) {
		if (here.element > 1)
			json_write_char(&e->w, ',');
		new_line(e);
		lua_rawgeti(e->L, index, here.element);
		write_value(e, &here);
		lua_pop(e->L, 1);
	}
}

static void write_array(struct encoder *e, int index, const struct path *path)
{
	json_write_char(&e->w, '[');
	enter(e, path);
	size_t begin = e->w.len;
	if (!write_elements(e, index, path)) {
		e->w.len = begin;
		write_in_order(e, index, path);
	}
	leave(e, ']', e->w.len == begin);
}

/* One member of an object; its value is on top of the stack and is popped. */
static void write_member(struct encoder *e, const struct path *here, bool first)
{
	if (!first)
		json_write_char(&e->w, ',');
	new_line(e);
	json_write_string(&e->w, here->key, here->len);
	json_write_char(&e->w, ':');
	if (e->format.indent > 0)
		json_write_char(&e->w, ' ');
	write_value(e, here);
	lua_pop(e->L, 1);
}

/* Puts the key at -2 into *here. A number is not turned into a string: that would confuse lua_next. */
static void check_key(struct encoder *e, struct path *here)
{
	if (lua_type(e->L, -2) != LUA_TSTRING)
		refuse(e, here->up, "has a key that is not a string: %s",
			luaL_tolstring(e->L, -2, NULL));
	here->key = lua_tolstring(e->L, -2, &here->len);
}

static void write_unsorted(struct encoder *e, int index, const struct path *path)
{
	struct path here = {path, NULL, 0, 0};
	bool first = true;

	for (lua_pushnil(e->L); lua_next(e->L, index); first = false) { /* key value */
		check_key(e, &here);
		write_member(e, &here, first);
	}
}

static int compare_keys(const void *a, const void *b)
{
	const struct path *x = a, *y = b;
	int order = memcmp(x->key, y->key, x->len < y->len ? x->len : y->len);

	if (order == 0 && x->len != y->len)
		order = x->len < y->len ? -1 : 1;
	return order;
}

/* The keys are held by the table, which nothing changes meanwhile, so pointers to them stay good. */
static void write_sorted(struct encoder *e, int index, const struct path *path)
{
	lua_State *L = e->L;
	struct path here = {path, NULL, 0, 0};
	size_t count = 0, n = 0;

	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
		count++;
	struct path *keys = lua_newuserdatauv(L, count * sizeof(*keys), 0); /* keys */
	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
		check_key(e, &here);
		keys[n++] = here;
	}
	qsort(keys, count, sizeof(*keys), compare_keys);
	for (n = 0; n < count; n++) {
		lua_pushlstring(L, keys[n].key, keys[n].len);
		lua_rawget(L, index); /* keys value */
		write_member(e, &keys[n], n == 0);
	}
	lua_pop(L, 1);
}

static void write_object(struct encoder *e, int index, const struct path *path)
{
	json_write_char(&e->w, '{');
	enter(e, path);
	size_t begin = e->w.len;
	if (e->format.sorted)
		write_sorted(e, index, path);
	else
		write_unsorted(e, index, path);
	leave(e, '}', e->w.len == begin);
}

/* Is the table on top of the stack marked as an array? One that is still text is written as it stands, which is
 * IS_WRITTEN, if that is what an eager one would give, and decoded otherwise. */
static enum shape marked_shape(struct encoder *e)
{
	struct json_lazy lazy;
	lua_State *L = e->L;

	if (!lua_getmetatable(L, -1))
		return IS_UNMARKED;
	bool array = lua_topointer(L, -1) == e->array_meta;
	lua_pop(L, 1);
	if (array)
		return IS_ARRAY;
	if (!json_lazy_is(L, -1, &lazy))
		return IS_UNMARKED;
	if (!e->format.sorted && e->format.indent == 0 && lazy.levels > 0 &&
		e->depth + lazy.levels <= JSON_DEPTH_MAX) {
		json_write(&e->w, lazy.text, lazy.len);
		return IS_WRITTEN;
	}
	json_lazy_touch(L, -1);
	return marked_shape(e);
}

static void write_table(struct encoder *e, const struct path *path)
{
	lua_State *L = e->L;
	int index = lua_gettop(L);
	enum shape shape = marked_shape(e);

	if (shape == IS_UNMARKED) {
		shape = lua_rawgeti(L, -1, 1) == LUA_TNIL ? IS_UNMARKED : IS_ARRAY;
		lua_pop(L, 1);
	}
	if (shape == IS_ARRAY)
		write_array(e, index, path);
	else if (shape == IS_UNMARKED)
		write_object(e, index, path);
}

/* cjson's null is a light userdata of NULL; a script may have got one from there. */
static bool is_null(const struct encoder *e, int index)
{
	if (lua_islightuserdata(e->L, index))
		return !lua_touserdata(e->L, index);
	return lua_rawequal(e->L, index, e->null_at);
}

static void write_number(struct encoder *e, int index, const struct path *path)
{
	if (lua_isinteger(e->L, index)) {
		json_write_integer(&e->w, lua_tointeger(e->L, index));
		return;
	}
	double n = lua_tonumber(e->L, index);
	if (!isfinite(n))
		refuse(e, path, isnan(n) ? "is not a number (NaN)" : "is infinite");
	json_write_float(&e->w, n);
}

/* The value on top of the stack. */
static void write_value(struct encoder *e, const struct path *path)
{
	const int index = -1;
	lua_State *L = e->L;
	size_t len;
	const char *text;

	switch (lua_type(L, index)) {
	case LUA_TNIL:
		json_write(&e->w, "null", 4);
		return;
	case LUA_TBOOLEAN:
		if (lua_toboolean(L, index))
			json_write(&e->w, "true", 4);
		else
			json_write(&e->w, "false", 5);
		return;
	case LUA_TNUMBER:
		write_number(e, index, path);
		return;
	case LUA_TSTRING:
		text = lua_tolstring(L, index, &len);
		json_write_string(&e->w, text, len);
		return;
	case LUA_TTABLE:
		write_table(e, path);
		return;
	default:
		if (!is_null(e, index))
			refuse(e, path, "is a %s", luaL_typename(L, index));
		json_write(&e->w, "null", 4);
	}
}

/* Writes into e->w.data; the Lua stack is left with what holds that. */
static void encode(struct encoder *e, lua_State *L, int index, struct json_format format)
{
	index = lua_absindex(L, index);
	luaL_checkstack(L, TABLE_SLOTS, "JSON");
	e->L = L;
	e->format = format;
	e->depth = 0;
	json_write_begin(&e->w, L);
	json_push_null(L);
	e->null_at = lua_gettop(L);
	json_push_array_meta(L);
	e->array_meta = lua_topointer(L, -1); /* out null meta */
	lua_pushvalue(L, index);
	write_value(e, NULL);
}

/* Takes what was written, and leaves the stack as it was. */
static void finish(struct encoder *e)
{
	lua_settop(e->L, e->w.out_at);
	json_write_end(&e->w);
}

void json_push_text(lua_State *L, int index, struct json_format format)
{
	struct encoder e UNINITIALIZED;

	encode(&e, L, index, format);
	lua_pushlstring(L, e.w.data, e.w.len);
	lua_insert(L, e.w.out_at); /* text out null meta value */
	e.w.out_at++;
	finish(&e);
}

uint64_t json_digest_text(const char *text, size_t len)
{
	uint64_t hash = FNV_OFFSET;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)text[i]) * FNV_PRIME;
	return hash;
}

uint64_t json_digest(lua_State *L, int index)
{
	struct encoder e UNINITIALIZED;

	encode(&e, L, index, (struct json_format){.sorted = true});
	uint64_t hash = json_digest_text(e.w.data, e.w.len);
	finish(&e);
	return hash;
}
