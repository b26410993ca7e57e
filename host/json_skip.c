/* json_skip: checks a JSON value as strictly as the decoder does, without building it and without recursion.
 *
 * It finds the same fault at the same place: spec/host/json_lazy_spec.lua and the fuzzer compare the two. */
#include "json_skip.h"

#include "json.h"
#include "json_number.h"

struct skipper {
	lua_State *L;
	const char *p, *end;
	struct json_fault *fault;
	int depth, base, deepest;
	bool verbatim;
	uint64_t objects[JSON_DEPTH_MAX / 64 + 1]; /* one bit a level: set for an object */
};

static bool fail(struct skipper *s, const char *where, const char *expected)
{
	s->fault->where = where;
	s->fault->expected = expected;
	return false;
}

static void space(struct skipper *s)
{
	const char *p = json_skip_space(s->p, s->end);

	s->verbatim = s->verbatim && p == s->p;
	s->p = p;
}

static bool at(const struct skipper *s, char c)
{
	return s->p < s->end && *s->p == c;
}

static bool in_object(const struct skipper *s)
{
	return s->objects[s->depth / 64] >> s->depth % 64 & 1;
}

static bool string(struct skipper *s)
{
	struct json_span span;
	const char *after = json_string_read(s->p, s->end, &span, s->fault);

	s->p = after;
	return after != NULL;
}

static bool number(struct skipper *s)
{
	struct json_number n;
	const char *start = s->p;
	const char *after = json_number_read(start, s->end, &n, s->fault);

	if (!after)
		return false;
	s->p = after;
	s->verbatim = s->verbatim && n.kind == JSON_INTEGER;
	if (n.kind != JSON_WIDE)
		return true;
	bool fits = json_number_push_wide(s->L, start, after);
	lua_pop(s->L, 1);
	return fits || fail(s, start, "a number that fits 64 bits");
}

static bool word(struct skipper *s, const char *text, size_t len)
{
	if (!json_word_at(s->p, s->end, text, len))
		return fail(s, s->p, "a value");
	s->p += len;
	return true;
}

/* Steps in; *opened says that there is a first value to come. */
static bool open(struct skipper *s, bool *opened)
{
	bool object = *s->p == '{';

	if (s->depth == JSON_DEPTH_MAX)
		return fail(s, s->p, "at most 512 levels of nesting");
	s->depth++;
	s->deepest = s->depth > s->deepest ? s->depth : s->deepest;
	uint64_t bit = (uint64_t)1 << s->depth % 64;
	if (object)
		s->objects[s->depth / 64] |= bit;
	else
		s->objects[s->depth / 64] &= ~bit;
	s->p++;
	space(s);
	*opened = !at(s, object ? '}' : ']');
	if (!*opened) {
		s->p++;
		s->depth--;
	}
	return true;
}

/* One value; of a container that is not empty only its bracket, then *opened is set. */
static bool value(struct skipper *s, bool *opened)
{
	*opened = false;
	switch (s->p < s->end ? *s->p : '\0') {
	case '"':
		return string(s);
	case '{':
	case '[':
		return open(s, opened);
	case 't':
		return word(s, "true", 4);
	case 'f':
		return word(s, "false", 5);
	case 'n':
		return word(s, "null", 4);
	default:
		if (s->p < s->end && (*s->p == '-' || (*s->p >= '0' && *s->p <= '9')))
			return number(s);
		return fail(s, s->p, "a value");
	}
}

static bool key_and_colon(struct skipper *s)
{
	space(s);
	if (!at(s, '"'))
		return fail(s, s->p, "a key in quotes");
	if (!string(s))
		return false;
	space(s);
	if (!at(s, ':'))
		return fail(s, s->p, "':' after a key");
	s->p++;
	return true;
}

/* After a value: passes the brackets that close here, and a comma. */
static bool after_value(struct skipper *s)
{
	while (s->depth > s->base) {
		bool object = in_object(s);
		space(s);
		if (at(s, ',')) {
			s->p++;
			return true;
		}
		if (!at(s, object ? '}' : ']'))
			return fail(s, s->p,
				object ? "',' or '}' after a member"
				       : "',' or ']' after an element");
		s->p++;
		s->depth--;
	}
	return true;
}

struct json_skipped json_skip(
	lua_State *L, const char *p, const char *end, int depth, struct json_fault *fault)
{
	struct skipper s = {.L = L,
		.p = p,
		.end = end,
		.fault = fault,
		.depth = depth,
		.base = depth,
		.deepest = depth,
		.verbatim = true};
	bool ok, opened;

	ok = value(&s, &opened) && (opened || after_value(&s));
	while (ok && s.depth > s.base) {
		if (in_object(&s) && !key_and_colon(&s))
			break;
		space(&s);
		ok = value(&s, &opened) && (opened || after_value(&s));
	}
	return (struct json_skipped){.after = ok && s.depth == s.base ? s.p : NULL,
		.levels = s.deepest - s.base,
		.verbatim = s.verbatim};
}
