/* buf: bytes that grow up to a hard limit given at the start.
 *
 * The struct is in the caller's hands; `data` belongs to the buffer and moves whenever it grows.
 * A buffer that would pass its limit keeps what it had, and the call that wanted more returns
 * false. */
#ifndef BUF_H
#define BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "mem.h"

struct buf {
	char *data; /* NULL until the first byte; not NUL terminated, except by buf_text */
	size_t len;
	size_t cap;
	size_t max; /* bytes */
};

void buf_init(struct buf *b, size_t max);
void buf_free(struct buf *b);  /* also makes it empty, so that it can be used again */
void buf_clear(struct buf *b); /* forgets the bytes, keeps the memory */
bool buf_add(struct buf *b, const void *data, size_t len) WARN_UNUSED;
bool buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3) WARN_UNUSED;
void buf_drop(struct buf *b, size_t len); /* removes the first len bytes */
const char *buf_text(struct buf *b);	  /* NUL terminated view, valid until the next call */

#endif
