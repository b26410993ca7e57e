/* bytes: see bytes.h. */
#include "bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"

char *bytes_reserve(struct bytes *b, size_t more)
{
	if (b->len + more > b->room) {
		b->room = (b->len + more) * 2;
		b->at = need(realloc(b->at, b->room));
	}
	return b->at + b->len;
}

void bytes_add(struct bytes *b, const void *from, size_t len)
{
	if (len > 0)
		memcpy(bytes_reserve(b, len), from, len);
	b->len += len;
}

void bytes_text(struct bytes *b, const char *text)
{
	bytes_add(b, text, strlen(text));
}

void bytes_number(struct bytes *b, unsigned long long value)
{
	char text[24];

	bytes_add(b, text, (size_t)snprintf(text, sizeof(text), "%llu", value));
}

void bytes_drop(struct bytes *b, size_t len)
{
	memmove(b->at, b->at + len, b->len - len);
	b->len -= len;
}

void bytes_free(struct bytes *b)
{
	free(b->at);
	*b = (struct bytes){0};
}
