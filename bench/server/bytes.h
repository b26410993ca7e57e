/* bytes: text that grows at its end. */
#ifndef BENCH_BYTES_H
#define BENCH_BYTES_H

#include <stddef.h>

struct bytes {
	char *at;
	size_t len, room;
};

/* Room for `more` bytes at the end; returns where they go. */
char *bytes_reserve(struct bytes *b, size_t more);
void bytes_add(struct bytes *b, const void *from, size_t len);
void bytes_text(struct bytes *b, const char *text);
void bytes_number(struct bytes *b, unsigned long long value);

/* Drops the first `len` bytes. */
void bytes_drop(struct bytes *b, size_t len);
void bytes_free(struct bytes *b);

#endif
