/* ndjson: cuts bytes, fed in pieces of any size, into lines with a hard limit on their length. */
#include "ndjson.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"

/* What one long line made the buffer grow to is given back once the line is over. */
enum { KEEP_MAX = 1024 * 1024 };

struct ndjson {
	struct buf part; /* a line that has begun; a line that comes whole is never copied */
	bool too_long;
	ndjson_line_cb *cb;
	void *user;
};

struct ndjson *ndjson_new(size_t line_max, ndjson_line_cb *cb, void *user)
{
	struct ndjson *n = xcalloc(1, sizeof(*n));

	buf_init(&n->part, line_max);
	n->cb = cb;
	n->user = user;
	return n;
}

void ndjson_free(struct ndjson *n)
{
	if (!n)
		return;
	buf_free(&n->part);
	free(n);
}

void ndjson_reset(struct ndjson *n)
{
	buf_free(&n->part);
	n->too_long = false;
}

const char *ndjson_rest(const struct ndjson *n, size_t *len)
{
	*len = n->part.len;
	return n->part.len > 0 ? n->part.data : "";
}

static void deliver(const struct ndjson *n, const char *line, size_t len)
{
	if (len > 0 && line[len - 1] == '\r')
		len--;
	n->cb(line, len, n->user);
}

/* The end of a line that began in an earlier piece. */
static bool finish_part(struct ndjson *n, const char *data, size_t len)
{
	if (!buf_add(&n->part, data, len))
		return false;
	deliver(n, n->part.data ? n->part.data : "", n->part.len);
	if (n->part.cap > KEEP_MAX)
		buf_free(&n->part);
	else
		buf_clear(&n->part);
	return true;
}

/* Delivers the lines that end in data and keeps the rest; false where a line is too long. */
static bool cut(struct ndjson *n, const char *data, size_t len)
{
	const char *end = data + len;

	while (data < end) {
		const char *newline = memchr(data, '\n', (size_t)(end - data));
		size_t size;

		if (!newline)
			return buf_add(&n->part, data, (size_t)(end - data));
		size = (size_t)(newline - data);
		if (n->part.len > 0) {
			if (!finish_part(n, data, size))
				return false;
		} else {
			/* The limit counts every byte before the newline, a CR too, so that it does
			 * not depend on where the pieces were cut. */
			if (size > n->part.max)
				return false;
			deliver(n, data, size);
		}
		data = newline + 1;
	}
	return true;
}

bool ndjson_feed(struct ndjson *n, const char *data, size_t len)
{
	if (n->too_long)
		return false;
	if (!cut(n, data, len)) {
		buf_free(&n->part);
		n->too_long = true;
	}
	return !n->too_long;
}
