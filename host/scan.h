/* scan: finds values in raw JSON text by skipping over what is not wanted; builds nothing.
 *
 * Every span points into the caller's text and dies with it. */
#ifndef SCAN_H
#define SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem.h"

struct scan_span {
	const char *p; /* NULL: the field is not there */
	size_t n;
	bool escaped; /* a string with a backslash in it: scan_unescape before comparing */
};

/* One event of a line of /v1/event/stream. Strings are without their quotes, and their escapes
 * are valid; payload is raw JSON. */
struct scan_event {
	struct scan_span topic, type, key, ns;
	struct scan_span payload;
	struct scan_span
		longest; /* object or array of an object in the payload; p NULL: none is known */
	uint64_t index;	 /* the event's own Index, else the line's */
};

typedef void scan_event_cb(const struct scan_event *event, void *user);

enum scan_line { SCAN_EVENTS, SCAN_HEARTBEAT, SCAN_NOT_JSON };

/* Walks one line, whatever the order of its keys; calls cb for each event. *index gets the line's
 * Index. SCAN_NOT_JSON: not an object of the stream's shape (a plain-text tail, garbage); then cb
 * was not called. */
enum scan_line scan_events(
	const char *line, size_t len, uint64_t *index, scan_event_cb *cb, void *user);

/* Unescapes the inside of a JSON string into out (at least n bytes); returns the length, or -1 if
 * invalid. */
long scan_unescape(const char *p, size_t n, char *out);

/* The value of one key of the object `text`, or a span with p == NULL. Last one wins, as in Go's
 * decoder. A string is without its quotes: p[-1] is one then, and never otherwise. */
struct scan_span scan_field(const char *text, size_t len, const char *name);

/* Cuts a top-level JSON array, fed in pieces, into the raw text of its elements. */
struct scan_cutter;
typedef void scan_element_cb(const char *text, size_t len, void *user);
enum scan_cut { SCAN_CUT_MORE, SCAN_CUT_DONE, SCAN_CUT_NOT_ARRAY, SCAN_CUT_TOO_LONG };
struct scan_cutter *scan_cutter_new(size_t element_max, scan_element_cb *cb, void *user);
void scan_cutter_free(struct scan_cutter *c);
/* DONE: the closing bracket was read; white space may follow. Other results stay until freed. The
 * callback may not free the cutter. */
enum scan_cut scan_cutter_feed(struct scan_cutter *c, const char *data, size_t len) WARN_UNUSED;

#endif
