/* json_skip: checks a JSON value as strictly as the decoder does, without building it. */
#ifndef JSON_SKIP_H
#define JSON_SKIP_H

#include <lua.h>

#include "json_string.h"

struct json_skipped {
	const char *after; /* what follows the value; NULL: *fault says why */
	int levels;	   /* of containers, this one included */
	/* The encoder would write the same value in a line: there is no white space between its parts, and all numbers
	 * are integers. Order of keys, null members and how strings are escaped apart. */
	bool verbatim;
};

/* Passes the object or array at p, which has `depth` others around it. There is a NUL at `end`, as after every Lua
 * string. May raise: no memory. */
struct json_skipped json_skip(
	lua_State *L, const char *p, const char *end, int depth, struct json_fault *fault);

/* What follows the white space at p. */
static inline const char *json_skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
		p++;
	return p;
}

/* Is this word at p? */
static inline bool json_word_at(const char *p, const char *end, const char *word, size_t len)
{
	return (size_t)(end - p) >= len && memcmp(p, word, len) == 0;
}

#endif
