/* json_decode: JSON text to Lua values in one pass, strictly by RFC 8259.
 *
 * The members of an object or array wait on the Lua stack until there are enough of them (or all): so the
 * table is made with the right size and never rehashed, and nothing here is allocated but Lua's own values. */
#include "json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "json_string.h"

enum {
	STAGED_MEMBERS = 32,  /* key-value pairs that wait on the stack, a level */
	STAGED_ELEMENTS = 64, /* the same for arrays */
	INTEGER_DIGITS = 18,  /* so many always fit */
	WORD_SHOWN = 16,      /* of a wrong word, in a message */
};

struct decoder {
	lua_State *L;
	const char *text;
	const char *p; /* the next byte; where an error is */
	const char *end;
	const char *expected; /* says what was wrong, once something is */
	int null_at;	      /* stack indexes of the sentinel and the metatable */
	int array_at;
	int depth;
};

/* The keys that an object had so far, as a set of 64 bits that may say yes wrongly. */
struct seen {
	uint64_t bits;
};

static bool value(struct decoder *d);

static bool fail(struct decoder *d, const char *where, const char *expected)
{
	d->p = where;
	d->expected = expected;
	return false;
}

static void skip_space(struct decoder *d)
{
	while (d->p < d->end && (*d->p == ' ' || *d->p == '\n' || *d->p == '\t' || *d->p == '\r'))
		d->p++;
}

static bool at(const struct decoder *d, char c)
{
	return d->p < d->end && *d->p == c;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool literal(struct decoder *d, const char *word, size_t len)
{
	if ((size_t)(d->end - d->p) < len || memcmp(d->p, word, len) != 0)
		return fail(d, d->p, "a value");
	d->p += len;
	return true;
}

/* -------- numbers -------- */

static const char *digits(const struct decoder *d, const char *p)
{
	while (p < d->end && is_digit(*p))
		p++;
	return p;
}

/* What the fast path does not take: fractions, exponents, and integers of many digits. */
static bool slow_number(struct decoder *d, const char *start)
{
	lua_State *L = d->L;

	lua_pushlstring(L, start, (size_t)(d->p - start));
	(void)lua_stringtonumber(L, lua_tostring(L, -1)); /* text number */
	lua_remove(L, -2);				  /* number */
	if (!lua_isinteger(L, -1) && !isfinite(lua_tonumber(L, -1)))
		return fail(d, start, "a number that fits 64 bits");
	return true;
}

static bool number(struct decoder *d)
{
	const char *start = d->p;
	const char *first = *start == '-' ? start + 1 : start;
	const char *p = digits(d, first);
	bool whole = true;

	if (p == first)
		return fail(d, p, *start == '-' ? "a digit after '-'" : "a value");
	if (*first == '0' && p > first + 1)
		return fail(d, first + 1, "no digit after a leading 0");
	size_t count = (size_t)(p - first);
	if (p < d->end && *p == '.') {
		const char *fraction = p + 1;
		whole = false;
		p = digits(d, fraction);
		if (p == fraction)
			return fail(d, p, "a digit after '.'");
	}
	if (p < d->end && (*p == 'e' || *p == 'E')) {
		const char *exponent = p + 1;
		whole = false;
		if (exponent < d->end && (*exponent == '+' || *exponent == '-'))
			exponent++;
		p = digits(d, exponent);
		if (p == exponent)
			return fail(d, p, "a digit in the exponent");
	}
	d->p = p;
	if (!whole || count > INTEGER_DIGITS)
		return slow_number(d, start);
	lua_Integer n = 0;
	for (const char *c = first; c < p; c++)
		n = n * 10 + (*c - '0');
	lua_pushinteger(d->L, *start == '-' ? -n : n);
	return true;
}

static bool string(struct decoder *d, struct json_span *s)
{
	const char *where, *expected;
	const char *after = json_string_read(d->p, d->end, s, &where, &expected);

	if (!after)
		return fail(d, where, expected);
	d->p = after;
	return true;
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

/* Moves the staged pairs above `slot` into the table there, which is made at the first call. */
static void store_members(lua_State *L, int slot, int pairs, bool more)
{
	if (!lua_istable(L, slot)) {
		lua_createtable(L, 0, more ? pairs * 2 : pairs);
		lua_replace(L, slot);
	}
	for (int i = 0; i < pairs; i++) { /* forwards: of two equal keys the last one wins */
		lua_pushvalue(L, slot + 1 + 2 * i);
		lua_pushvalue(L, slot + 2 + 2 * i);
		lua_rawset(L, slot);
	}
	lua_settop(L, slot);
}

/* Adds a key; returns whether it may have been there before. */
static bool seen_before(struct seen *seen, const struct json_span *key)
{
	if (key->escaped) { /* spelt differently, it may be any */
		seen->bits = UINT64_MAX;
		return true;
	}
	unsigned hash = (unsigned)key->n;
	if (key->n > 0)
		hash += 7U * (unsigned char)key->p[0] + 31U * (unsigned char)key->p[key->n - 1];
	uint64_t bit = (uint64_t)1 << (hash % 64);
	bool before = seen->bits & bit;
	seen->bits |= bit;
	return before;
}

static bool key_and_colon(struct decoder *d, struct json_span *key)
{
	skip_space(d);
	if (!at(d, '"'))
		return fail(d, d->p, "a key in quotes");
	if (!string(d, key))
		return false;
	skip_space(d);
	if (!at(d, ':'))
		return fail(d, d->p, "':' after a key");
	d->p++;
	skip_space(d);
	return true;
}

/* One member: pushes key and value, or nothing for null. A null that may follow an earlier value of the
 * same key is pushed as nil, to take that value away. */
static bool member(struct decoder *d, struct seen *seen, int *pairs)
{
	struct json_span key;

	if (!key_and_colon(d, &key))
		return false;
	bool before = seen_before(seen, &key);
	if (at(d, 'n')) {
		if (!literal(d, "null", 4))
			return false;
		if (before) {
			json_string_push(d->L, &key);
			lua_pushnil(d->L);
			++*pairs;
		}
		return true;
	}
	json_string_push(d->L, &key);
	++*pairs;
	return value(d);
}

static bool object(struct decoder *d)
{
	struct seen seen = {0};
	int pairs = 0;

	if (!enter(d, 2 * STAGED_MEMBERS + 4))
		return false;
	lua_pushnil(d->L);
	int slot = lua_gettop(d->L);
	d->p++;
	skip_space(d);
	bool more = !at(d, '}');
	while (more) {
		if (!member(d, &seen, &pairs))
			return false;
		skip_space(d);
		more = at(d, ',');
		if (!more && !at(d, '}'))
			return fail(d, d->p, "',' or '}' after a member");
		if (more)
			d->p++;
		if (pairs == STAGED_MEMBERS) {
			store_members(d->L, slot, pairs, more);
			pairs = 0;
		}
	}
	d->p++;
	store_members(d->L, slot, pairs, false);
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

/* Pushes the value at d->p, which may follow white space. */
static bool value(struct decoder *d)
{
	struct json_span s;

	skip_space(d);
	switch (d->p < d->end ? *d->p : '\0') {
	case '"':
		if (!string(d, &s))
			return false;
		json_string_push(d->L, &s);
		return true;
	case '{':
		return object(d);
	case '[':
		return array(d);
	case 't':
		lua_pushboolean(d->L, true);
		return literal(d, "true", 4);
	case 'f':
		lua_pushboolean(d->L, false);
		return literal(d, "false", 5);
	case 'n':
		lua_pushvalue(d->L, d->null_at);
		return literal(d, "null", 4);
	case '-':
	case '0':
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
	case '6':
	case '7':
	case '8':
	case '9':
		return number(d);
	default:
		return fail(d, d->p, "a value");
	}
}

/* -------- errors -------- */

static bool is_word(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
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

bool json_push(lua_State *L, const char *text, size_t len)
{
	int top = lua_gettop(L);
	struct decoder d = {.L = L, .text = text, .p = text, .end = text + len};

	luaL_checkstack(L, 8, "JSON");
	json_push_null(L);
	json_push_array_meta(L);
	d.null_at = top + 1;
	d.array_at = top + 2; /* null meta */
	bool ok = value(&d);
	if (ok) {
		skip_space(&d);
		if (d.p < d.end)
			ok = fail(&d, d.p, "the end of the text after the value");
	}
	if (!ok) {
		lua_settop(L, top);
		push_message(&d);
		return false;
	}
	lua_replace(L, top + 1); /* value meta */
	lua_settop(L, top + 1);
	return true;
}
