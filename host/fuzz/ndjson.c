/* fuzz/ndjson: lines cut from random pieces are those that a plain loop finds in the whole. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "ndjson.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A line as it is written down: its length, then its bytes. */
static void note(const char *line, size_t len, void *user)
{
	if (!buf_add(user, &len, sizeof(len)) || !buf_add(user, line, len))
		abort();
}

/* The meaning of ndjson_feed, the slow way. */
static bool reference(const char *text, size_t len, size_t max, struct buf *lines, size_t *rest)
{
	size_t start = 0, i;

	for (i = 0; i < len; i++) {
		if (text[i] != '\n') {
			if (i - start + 1 > max)
				return false;
			continue;
		}
		note(text + start, i - start - (i > start && text[i - 1] == '\r' ? 1 : 0), lines);
		start = i + 1;
	}
	*rest = start;
	return true;
}

/* Pieces take their sizes from the head of the input, over and over. */
static bool feed_pieces(struct ndjson *n, const uint8_t *sizes, const char *text, size_t len)
{
	size_t at = 0, turn = 0;
	bool ok = true;

	while (at < len) {
		size_t piece = sizes[turn++ % 4];
		char *copy;

		if (piece > len - at)
			piece = len - at;
		if (piece == 0 && turn % 4 == 0)
			piece = 1;
		copy = xmalloc(piece);
		memcpy(copy, text + at, piece);
		if (!ndjson_feed(n, copy, piece))
			ok = false;
		else if (!ok)
			abort(); /* came back to life */
		free(copy);
		at += piece;
	}
	return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf expected, seen;
	struct ndjson *n;
	const char *text, *left;
	size_t len, max, rest = 0, left_len;
	bool fine;

	if (size < 5)
		return 0;
	max = data[4];
	text = (const char *)data + 5;
	len = size - 5;
	buf_init(&expected, 1 << 20);
	buf_init(&seen, 1 << 20);
	n = ndjson_new(max, note, &seen);
	fine = reference(text, len, max, &expected, &rest);
	if (feed_pieces(n, data, text, len) != fine)
		abort();
	if (seen.len != expected.len || memcmp(buf_text(&seen), buf_text(&expected), seen.len) != 0)
		abort();
	left = ndjson_rest(n, &left_len);
	if (fine && (left_len != len - rest || memcmp(left, text + rest, left_len) != 0))
		abort();
	ndjson_free(n);
	buf_free(&expected);
	buf_free(&seen);
	return 0;
}
