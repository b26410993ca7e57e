/* fuzz/scan: spans stay inside the line, and the cutter does not care where its input was cut. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct line {
	const char *text;
	size_t len;
	size_t events;
};

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_span(const struct line *line, const struct scan_span *s)
{
	char *out;
	long len;

	if (!s->p)
		return;
	must(s->p >= line->text && s->n <= line->len);
	must((size_t)(s->p - line->text) <= line->len - s->n);
	must(s->escaped == (memchr(s->p, '\\', s->n) != NULL));
	out = xmalloc(s->n);
	len = scan_unescape(s->p, s->n, out);
	must(len >= 0 && (size_t)len <= s->n);
	must(s->escaped || ((size_t)len == s->n && memcmp(out, s->p, s->n) == 0));
	free(out);
}

static void check_event(const struct scan_event *e, void *user)
{
	struct line *line = user;

	line->events++;
	check_span(line, &e->topic);
	check_span(line, &e->type);
	check_span(line, &e->key);
	check_span(line, &e->ns);
	if (e->payload.p) {
		must(e->payload.n > 0 && e->payload.p > line->text);
		must((size_t)(e->payload.p - line->text) + e->payload.n < line->len);
	}
}

static void fuzz_events(const char *text, size_t len)
{
	struct line line = {text, len, 0}, again = {NULL, len + 2, 0};
	uint64_t index, index_again;
	enum scan_line kind = scan_events(text, len, &index, check_event, &line);
	char *spaced = xmalloc(len + 2);
	struct scan_span field = scan_field(text, len, "Events");

	must(kind == SCAN_EVENTS || line.events == 0);
	must(kind != SCAN_EVENTS || line.events == 0 || field.p);
	must(kind != SCAN_HEARTBEAT || index == 0);
	/* White space around a line changes nothing; a line without its end is no line. */
	spaced[0] = ' ';
	memcpy(spaced + 1, text, len);
	spaced[len + 1] = '\t';
	again.text = spaced;
	must(scan_events(spaced, len + 2, &index_again, check_event, &again) == kind);
	must(line.events == again.events && (kind == SCAN_NOT_JSON || index == index_again));
	if (kind != SCAN_NOT_JSON && text[len - 1] == '}') {
		again.text = text;
		must(scan_events(text, len - 1, &index, check_event, &again) == SCAN_NOT_JSON);
	}
	free(spaced);
}

static void note(const char *text, size_t len, void *user)
{
	must(buf_add(user, &len, sizeof(len)) && buf_add(user, text, len));
}

/* Pieces take their sizes from the head of the input, over and over; size 0 takes all. */
static enum scan_cut cut(
	const uint8_t sizes[4], size_t max, const char *text, size_t len, struct buf *out)
{
	struct scan_cutter *c = scan_cutter_new(max, note, out);
	enum scan_cut result = SCAN_CUT_MORE, before = SCAN_CUT_MORE;
	size_t at = 0, turn = 0;

	while (at < len) {
		size_t piece = sizes[turn++ % 4];
		char *copy;

		if (piece == 0 || piece > len - at)
			piece = len - at;
		copy = xmalloc(piece);
		memcpy(copy, text + at, piece);
		result = scan_cutter_feed(c, copy, piece);
		free(copy);
		must(before == SCAN_CUT_MORE || before == result ||
			(before == SCAN_CUT_DONE && result == SCAN_CUT_NOT_ARRAY));
		before = result;
		at += piece;
	}
	scan_cutter_free(c);
	return result;
}

static void fuzz_cutter(const uint8_t sizes[4], size_t max, const char *text, size_t len)
{
	static const uint8_t whole[4] = {0, 0, 0, 0};
	static const uint8_t bytes[4] = {1, 1, 1, 1};
	struct buf all, pieces, single;
	enum scan_cut result;

	buf_init(&all, 1 << 22);
	buf_init(&pieces, 1 << 22);
	buf_init(&single, 1 << 22);
	result = cut(whole, max, text, len, &all);
	must(cut(sizes, max, text, len, &pieces) == result);
	must(cut(bytes, max, text, len, &single) == result);
	must(all.len == pieces.len && all.len == single.len);
	must(memcmp(buf_text(&all), buf_text(&pieces), all.len) == 0);
	must(memcmp(buf_text(&all), buf_text(&single), all.len) == 0);
	buf_free(&all);
	buf_free(&pieces);
	buf_free(&single);
}

static void fuzz_unescape(const char *text, size_t len)
{
	char *out = xmalloc(len);
	long n = scan_unescape(text, len, out);

	must(n >= -1 && n <= (long)len);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;
	size_t len;

	if (size < 5)
		return 0;
	/* A copy, so that a read beyond the end is seen. */
	len = size - 5;
	text = xmalloc(len);
	memcpy(text, data + 5, len);
	fuzz_events(text, len);
	fuzz_cutter(data, data[4], text, len);
	fuzz_unescape(text, len);
	free(text);
	return 0;
}
