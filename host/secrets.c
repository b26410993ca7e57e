/* secrets: see secrets.h. */
#include "secrets.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "mem.h"

struct secret {
	char *text;
	size_t len;
};

struct secrets {
	struct secret *list; /* each secret, and its escaped forms where they differ */
	size_t count;
	bool begins[UCHAR_MAX + 1]; /* by byte: does one begin with it? */
};

struct secrets *secrets_new(void)
{
	return xcalloc(1, sizeof(struct secrets));
}

void secrets_free(struct secrets *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++)
		free(s->list[i].text);
	free(s->list);
	free(s);
}

/* Takes text over. */
static void add(struct secrets *s, char *text)
{
	for (size_t i = 0; i < s->count; i++) {
		if (strcmp(s->list[i].text, text) == 0) {
			free(text);
			return;
		}
	}
	s->list = xrealloc(s->list, (s->count + 1) * sizeof(*s->list));
	s->list[s->count].text = text;
	s->list[s->count].len = strlen(text);
	s->count++;
	s->begins[(unsigned char)text[0]] = true;
}

void secrets_add(struct secrets *s, const char *secret)
{
	size_t len;

	if (!secret || !*secret)
		return;
	len = strlen(secret);
	add(s, xstrdup(secret));
	/* Text that was escaped before it came here, in an error's message for instance. */
	add(s, escape_copy(secret, len, ESCAPE_PLAIN));
	add(s, escape_copy(secret, len, ESCAPE_QUOTED));
	add(s, escape_copy(secret, len, ESCAPE_JSON));
}

/* The end of the longest secret of at least `min` bytes that starts at text[at], or `at`. */
static size_t end_of(const struct secrets *s, const char *text, size_t len, size_t at, size_t min)
{
	size_t end = at;

	if (!s->begins[(unsigned char)text[at]])
		return at;
	for (size_t i = 0; i < s->count; i++) {
		const struct secret *one = &s->list[i];

		if (one->len < min || one->len > len - at)
			continue;
		if (at + one->len > end && memcmp(text + at, one->text, one->len) == 0)
			end = at + one->len;
	}
	return end;
}

/* Where the first one begins from `at` on, or len. */
static size_t find(const struct secrets *s, const char *text, size_t len, size_t at, size_t min)
{
	if (s->count == 0)
		return len;
	while (at < len && end_of(s, text, len, at, min) == at)
		at++;
	return at;
}

bool secrets_occur(const struct secrets *s, const char *text, size_t len, size_t min)
{
	return find(s, text, len, 0, min) < len;
}

/* A buffer that is large enough; if it were not, the text would end early. */
static void put(struct buf *b, const char *data, size_t len)
{
	if (!buf_add(b, data, len))
		return;
}

void secrets_hide(struct buf *b, const struct secrets *s, const char *text, size_t len, size_t min)
{
	size_t plain = 0; /* from here on nothing is written yet */
	size_t at = 0;

	while ((at = find(s, text, len, at, min)) < len) {
		size_t end = end_of(s, text, len, at, min);
		size_t next;

		put(b, text + plain, at - plain);
		put(b, SECRETS_HIDDEN, strlen(SECRETS_HIDDEN));
		for (at++; at < end; at++) {
			next = end_of(s, text, len, at, min);
			if (next > end)
				end = next;
		}
		plain = at;
	}
	put(b, text + plain, len - plain);
}
