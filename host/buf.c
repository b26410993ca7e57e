/* buf: bytes that grow up to a hard limit. */
#include "buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for a record of the log, a query, most names. */
enum { BUF_FIRST_CAP = 256 };

void buf_init(struct buf *b, size_t max)
{
	b->data = NULL;
	b->len = 0;
	b->cap = 0;
	/* One byte more than max has to be addressable: the NUL of buf_text. */
	b->max = max < SIZE_MAX ? max : SIZE_MAX - 1;
}

void buf_free(struct buf *b)
{
	free(b->data);
	b->data = NULL;
	b->len = 0;
	b->cap = 0;
}

void buf_clear(struct buf *b)
{
	b->len = 0;
}

/* Makes room for `need` bytes in all; the caller has checked need <= max + 1. */
static void grow(struct buf *b, size_t need)
{
	size_t cap = b->cap > 0 ? b->cap : BUF_FIRST_CAP;

	if (need <= b->cap)
		return;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	if (cap > b->max + 1)
		cap = b->max + 1;
	b->data = xrealloc(b->data, cap);
	b->cap = cap;
}

bool buf_add(struct buf *b, const void *data, size_t len)
{
	if (len > b->max - b->len)
		return false;
	if (len == 0)
		return true;
	grow(b, b->len + len);
	memcpy(b->data + b->len, data, len);
	b->len += len;
	return true;
}

bool buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len < 0 || (size_t)len > b->max - b->len)
		return false;
	/* vsnprintf writes a NUL after the text, which is not counted in len. */
	grow(b, b->len + (size_t)len + 1);
	va_start(args, fmt);
	vsnprintf(b->data + b->len, (size_t)len + 1, fmt, args);
	va_end(args);
	b->len += (size_t)len;
	return true;
}

void buf_drop(struct buf *b, size_t len)
{
	if (len >= b->len) {
		b->len = 0;
		return;
	}
	if (len == 0)
		return;
	memmove(b->data, b->data + len, b->len - len);
	b->len -= len;
}

const char *buf_text(struct buf *b)
{
	grow(b, b->len + 1);
	b->data[b->len] = '\0';
	return b->data;
}
