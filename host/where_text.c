/* where_text: see where_text.h.
 *
 * Texts that share their first bytes are looked for together: by the first and the last byte that they share; where
 * both are right the texts are compared in full. */
#include "where_text.h"

#include <stdlib.h>
#include <string.h>

#include "hex.h"
#include "pair.h"

enum { SHARED_MIN = 3 /* bytes that texts of one group have in common */ };

struct text {
	char *p;
	size_t len;
	size_t group;
	bool any_escape; /* it has bytes that have escapes of their own */
};

struct group {
	const char *p; /* of its first text */
	size_t shared;
	uint64_t members;
};

struct where_texts {
	struct text texts[WHERE_TEXTS_MAX];
	struct group groups[WHERE_TEXTS_MAX];
	size_t count, group_count;
	uint64_t any_escape; /* those with any_escape */
};

struct where_texts *where_texts_new(void)
{
	return xcalloc(1, sizeof(struct where_texts));
}

void where_texts_free(struct where_texts *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->count; i++)
		free(t->texts[i].p);
	free(t);
}

static size_t shared_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t n = 0;

	while (n < a_len && n < b_len && a[n] == b[n])
		n++;
	return n;
}

static size_t group_of(struct where_texts *t, const struct text *text)
{
	for (size_t i = 0; i < t->group_count; i++) {
		size_t shared =
			shared_bytes(t->groups[i].p, t->groups[i].shared, text->p, text->len);

		if (shared >= SHARED_MIN) {
			t->groups[i].shared = shared;
			return i;
		}
	}
	t->groups[t->group_count] = (struct group){text->p, text->len, 0};
	return t->group_count++;
}

/* Bytes that JSON may write as a backslash and a letter. */
static bool has_own_escapes(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c < 0x20 || c == 0x7f || c == '"' || c == '\\' || c == '/')
			return true;
	}
	return false;
}

int where_texts_add(struct where_texts *t, const char *text, size_t len)
{
	struct text *one = &t->texts[t->count];

	for (size_t i = 0; i < t->count; i++)
		if (t->texts[i].len == len && memcmp(t->texts[i].p, text, len) == 0)
			return (int)i;
	if (t->count == WHERE_TEXTS_MAX)
		return -1;
	one->p = xmalloc(len);
	memcpy(one->p, text, len);
	one->len = len;
	one->any_escape = has_own_escapes(text, len);
	one->group = group_of(t, one);
	t->groups[one->group].members |= (uint64_t)1 << t->count;
	t->any_escape |= (uint64_t)one->any_escape << t->count;
	return (int)t->count++;
}

/* The texts of `wanted` that are at p. */
static uint64_t texts_at(
	const struct where_texts *t, uint64_t wanted, const char *p, const char *end)
{
	uint64_t found = 0;

	for (uint64_t left = wanted; left; left &= left - 1) {
		int i = __builtin_ctzll(left);
		const struct text *text = &t->texts[i];

		if ((size_t)(end - p) >= text->len && memcmp(p, text->p, text->len) == 0)
			found |= (uint64_t)1 << i;
	}
	return found;
}

static uint64_t find_group(
	const struct where_texts *t, const struct group *g, const char *p, const char *end)
{
	uint64_t wanted = g->members;
	size_t last = g->shared - 1;

	while (wanted && (p = pair_find(p, end, g->p[0], g->p[last], last)))
		wanted &= ~texts_at(t, wanted, p++, end);
	return g->members & ~wanted;
}

/* The code of \uXXXX at p, a backslash; -1: it is another escape. */
static int code_at(const char *p, const char *end)
{
	int code = 0;

	if (end - p < 6 || p[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		int digit = hex_value(p[i]);

		if (digit < 0)
			return -1;
		code = code * 16 + digit;
	}
	return code;
}

static bool spells(const struct text *text, int code)
{
	if (code < 0x80)
		return memchr(text->p, code, text->len) != NULL;
	for (size_t i = 0; i < text->len; i++)
		if ((unsigned char)text->p[i] >= 0x80)
			return true;
	return false;
}

/* The texts of `missing` that the escape at p may spell part of. A backslash that is escaped itself is taken for an
 * escape too: that costs a decode, no more. */
static uint64_t spelt_at(
	const struct where_texts *t, uint64_t missing, const char *p, const char *end)
{
	int code = code_at(p, end);
	uint64_t found = 0;

	for (uint64_t left = missing; left; left &= left - 1) {
		int i = __builtin_ctzll(left);
		const struct text *text = &t->texts[i];

		if (text->any_escape || (code >= 0 && spells(text, code)))
			found |= (uint64_t)1 << i;
	}
	return found;
}

/* The next escape that can spell a part of one of the texts; for most texts that is \\uXXXX alone. NULL: there is none. */
static const char *next_escape(
	const struct where_texts *t, uint64_t missing, const char *p, const char *end)
{
	if (missing & t->any_escape)
		return memchr(p, '\\', (size_t)(end - p));
	return pair_find(p, end, '\\', 'u', 1);
}

struct where_found where_texts_find(const struct where_texts *t, const char *p, size_t len)
{
	const char *end = p + len;
	struct where_found found = {0, 0};
	uint64_t missing = t->count == 64 ? UINT64_MAX : ((uint64_t)1 << t->count) - 1;

	for (size_t i = 0; i < t->group_count; i++)
		found.yes |= find_group(t, &t->groups[i], p, end);
	missing &= ~found.yes;
	while (missing) {
		const char *backslash = next_escape(t, missing, p, end);
		uint64_t spelt;

		if (!backslash)
			break;
		spelt = spelt_at(t, missing, backslash, end);
		found.unsure |= spelt;
		missing &= ~spelt;
		p = backslash + 1;
	}
	return found;
}
