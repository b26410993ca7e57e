/* json_decode: JSON text to Lua values in one pass, strictly by RFC 8259.
 *
 * The members of an object or array wait on the Lua stack until there are enough of them (or all): so the
 * table is made with the right size and never rehashed, and nothing here is allocated but Lua's own values. Of a lazy
 * text, nested values that are long are checked by json_skip and left to json_lazy. */
#include "json.h"

#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "json_keys.h"
#include "json_lazy.h"
#include "json_number.h"
#include "json_skip.h"

enum {
	STAGED_MEMBERS = 32,  /* key-value pairs that wait on the stack, a level */
	STAGED_ELEMENTS = 64, /* the same for arrays */
	WORD_SHOWN = 16,      /* of a wrong word, in a message */
	NEVER_LAZY = JSON_DEPTH_MAX + 1,
};

struct decoder {
	lua_State *L;
	const char *text;
	const char *p; /* the next byte; where an error is */
	const char *end;
	const char *expected; /* says what was wrong, once something is */
	struct json_keys *keys;
	int null_at; /* stack indexes of the sentinel, the metatable and the table of keys */
	int array_at;
	int keys_at;
	int depth;
	int lazy_from;	   /* long values inside so many others are left as text … */
	int text_at;	   /* … of the Lua string at this stack index */
	const char *whole; /* its bytes */
	bool nulls;	   /* a null in an object is a value as any other */
};

/* The keys that an object had so far, as a set of bits that may say yes wrongly. */
struct seen {
	uint64_t bits[JSON_KEYS / 64];
};

static bool value(struct decoder *d);

static bool fail(struct decoder *d, const char *where, const char *expected)
{
	d->p = where;
	d->expected = expected;
	return false;
}

static inline void skip_space(struct decoder *d)
{
	d->p = json_skip_space(d->p, d->end);
}

static inline bool at(const struct decoder *d, char c)
{
	return d->p < d->end && *d->p == c;
}

static bool literal(struct decoder *d, const char *word, size_t len)
{
	if (!json_word_at(d->p, d->end, word, len))
		return fail(d, d->p, "a value");
	d->p += len;
	return true;
}

/* -------- scalars -------- */

static bool number(struct decoder *d)
{
	struct json_fault fault;
	struct json_number n;
	const char *start = d->p;
	const char *after = json_number_read(start, d->end, &n, &fault);

	if (!after)
		return fail(d, fault.where, fault.expected);
	d->p = after;
	if (n.kind == JSON_INTEGER)
		lua_pushinteger(d->L, n.integer);
	else if (n.kind == JSON_FLOAT)
		lua_pushnumber(d->L, n.number);
	else if (!json_number_push_wide(d->L, start, after))
		return fail(d, start, "a number that fits 64 bits");
	return true;
}

static inline bool key_string(struct decoder *d, struct json_span *s)
{
	struct json_fault fault;
	const char *after = json_string_read(d->p, d->end, s, &fault);

	if (!after)
		return fail(d, fault.where, fault.expected);
	d->p = after;
	return true;
}

/* A string that is a value. */
static inline bool push_string(struct decoder *d)
{
	struct json_fault fault;
	const char *start = d->p + 1;
	const char *stop = json_string_plain(start, d->end);

	if (stop < d->end && *stop == '"') {
		lua_pushlstring(d->L, start, (size_t)(stop - start));
		d->p = stop + 1;
		return true;
	}
	const char *after = json_string_push_on(d->L, start, stop, d->end, &fault);
	if (!after)
		return fail(d, fault.where, fault.expected);
	d->p = after;
	return true;
}

/* A key without escapes, at its place among those kept. */
static void push_key(struct decoder *d, const struct json_key *wanted, unsigned place)
{
	struct json_key *kept = &d->keys->key[place];

	if (json_keys_holds(kept, wanted)) {
		(void)lua_rawgeti(d->L, d->keys_at, (lua_Integer)place + 1);
		return;
	}
	const char *text = lua_pushlstring(d->L, wanted->text, wanted->len);
	if (wanted->len > JSON_KEY_LENGTH_MAX)
		return;
	lua_pushvalue(d->L, -1);
	lua_rawseti(d->L, d->keys_at, (lua_Integer)place + 1);
	*kept = *wanted;
	kept->text = text;
}

/* -------- containers -------- */

static bool enter(struct decoder *d, int slots)
{
	if (d->depth == JSON_DEPTH_MAX)
		return fail(d, d->p, "at most 512 levels of nesting");
	d->depth++;
	luaL_checkstack(d->L, slots, "JSON");
	return true;
}

/* Moves the staged pairs above `slot` into the table there, which is made at the first call. Of two equal keys the
 * last one wins. */
static void store_members(lua_State *L, int slot, int pairs, bool more, bool repeated)
{
	if (!lua_istable(L, slot)) {
		lua_createtable(L, 0, more ? pairs * 2 : pairs);
		lua_replace(L, slot);
	}
	for (int i = 0; repeated && i < pairs; i++) {
		lua_pushvalue(L, slot + 1 + 2 * i);
		lua_pushvalue(L, slot + 2 + 2 * i);
		lua_rawset(L, slot);
	}
	for (int i = 0; !repeated && i < pairs; i++)
		lua_rawset(L, slot);
	lua_settop(L, slot);
}

/* Adds a key; returns whether it may have been there before. */
static bool seen_before(struct seen *seen, unsigned place)
{
	uint64_t bit = (uint64_t)1 << place % 64;
	bool before = seen->bits[place / 64] & bit;

	seen->bits[place / 64] |= bit;
	return before;
}

static bool key_and_colon(struct decoder *d, struct json_span *key)
{
	skip_space(d);
	if (!at(d, '"'))
		return fail(d, d->p, "a key in quotes");
	if (!key_string(d, key))
		return false;
	skip_space(d);
	if (!at(d, ':'))
		return fail(d, d->p, "':' after a key");
	d->p++;
	skip_space(d);
	return true;
}

/* What an object needs while it is read. */
struct members {
	struct seen seen;
	int pairs;	 /* staged */
	bool repeated;	 /* two of all keys so far may be equal */
	bool any_before; /* a key was spelt with escapes: it may be any */
};

/* One member: pushes key and value, or nothing for null. A null that may follow an earlier value of the
 * same key is pushed as nil, to take that value away. */
static bool member(struct decoder *d, struct members *m)
{
	struct json_span key;
	struct json_key wanted;
	unsigned place = 0;

	if (!key_and_colon(d, &key))
		return false;
	if (key.escaped)
		m->any_before = true;
	else
		place = json_keys_place(key.p, key.n, d->end, &wanted);
	bool null = !d->nulls && at(d, 'n');
	if (null && !literal(d, "null", 4))
		return false;
	bool before = m->any_before;
	if (!before)
		before = null ? m->seen.bits[place / 64] >> place % 64 & 1
			      : seen_before(&m->seen, place);
	m->repeated = m->repeated || before;
	if (null && !before)
		return true;
	if (key.escaped)
		json_string_push_escaped(d->L, &key);
	else
		push_key(d, &wanted, place);
	m->pairs++;
	if (!null)
		return value(d);
	lua_pushnil(d->L);
	return true;
}

static bool object(struct decoder *d)
{
	struct members m = {.pairs = 0};

	if (!enter(d, 2 * STAGED_MEMBERS + 4))
		return false;
	lua_pushnil(d->L);
	int slot = lua_gettop(d->L);
	d->p++;
	skip_space(d);
	bool more = !at(d, '}');
	while (more) {
		if (!member(d, &m))
			return false;
		skip_space(d);
		more = at(d, ',');
		if (!more && !at(d, '}'))
			return fail(d, d->p, "',' or '}' after a member");
		if (more)
			d->p++;
		if (m.pairs == STAGED_MEMBERS) {
			store_members(d->L, slot, m.pairs, more, m.repeated);
			m.pairs = 0;
		}
	}
	d->p++;
	if (m.pairs > 0 || lua_isnil(d->L, slot))
		store_members(d->L, slot, m.pairs, false, m.repeated);
	d->depth--;
	return true;
}

/* Moves the staged elements above `slot` into the table there, as done + 1 and following. */
static void store_elements(struct decoder *d, int slot, lua_Integer done, int count)
{
	if (!lua_istable(d->L, slot)) {
		lua_createtable(d->L, count, 0);
		lua_pushvalue(d->L, d->array_at);
		lua_setmetatable(d->L, -2);
		lua_replace(d->L, slot);
	}
	for (int i = count; i > 0; i--)
		lua_rawseti(d->L, slot, done + i);
}

static bool array(struct decoder *d)
{
	lua_Integer done = 0;
	int count = 0;

	if (!enter(d, STAGED_ELEMENTS + 4))
		return false;
	lua_pushnil(d->L);
	int slot = lua_gettop(d->L);
	d->p++;
	skip_space(d);
	bool more = !at(d, ']');
	while (more) {
		if (!value(d))
			return false;
		count++;
		skip_space(d);
		more = at(d, ',');
		if (!more && !at(d, ']'))
			return fail(d, d->p, "',' or ']' after an element");
		if (more)
			d->p++;
		if (count == STAGED_ELEMENTS) {
			store_elements(d, slot, done, count);
			done += count;
			count = 0;
		}
	}
	d->p++;
	store_elements(d, slot, done, count);
	d->depth--;
	return true;
}

static bool container(struct decoder *d)
{
	return *d->p == '{' ? object(d) : array(d);
}

/* A container that is left as text if it is long. */
static bool lazy_container(struct decoder *d)
{
	const char *start = d->p;
	struct json_fault fault;
	struct json_skipped skipped = json_skip(d->L, start, d->end, d->depth, &fault);

	if (!skipped.after)
		return fail(d, fault.where, fault.expected);
	size_t len = (size_t)(skipped.after - start);
	if (len > JSON_LAZY_ABOVE) {
		luaL_checkstack(d->L, 2, "JSON");
		json_lazy_push(d->L, d->text_at, (size_t)(start - d->whole), len,
			skipped.verbatim ? skipped.levels : 0);
		d->p = skipped.after;
		return true;
	}
	int lazy_from = d->lazy_from;
	d->lazy_from = NEVER_LAZY;
	bool ok = container(d);
	d->lazy_from = lazy_from;
	return ok;
}

/* Pushes the value at d->p, which may follow white space. */
static bool value(struct decoder *d)
{
	skip_space(d);
	switch (d->p < d->end ? *d->p : '\0') {
	case '"':
		return push_string(d);
	case '{':
	case '[':
		if (d->depth >= d->lazy_from && d->end - d->p > JSON_LAZY_ABOVE)
			return lazy_container(d);
		return container(d);
	case 't':
		lua_pushboolean(d->L, true);
		return literal(d, "true", 4);
	case 'f':
		lua_pushboolean(d->L, false);
		return literal(d, "false", 5);
	case 'n':
		lua_pushvalue(d->L, d->null_at);
		return literal(d, "null", 4);
	default:
		if (d->p < d->end && (*d->p == '-' || (*d->p >= '0' && *d->p <= '9')))
			return number(d);
		return fail(d, d->p, "a value");
	}
}

/* -------- errors -------- */

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_';
}

static void describe_found(const struct decoder *d, char *out, size_t size)
{
	int word = 0;

	while (d->p + word < d->end && word < WORD_SHOWN && is_word(d->p[word]))
		word++;
	if (d->p >= d->end)
		(void)snprintf(out, size, "the end of the text");
	else if (word > 0)
		(void)snprintf(out, size, "'%.*s'", word, d->p);
	else if (*d->p > 0x20 && *d->p < 0x7F)
		(void)snprintf(out, size, "'%c'", *d->p);
	else
		(void)snprintf(out, size, "the byte 0x%02x", (unsigned)(unsigned char)*d->p);
}

/* Lines and columns count from 1; a column is a byte. */
static void push_message(const struct decoder *d)
{
	lua_Integer line = 1;
	const char *line_start = d->text;
	lua_Integer column;
	char found[40];

	for (const char *p = d->text; p < d->p; p++) {
		if (*p == '\n') {
			line++;
			line_start = p + 1;
		}
	}
	column = d->p - line_start + 1;
	describe_found(d, found, sizeof(found));
	lua_pushfstring(d->L, "line %I, column %I: expected %s, found %s", (LUAI_UACINT)line,
		(LUAI_UACINT)column, d->expected, found);
}

/* Reads the whole text; pushes the value, or a message and returns false. */
static bool read_all(struct decoder *d)
{
	lua_State *L = d->L;
	int top = lua_gettop(L);

	luaL_checkstack(L, 8, "JSON");
	json_push_null(L);
	json_push_array_meta(L);
	d->keys = json_keys_push(L);
	d->null_at = top + 1;
	d->array_at = top + 2;
	d->keys_at = top + 3; /* null meta keys */
	bool ok = value(d);
	if (ok) {
		skip_space(d);
		if (d->p < d->end)
			ok = fail(d, d->p, "the end of the text after the value");
	}
	if (!ok) {
		lua_settop(L, top);
		push_message(d);
		return false;
	}
	lua_replace(L, top + 1); /* value meta keys */
	lua_settop(L, top + 1);
	return true;
}

static struct decoder decoder(lua_State *L, const char *text, size_t len)
{
	return (struct decoder){
		.L = L, .text = text, .p = text, .end = text + len, .lazy_from = NEVER_LAZY};
}

bool json_push(lua_State *L, const char *text, size_t len)
{
	struct decoder d = decoder(L, text, len);

	return read_all(&d);
}

bool json_push_nulls(lua_State *L, const char *text, size_t len)
{
	struct decoder d = decoder(L, text, len);

	d.nulls = true;
	return read_all(&d);
}

static void set_lazy(struct decoder *d, int index, int levels)
{
	d->text_at = lua_absindex(d->L, index);
	d->whole = lua_tostring(d->L, d->text_at);
	d->lazy_from = levels;
}

bool json_push_lazy(lua_State *L, int index, int levels)
{
	size_t len;
	const char *text = lua_tolstring(L, index, &len);
	struct decoder d = decoder(L, text, len);

	set_lazy(&d, index, levels);
	return read_all(&d);
}

void json_push_level(lua_State *L, int index, const char *text, size_t len)
{
	struct decoder d = decoder(L, text, len);

	set_lazy(&d, index, 1);
	if (!read_all(&d)) /* it was checked */
		(void)lua_error(L);
}
