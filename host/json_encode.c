/* json_encode: Lua values to JSON text, and the digest of a value, which is a hash of that text.
 *
 * The text grows in the state's buffer (the first 2 KiB on the C stack), so an error on the way leaks nothing. Tables are
 * read raw: no metamethod runs. */
#include "json.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "json_lazy.h"
#include "json_out.h"
#include "json_string.h"
#include "mem.h"

#define FNV_OFFSET 0xcbf29ce484222325U
#define FNV_PRIME 0x100000001b3U
#define TWO_TO_63 9223372036854775808.0

enum {
	LOCAL_SIZE = 2048,
	TABLE_SLOTS = 12, /* Lua stack that one level needs */
	STRING_SLACK =
		2 + 8 + JSON_COPY_SLACK, /* quotes, an escape, and what copying writes behind */
	PATH_SHOWN = 200,		 /* bytes of a path in a message */
};

struct encoder {
	lua_State *L;
	struct json_format format;
	char *data; /* local, or the block of `out` */
	size_t len;
	size_t cap;
	struct json_out *out; /* NULL: still local */
	int out_at;	      /* stack indexes */
	int null_at;
	int array_at;
	int depth;
	char local[LOCAL_SIZE];
};

/* Where in the value we are: a list from the inside out, one link in each C frame. */
struct path {
	const struct path *up;
	const char *key; /* NULL: an element */
	size_t len;
	lua_Integer element;
};

static void write_value(struct encoder *e, const struct path *path);

/* -------- the buffer -------- */

static void grow(struct encoder *e, size_t more)
{
	size_t cap = e->cap * 2 > e->len + more ? e->cap * 2 : e->len + more;

	if (!e->out) {
		e->out = json_out_take(e->L);
		lua_replace(e->L, e->out_at);
	}
	if (e->out->cap < cap)
		json_out_grow(e->L, e->out, cap);
	if (e->data == e->local)
		memcpy(e->out->data, e->local, e->len);
	e->data = e->out->data;
	e->cap = e->out->cap;
}

static inline void reserve(struct encoder *e, size_t more)
{
	if (e->cap - e->len < more)
		grow(e, more);
}

static inline void add(struct encoder *e, const char *text, size_t len)
{
	reserve(e, len);
	memcpy(e->data + e->len, text, len);
	e->len += len;
}

static inline void add_char(struct encoder *e, char c)
{
	reserve(e, 1);
	e->data[e->len++] = c;
}

static void new_line(struct encoder *e)
{
	if (e->format.indent == 0)
		return;
	size_t spaces = (size_t)e->format.indent * (size_t)e->depth;
	reserve(e, spaces + 1);
	e->data[e->len++] = '\n';
	memset(e->data + e->len, ' ', spaces);
	e->len += spaces;
}

/* -------- scalars -------- */

/* The letter of the short escape of a character; 'u' has none. */
static const char escape_letters[256] = {['"'] = '"',
	['\\'] = '\\',
	['\b'] = 'b',
	['\f'] = 'f',
	['\n'] = 'n',
	['\r'] = 'r',
	['\t'] = 't'};

/* Writes an escape, six bytes at most, to out. */
static inline size_t escape(char *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	out[0] = '\\';
	out[1] = escape_letters[c];
	if (out[1])
		return 2;
	memcpy(out + 1, "u00", 3);
	out[4] = hex[c >> 4];
	out[5] = hex[c & 15];
	return 6;
}

static void write_string(struct encoder *e, const char *text, size_t len)
{
	const char *end = text + len;

	reserve(e, len + STRING_SLACK);
	char *out = e->data + e->len;
	*out++ = '"';
	for (;;) {
		size_t run = json_string_copy(out, text, end);
		out += run;
		text += run;
		if (text == end)
			break;
		out += escape(out, (unsigned char)*text++);
		e->len = (size_t)(out - e->data);
		reserve(e, (size_t)(end - text) + STRING_SLACK);
		out = e->data + e->len;
	}
	*out++ = '"';
	e->len = (size_t)(out - e->data);
}

static inline void write_integer(struct encoder *e, lua_Integer n)
{
	lua_Unsigned rest = n < 0 ? 0U - (lua_Unsigned)n : (lua_Unsigned)n;
	char text[24];
	char *p = text + sizeof(text);

	if (rest < 10 && n >= 0) {
		add_char(e, (char)('0' + rest));
		return;
	}
	for (; rest >= 100; rest /= 100) {
		unsigned two = (unsigned)(rest % 100);
		*--p = (char)('0' + two % 10);
		*--p = (char)('0' + two / 10);
	}
	if (rest >= 10) {
		*--p = (char)('0' + rest % 10);
		rest /= 10;
	}
	*--p = (char)('0' + rest);
	if (n < 0)
		*--p = '-';
	add(e, p, (size_t)(text + sizeof(text) - p));
}

/* The shortest text that reads back as the same number. */
static void write_float(struct encoder *e, double n)
{
	char text[32];

	if (n == floor(n) && n >= -TWO_TO_63 && n < TWO_TO_63) {
		write_integer(e, (lua_Integer)n);
		return;
	}
	int precision =
		fabs(n) < DBL_MIN ? 1 : 15; /* fewer digits are enough for the smallest numbers */
	for (; precision <= 17; precision++) {
		(void)snprintf(text, sizeof(text), "%.*g", precision, n);
		if (strtod(text, NULL) == n)
			break;
	}
	for (char *p = text; *p;
		p++) { /* a script may have set a locale with another decimal point */
		if (!strchr("0123456789+-e", *p))
			*p = '.';
	}
	add(e, text, strlen(text));
}

/* -------- errors -------- */

static void add_path(struct encoder *e, const struct path *path)
{
	if (!path)
		return;
	add_path(e, path->up);
	if (!path->key) {
		add_char(e, '[');
		write_integer(e, path->element);
		add_char(e, ']');
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
			add_char(e, '.');
		add(e, path->key, path->len);
	} else {
		add_char(e, '[');
		write_string(e, path->key, path->len);
		add_char(e, ']');
	}
}

/* Raises "cannot be written as JSON: Meta.x is a function". The text so far gives its buffer for the path. */
static void refuse(struct encoder *e, const struct path *path, const char *fmt, ...)
{
	va_list args;
	lua_State *L = e->L;

	luaL_checkstack(L, TABLE_SLOTS, "JSON");
	e->len = 0;
	add_path(e, path);
	bool cut = e->len > PATH_SHOWN;
	lua_pushlstring(L, e->data, cut ? PATH_SHOWN : e->len);
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
	add_char(e, bracket);
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
			add_char(e, ',');
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
			add_char(e, ',');
		new_line(e);
		lua_rawgeti(e->L, index, here.element);
		write_value(e, &here);
		lua_pop(e->L, 1);
	}
}

static void write_array(struct encoder *e, int index, const struct path *path)
{
	add_char(e, '[');
	enter(e, path);
	size_t begin = e->len;
	if (!write_elements(e, index, path)) {
		e->len = begin;
		write_in_order(e, index, path);
	}
	leave(e, ']', e->len == begin);
}

/* One member of an object; its value is on top of the stack and is popped. */
static void write_member(struct encoder *e, const struct path *here, bool first)
{
	if (!first)
		add_char(e, ',');
	new_line(e);
	write_string(e, here->key, here->len);
	add_char(e, ':');
	if (e->format.indent > 0)
		add_char(e, ' ');
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
	add_char(e, '{');
	enter(e, path);
	size_t begin = e->len;
	if (e->format.sorted)
		write_sorted(e, index, path);
	else
		write_unsorted(e, index, path);
	leave(e, '}', e->len == begin);
}

/* Marked, or with an element [1]; of the table on top of the stack. */
static bool is_array(const struct encoder *e)
{
	lua_State *L = e->L;
	bool is = false;

	if (lua_getmetatable(L, -1)) {
		is = lua_rawequal(L, -1, e->array_at);
		lua_pop(L, 1);
	}
	if (!is) {
		is = lua_rawgeti(L, -1, 1) != LUA_TNIL;
		lua_pop(L, 1);
	}
	return is;
}

static void write_table(struct encoder *e, const struct path *path)
{
	int index = lua_gettop(e->L);

	if (is_array(e))
		write_array(e, index, path);
	else
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
		write_integer(e, lua_tointeger(e->L, index));
		return;
	}
	double n = lua_tonumber(e->L, index);
	if (!isfinite(n))
		refuse(e, path, isnan(n) ? "is not a number (NaN)" : "is infinite");
	write_float(e, n);
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
		add(e, "null", 4);
		return;
	case LUA_TBOOLEAN:
		if (lua_toboolean(L, index))
			add(e, "true", 4);
		else
			add(e, "false", 5);
		return;
	case LUA_TNUMBER:
		write_number(e, index, path);
		return;
	case LUA_TSTRING:
		text = lua_tolstring(L, index, &len);
		write_string(e, text, len);
		return;
	case LUA_TTABLE:
		write_table(e, path);
		return;
	default:
		if (!is_null(e, index))
			refuse(e, path, "is a %s", luaL_typename(L, index));
		add(e, "null", 4);
	}
}

/* Writes into e->data; the Lua stack is left with what holds that. */
static void encode(struct encoder *e, lua_State *L, int index, struct json_format format)
{
	index = lua_absindex(L, index);
	luaL_checkstack(L, TABLE_SLOTS, "JSON");
	e->L = L;
	e->format = format;
	e->data = e->local;
	e->cap = sizeof(e->local);
	e->len = 0;
	e->out = NULL;
	e->depth = 0;
	lua_pushnil(L);
	e->out_at = lua_gettop(L);
	json_push_null(L);
	e->null_at = lua_gettop(L);
	json_push_array_meta(L);
	e->array_at = lua_gettop(L); /* out null meta */
	lua_pushvalue(L, index);
	write_value(e, NULL);
}

/* Takes what was written, and leaves the stack as it was. */
static void finish(struct encoder *e)
{
	lua_settop(e->L, e->out_at);
	if (e->out)
		json_out_give_back(e->L);
	else
		lua_pop(e->L, 1);
}

void json_push_text(lua_State *L, int index, struct json_format format)
{
	struct encoder e UNINITIALIZED;

	encode(&e, L, index, format);
	lua_pushlstring(L, e.data, e.len);
	lua_insert(L, e.out_at); /* text out null meta value */
	e.out_at++;
	finish(&e);
}

uint64_t json_digest(lua_State *L, int index)
{
	struct encoder e UNINITIALIZED;
	uint64_t hash = FNV_OFFSET;

	encode(&e, L, index, (struct json_format){.sorted = true});
	for (size_t i = 0; i < e.len; i++)
		hash = (hash ^ (unsigned char)e.data[i]) * FNV_PRIME;
	finish(&e);
	return hash;
}
