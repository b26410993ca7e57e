/* json: finds values in JSON text by skipping over what is not wanted. For the bench: the text is taken to be right. */
#ifndef BENCH_JSON_H
#define BENCH_JSON_H

#include <stdbool.h>
#include <stddef.h>

struct span {
	const char *at; /* NULL: not there */
	size_t len;
};

/* The value at `at`, which may have white space before it; strings with their quotes. */
struct span json_value(const char *at, const char *end);

/* The value of a member of the object that `object` is. */
struct span json_member(struct span object, const char *name);

/* What is between the quotes, as it stands in the text: escapes stay. Not there for anything but a string. */
struct span json_string(struct span value);

/* The elements of an array or the members of an object, one after another: `rest` begins as the whole value and is
 * moved on. `name` (may be NULL) is the member's, without quotes. False at the end. */
bool json_next(struct span *rest, struct span *name, struct span *value);

bool span_is(struct span s, const char *text);

#endif
