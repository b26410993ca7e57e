/* stream_lines: the bytes of an event stream as lines: heartbeats, events, and what is neither. */
#include "stream_lines.h"

#include <stdlib.h>
#include <string.h>

enum { STRAY_KEPT = 200 /* bytes */ };

static bool is_heartbeat(const char *line, size_t len)
{
	return len == 0 || (len == 2 && line[0] == '{' && line[1] == '}');
}

static uint64_t number(const char *p, const char *end)
{
	uint64_t n = 0;

	for (; p < end && *p >= '0' && *p <= '9'; p++)
		n = n * 10 + (uint64_t)(*p - '0');
	return n;
}

/* The Index of a line, for the status: it stands first or last in it, so that the events need
 * not be read. */
static uint64_t index_of(const char *line, size_t len)
{
	static const char first[] = "{\"Index\":", last[] = "],\"Index\":";
	const size_t first_len = sizeof(first) - 1, last_len = sizeof(last) - 1;
	const char *end = line + len, *p = end - 1;

	if (len > first_len && memcmp(line, first, first_len) == 0)
		return number(line + first_len, end);
	while (p > line && p[-1] >= '0' && p[-1] <= '9')
		p--;
	if ((size_t)(p - line) < last_len || memcmp(p - last_len, last, last_len) != 0)
		return 0;
	return number(p, end);
}

static void on_line(const char *line, size_t len, void *user)
{
	struct stream_lines *l = user;
	bool heartbeat = is_heartbeat(line, len);

	if (l->stray)
		return;
	if (!heartbeat && line[0] != '{') {
		l->stray = xstrndup(line, len < STRAY_KEPT ? len : STRAY_KEPT);
		return;
	}
	l->framed = true;
	if (heartbeat)
		return;
	l->count++;
	l->last_index = index_of(line, len);
	l->event(line, len, l->user);
}

void stream_lines_init(struct stream_lines *l, ndjson_line_cb *event, void *user)
{
	memset(l, 0, sizeof(*l));
	l->event = event;
	l->user = user;
}

void stream_lines_free(struct stream_lines *l)
{
	ndjson_free(l->cutter);
	free(l->stray);
}

void stream_lines_reset(struct stream_lines *l, size_t line_max)
{
	stream_lines_free(l);
	l->cutter = ndjson_new(line_max, on_line, l);
	l->stray = NULL;
	l->framed = false;
	l->too_long = false;
}

bool stream_lines_feed(struct stream_lines *l, const char *data, size_t len)
{
	l->bytes += len;
	l->too_long = !ndjson_feed(l->cutter, data, len);
	return !l->too_long && !l->stray;
}
