/* scan_skip: how the scanner passes over a value of any depth without recursion.
 *
 * What is skipped is only checked as far as skipping needs it: strings end, brackets match. */
#ifndef SCAN_SKIP_H
#define SCAN_SKIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Release builds set local variables to zero. Of a large one, of which a little is used, that is most of the work: it is
 * left as it is, for its owner to set. */
#if defined(__GNUC__) && !defined(__clang__)
#define SCAN_UNSET __attribute__((uninitialized))
#else
#define SCAN_UNSET
#endif

enum { SCAN_NOTED = 2 };
enum { SCAN_DEPTH_MAX = 1024 }; /* brackets inside each other; what is deeper is refused */

/* Where a walk over a nested value stands. `open` has one bit a level: set for an object. */
struct scan_nest {
	unsigned depth;
	bool in_string;
	bool after_backslash; /* in_string: the next byte is escaped */
	/* The longest of the objects and arrays that SCAN_NOTED brackets stand around, as far as it is in one piece of
	 * the text: a job's groups, most of an event, that nobody need skip again. NULL: none. */
	const char *at;
	size_t longest;
	const char *from; /* where the one begins that it is in */
	uint64_t open[SCAN_DEPTH_MAX / 64];
};

enum scan_step { SCAN_STEP_MORE, SCAN_STEP_END, SCAN_STEP_BAD };

/* Before the first bracket. */
void scan_nest_begin(struct scan_nest *n);

/* Moves *at over an object or array, up to behind its last bracket (END), to the end of the text
 * (MORE: go on with the next piece), or to the byte that cannot be (BAD). At the start *at is on the
 * bracket. */
enum scan_step scan_nest_skip(struct scan_nest *n, const char **at, const char *end);
/* Goes on inside a string, n->in_string being set; returns what follows its closing quote
 * (in_string is clear then) or `end`, to go on with the next piece. */
const char *scan_nest_string(struct scan_nest *n, const char *p, const char *end);

/* The quote that closes the string whose inside starts at p, or NULL when it is not in the text. *escaped: there is a
 * backslash before it. */
const char *scan_string_end(const char *p, const char *end, bool *escaped);
static inline bool scan_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
static inline const char *scan_skip_space(const char *p, const char *end)
{
	while (p < end && scan_is_space(*p))
		p++;
	return p;
}
/* A number, true, false or null. */
bool scan_is_scalar(const char *p, size_t len);
/* A byte that a number or word stops before. */
static inline bool scan_ends_scalar(char c)
{
	return c == ',' || c == ']' || c == '}' || scan_is_space(c);
}
bool scan_text_is(const char *p, size_t len, const char *word);

#endif
