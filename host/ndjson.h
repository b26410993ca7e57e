/* ndjson: cuts bytes, fed in pieces of any size, into lines with a hard limit on their length. */
#ifndef NDJSON_H
#define NDJSON_H

#include <stdbool.h>
#include <stddef.h>

#include "mem.h"

struct ndjson;

/* A whole line without its newline (nor a CR before it), which may be empty; the bytes die when
 * the callback returns, and the callback may not free the cutter. */
typedef void ndjson_line_cb(const char *line, size_t len, void *user);

struct ndjson *ndjson_new(size_t line_max, ndjson_line_cb *cb, void *user);
void ndjson_free(struct ndjson *n);
/* false: a line is longer than line_max; nothing more is delivered until ndjson_reset. */
bool ndjson_feed(struct ndjson *n, const char *data, size_t len) WARN_UNUSED;
/* What has come since the last newline: at EOF it is half a line, or a plain-text tail of the
 * server. */
const char *ndjson_rest(const struct ndjson *n, size_t *len);
void ndjson_reset(struct ndjson *n);

#endif
