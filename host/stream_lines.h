/* stream_lines: the bytes of an event stream as lines: heartbeats, events, and what is neither.
 *
 * The struct is in the caller's hands, who reads its fields and takes `framed` back. */
#ifndef STREAM_LINES_H
#define STREAM_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ndjson.h"

struct stream_lines {
	struct ndjson *cutter; /* NULL before the first reset */
	ndjson_line_cb *event; /* a line that is not a heartbeat */
	void *user;
	bool framed;   /* a line has come, be it a heartbeat */
	bool too_long; /* nothing more is taken until reset */
	char *stray;   /* the start of a line that is no event; nothing more is taken until reset */
	uint64_t count, bytes, last_index; /* of all connections together */
};

void stream_lines_init(struct stream_lines *l, ndjson_line_cb *event, void *user);
void stream_lines_free(struct stream_lines *l);
/* A new connection. */
void stream_lines_reset(struct stream_lines *l, size_t line_max);
/* false: too_long, or stray. */
bool stream_lines_feed(struct stream_lines *l, const char *data, size_t len) WARN_UNUSED;

#endif
