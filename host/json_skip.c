/* json_skip: checks a JSON value as strictly as the decoder does, without building it and without recursion.
 *
 * It finds the same fault at the same place: spec/host/json_lazy_spec.lua and the fuzzer compare the two. */
#include "json_skip.h"

#include "json.h"
#include "json_number.h"
#include "mem.h"

enum { BLOCK = 64 };

struct skipper {
	lua_State *L;
	const char *end;
	struct json_fault *fault;
	int depth, base, deepest;
	bool verbatim;
	uint64_t objects[JSON_DEPTH_MAX / 64 + 1]; /* one bit a level: set for an object */
	/* Which of the bytes from `block` on cannot stand for themselves in a string. A string's end is found in these bits:
	 * to load bytes from where the one before it has ended would be to wait for that each time. */
	const char *block;
	uint64_t special;
};

/* All of these take the place where they begin and return what follows, or NULL after a fault. At the end there is a
 * NUL, which no value has in it: where it would be a fault too, the end need not be looked for. */

static const char *fail(struct skipper *s, const char *where, const char *expected)
{
	s->fault->where = where;
	s->fault->expected = expected;
	return NULL;
}

static const char *white(struct skipper *s, const char *p)
{
	const char *after = json_skip_space(p, s->end);

	s->verbatim = s->verbatim && after == p;
	return after;
}

/* There hardly is any. */
static inline const char *space(struct skipper *s, const char *p)
{
	return (unsigned char)*p > ' ' ? p : white(s, p);
}

static inline bool in_object(const struct skipper *s)
{
	return s->objects[s->depth / 64] >> s->depth % 64 & 1;
}

static uint64_t special_bits(const char *p)
{
	uint64_t bits = 0;

#ifdef __SSE2__
	for (int i = 0; i < BLOCK; i += 16)
		bits |= (uint64_t)json_special16(p + i) << i;
#else
	for (int i = 0; i < BLOCK; i++)
		bits |= (uint64_t)(p[i] == '"' || p[i] == '\\' || (unsigned char)p[i] < 0x20) << i;
#endif
	return bits;
}

static inline void read_block(struct skipper *s, const char *p)
{
	char last[BLOCK] UNINITIALIZED;
	size_t left = (size_t)(s->end - p);

	s->block = p;
	if (left < BLOCK) {
		memset(last, 0, sizeof(last)); /* which is special */
		memcpy(last, p, left);
		p = last;
	}
	s->special = special_bits(p);
}

/* The first byte from p on that cannot stand for itself in a string; end is one. */
static inline const char *plain(struct skipper *s, const char *p)
{
	for (;;) {
		size_t at = (size_t)(p - s->block);

		if (at < BLOCK && s->special >> at)
			return p + __builtin_ctzll(s->special >> at);
		if (at < BLOCK)
			p = s->block + BLOCK;
		read_block(s, at < 2 * BLOCK ? s->block + BLOCK : p);
	}
}

static const char *escaped_string(struct skipper *s, const char *stop)
{
	struct json_span span = {.p = stop};

	return json_string_read_on(stop, s->end, &span, s->fault);
}

static inline const char *string(struct skipper *s, const char *p)
{
	const char *stop = plain(s, p + 1);

	return *stop == '"' ? stop + 1 : escaped_string(s, stop);
}

/* What follows an integer that fits for sure; NULL where the number at p is none. */
static inline const char *integer(const char *p)
{
	const char *first = *p == '-' ? p + 1 : p, *after = first;

	while (*after >= '0' && *after <= '9')
		after++;
	if (after == first || after - first > JSON_INTEGER_DIGITS ||
		(*first == '0' && after - first > 1))
		return NULL;
	return *after == '.' || *after == 'e' || *after == 'E' ? NULL : after;
}

static const char *other_number(struct skipper *s, const char *p)
{
	struct json_number n;
	const char *after = json_number_read(p, s->end, &n, s->fault);

	if (!after)
		return NULL;
	s->verbatim = s->verbatim && n.kind == JSON_INTEGER;
	if (n.kind != JSON_WIDE)
		return after;
	bool fits = json_number_push_wide(s->L, p, after);
	lua_pop(s->L, 1);
	return fits ? after : fail(s, p, "a number that fits 64 bits");
}

static inline const char *number(struct skipper *s, const char *p)
{
	const char *after = integer(p);

	return after ? after : other_number(s, p);
}

static inline const char *word(struct skipper *s, const char *p, const char *text, size_t len)
{
	return json_word_at(p, s->end, text, len) ? p + len : fail(s, p, "a value");
}

/* Steps in; *opened says that there is a first value to come. */
static inline const char *open(struct skipper *s, const char *p, bool *opened)
{
	bool object = *p == '{';

	if (s->depth == JSON_DEPTH_MAX)
		return fail(s, p, "at most 512 levels of nesting");
	s->depth++;
	s->deepest = s->depth > s->deepest ? s->depth : s->deepest;
	uint64_t bit = (uint64_t)1 << s->depth % 64;
	if (object)
		s->objects[s->depth / 64] |= bit;
	else
		s->objects[s->depth / 64] &= ~bit;
	p = space(s, p + 1);
	*opened = *p != (object ? '}' : ']');
	if (*opened)
		return p;
	s->depth--;
	return p + 1;
}

/* One value; of a container that is not empty only its bracket, then *opened is set. */
static inline const char *value(struct skipper *s, const char *p, bool *opened)
{
	*opened = false;
	switch (*p) {
	case '"':
		return string(s, p);
	case '{':
	case '[':
		return open(s, p, opened);
	case 't':
		return word(s, p, "true", 4);
	case 'f':
		return word(s, p, "false", 5);
	case 'n':
		return word(s, p, "null", 4);
	default:
		if (*p == '-' || (*p >= '0' && *p <= '9'))
			return number(s, p);
		return fail(s, p, "a value");
	}
}

static inline const char *key_and_colon(struct skipper *s, const char *p)
{
	p = space(s, p);
	if (*p != '"')
		return fail(s, p, "a key in quotes");
	p = string(s, p);
	if (!p)
		return NULL;
	p = space(s, p);
	return *p == ':' ? p + 1 : fail(s, p, "':' after a key");
}

/* After a value: passes the brackets that close here, and a comma. */
static inline const char *after_value(struct skipper *s, const char *p)
{
	while (s->depth > s->base) {
		bool object = in_object(s);

		p = space(s, p);
		if (*p == ',')
			return p + 1;
		if (*p != (object ? '}' : ']'))
			return fail(s, p,
				object ? "',' or '}' after a member"
				       : "',' or ']' after an element");
		p++;
		s->depth--;
	}
	return p;
}

static const char *skip(struct skipper *s, const char *p)
{
	bool opened;

	for (;;) {
		p = value(s, p, &opened);
		if (p && !opened)
			p = after_value(s, p);
		if (!p || s->depth == s->base)
			return p;
		if (in_object(s))
			p = key_and_colon(s, p);
		if (!p)
			return NULL;
		p = space(s, p);
	}
}

struct json_skipped json_skip(
	lua_State *L, const char *p, const char *end, int depth, struct json_fault *fault)
{
	struct skipper s = {.L = L,
		.end = end,
		.fault = fault,
		.depth = depth,
		.base = depth,
		.deepest = depth,
		.verbatim = true};
	read_block(&s, p);
	const char *after = skip(&s, p);

	return (struct json_skipped){
		.after = after, .levels = s.deepest - s.base, .verbatim = s.verbatim};
}
