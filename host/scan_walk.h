/* scan_walk: steps over the members of an object, or the elements of an array, in raw JSON.
 *
 * What is stepped into is checked in full: commas, colons, what a scalar may look like. What is stepped over is only
 * checked as far as that needs it: strings end, brackets match. */
#ifndef SCAN_WALK_H
#define SCAN_WALK_H

#include <string.h>

#include "scan.h"
#include "scan_skip.h"

struct scan_walk {
	const char *p, *end;
	bool begun;
};

/* Steps into the object or array that begins at p, maybe after white space; false: there is none. */
bool scan_walk_begin(struct scan_walk *w, const char *p, const char *end, char open) WARN_UNUSED;
/* Steps to the next element (MORE: w->p is on it) or behind the closing bracket (END). */
enum scan_step scan_walk_element(struct scan_walk *w);
/* The same for an object: reads the key too, and w->p is on its value. */
enum scan_step scan_walk_member(struct scan_walk *w, struct scan_span *key);
/* Reads the value of any kind that w->p is on, and moves behind it. A string's span is without its quotes. */
bool scan_walk_value(struct scan_walk *w, struct scan_span *out) WARN_UNUSED;
/* The same; *longest is the longest of the values that SCAN_NOTED brackets stand around, or its p is NULL. */
bool scan_walk_nested(
	struct scan_walk *w, struct scan_span *out, struct scan_span *longest) WARN_UNUSED;
/* Nothing but white space is left. */
bool scan_walk_over(const struct scan_walk *w);

bool scan_escaped_is(const struct scan_span *s, const char *text, size_t len);
/* Is this what the inside of a JSON string means? One whose escapes are invalid means nothing. */
static inline bool scan_span_is(const struct scan_span *s, const char *text, size_t len)
{
	if (s->escaped)
		return scan_escaped_is(s, text, len);
	return s->n == len && memcmp(s->p, text, len) == 0;
}
/* Does what it means begin with this? */
bool scan_span_starts(const struct scan_span *s, const char *text, size_t len);

#endif
