/* json_string: JSON strings as they stand in a text: where they end, what they mean. */
#ifndef JSON_STRING_H
#define JSON_STRING_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

/* What is between the quotes. Points into the text and dies with it. */
struct json_span {
	const char *p;
	size_t n;
	bool escaped; /* there is a backslash in it */
};

/* The first byte from p on that cannot stand for itself in a string: a quote, a backslash, a control character, or end. */
const char *json_string_plain(const char *p, const char *end);

/* Reads and checks the string whose opening quote is at p. Returns what follows its closing quote, or NULL; then
 * *where is the place of the fault and *expected what should have been there. */
const char *json_string_read(const char *p, const char *end, struct json_span *s,
	const char **where, const char **expected);

/* Pushes what a span that was read means, as UTF-8. May raise. */
void json_string_push(lua_State *L, const struct json_span *s);

#endif
