/* scan: finds values in raw JSON text by skipping over what is not wanted; builds nothing.
 *
 * What is skipped is only checked as far as skipping needs it: strings end, brackets match.
 * Objects that are looked into are checked in full: commas, colons, what a scalar may look
 * like. */
#include "scan.h"

#include <string.h>

#include "scan_skip.h"
#include "scan_text.h"

enum { EVENTS_ON_STACK = 16 }; /* a line has rarely more than a handful */

/* A string without its quotes; *at is on the opening one. */
static bool read_string(const char **at, const char *end, struct scan_span *out)
{
	const char *start = *at + 1;
	const char *quote = scan_string_end(start, end);

	if (!quote)
		return false;
	out->p = start;
	out->n = (size_t)(quote - start);
	out->escaped = memchr(start, '\\', out->n) != NULL;
	*at = quote + 1;
	return true;
}

/* One value of any kind, moving *at behind it. A string's span is without its quotes. */
static bool read_value(const char **at, const char *end, struct scan_span *out)
{
	const char *start = *at;
	const char *p = start;

	if (p == end)
		return false;
	if (*p == '"')
		return read_string(at, end, out);
	if (*p == '{' || *p == '[') {
		struct scan_nest n = {.depth = 0};

		if (scan_nest_skip(&n, &p, end) != SCAN_STEP_END)
			return false;
	} else {
		while (p < end && !scan_ends_scalar(*p))
			p++;
		if (!scan_is_scalar(start, (size_t)(p - start)))
			return false;
	}
	out->p = start;
	out->n = (size_t)(p - start);
	out->escaped = false;
	*at = p;
	return true;
}

/* A walk over the members of one object, or the elements of one array, that is read in full. */
struct walk {
	const char *p, *end;
	bool begun;
};

/* Steps to the next value (SCAN_STEP_MORE, w->p is on it) or behind the closing bracket
 * (SCAN_STEP_END). */
static enum scan_step walk_next(struct walk *w, char close)
{
	w->p = scan_skip_space(w->p, w->end);
	if (w->p == w->end)
		return SCAN_STEP_BAD;
	if (*w->p == close) {
		w->p++;
		return SCAN_STEP_END;
	}
	if (w->begun) {
		if (*w->p != ',')
			return SCAN_STEP_BAD;
		w->p = scan_skip_space(w->p + 1, w->end);
	}
	w->begun = true;
	return w->p < w->end ? SCAN_STEP_MORE : SCAN_STEP_BAD;
}

/* The same for an object: reads the key too. */
static enum scan_step walk_member(struct walk *w, struct scan_span *key)
{
	enum scan_step step = walk_next(w, '}');

	if (step != SCAN_STEP_MORE)
		return step;
	if (*w->p != '"' || !read_string(&w->p, w->end, key))
		return SCAN_STEP_BAD;
	w->p = scan_skip_space(w->p, w->end);
	if (w->p == w->end || *w->p != ':')
		return SCAN_STEP_BAD;
	w->p = scan_skip_space(w->p + 1, w->end);
	return w->p < w->end ? SCAN_STEP_MORE : SCAN_STEP_BAD;
}

/* Steps into the object or array that begins at p. */
static bool walk_begin(struct walk *w, const char *p, const char *end, char open)
{
	w->begun = false;
	w->end = end;
	w->p = scan_skip_space(p, end);
	if (w->p == end || *w->p != open)
		return false;
	w->p++;
	return true;
}

/* Nothing but white space is left. */
static bool walk_over(const struct walk *w)
{
	return scan_skip_space(w->p, w->end) == w->end;
}

static bool unescapes(const struct scan_span *s)
{
	const char *p = s->p;
	char bytes[4];

	while (s->escaped && p < s->p + s->n) {
		if (scan_unescape_next(&p, s->p + s->n, bytes) < 0)
			return false;
	}
	return true;
}

static bool span_is(const struct scan_span *s, const char *text)
{
	const char *p = s->p;
	size_t left = strlen(text);

	if (!s->escaped)
		return s->n == left && memcmp(s->p, text, left) == 0;
	while (p < s->p + s->n) {
		char bytes[4];
		int len = scan_unescape_next(&p, s->p + s->n, bytes);

		if (len < 0 || (size_t)len > left || memcmp(text, bytes, (size_t)len) != 0)
			return false;
		text += len;
		left -= (size_t)len;
	}
	return left == 0;
}

struct scan_span scan_field(const char *text, size_t len, const char *name)
{
	struct scan_span found = {.p = NULL}, key, value;
	struct walk w;
	enum scan_step step = SCAN_STEP_BAD;

	if (walk_begin(&w, text, text + len, '{'))
		step = walk_member(&w, &key);
	while (step == SCAN_STEP_MORE) {
		if (!read_value(&w.p, w.end, &value))
			return (struct scan_span){.p = NULL};
		if (span_is(&key, name))
			found = value;
		step = walk_member(&w, &key);
	}
	if (step == SCAN_STEP_BAD || !walk_over(&w))
		return (struct scan_span){.p = NULL};
	return found;
}

/* A whole number that fits, or null, which is as good as none. */
static bool read_index(struct walk *w, uint64_t *index, bool *there)
{
	struct scan_span value;
	uint64_t n = 0;
	size_t i;

	*there = false;
	if (*w->p == '"' || !read_value(&w->p, w->end, &value))
		return false;
	if (scan_text_is(value.p, value.n, "null"))
		return true;
	for (i = 0; i < value.n; i++) {
		unsigned digit = (unsigned)(value.p[i] - '0');

		if (digit > 9 || n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*index = n;
	*there = true;
	return true;
}

/* A string or null. */
static bool read_text(struct walk *w, struct scan_span *out)
{
	bool string = *w->p == '"';
	struct scan_span value;

	if (!read_value(&w->p, w->end, &value))
		return false;
	*out = (struct scan_span){.p = NULL};
	if (!string)
		return scan_text_is(value.p, value.n, "null");
	*out = value;
	return unescapes(out);
}

/* Any value, as it is written. */
static bool read_raw(struct walk *w, struct scan_span *out)
{
	struct scan_span value;

	out->p = w->p;
	out->escaped = false;
	if (!read_value(&w->p, w->end, &value))
		return false;
	out->n = (size_t)(w->p - out->p);
	return true;
}

struct event {
	struct scan_event out;
	bool has_index;
};

static bool read_member(struct walk *w, const struct scan_span *key, struct event *event)
{
	struct scan_span other;

	if (span_is(key, "Payload"))
		return read_raw(w, &event->out.payload);
	if (span_is(key, "Topic"))
		return read_text(w, &event->out.topic);
	if (span_is(key, "Type"))
		return read_text(w, &event->out.type);
	if (span_is(key, "Key"))
		return read_text(w, &event->out.key);
	if (span_is(key, "Namespace"))
		return read_text(w, &event->out.ns);
	if (span_is(key, "Index"))
		return read_index(w, &event->out.index, &event->has_index);
	return read_value(&w->p, w->end, &other);
}

static bool read_event(struct walk *list, struct event *event)
{
	struct walk w;
	struct scan_span key;
	enum scan_step step;

	memset(event, 0, sizeof(*event));
	if (!walk_begin(&w, list->p, list->end, '{'))
		return false;
	while ((step = walk_member(&w, &key)) == SCAN_STEP_MORE) {
		if (!read_member(&w, &key, event))
			return false;
	}
	list->p = w.p;
	return step == SCAN_STEP_END;
}

/* What is known of a line. The first events are kept; when there are more, all are read a second
 * time. */
struct line {
	struct event events[EVENTS_ON_STACK];
	size_t count;
	const char *list; /* the array of events */
	uint64_t index;
	bool has_index;
	bool has_other; /* keys of another kind of answer */
};

static bool read_events(struct walk *w, struct line *line)
{
	struct walk list;
	struct event beyond;
	struct scan_span none;
	enum scan_step step;

	line->count = 0;
	line->list = w->p;
	if (*w->p == 'n')
		return read_text(w, &none);
	if (!walk_begin(&list, w->p, w->end, '['))
		return false;
	while ((step = walk_next(&list, ']')) == SCAN_STEP_MORE) {
		bool keep = line->count < EVENTS_ON_STACK;

		if (!read_event(&list, keep ? &line->events[line->count] : &beyond))
			return false;
		line->count++;
	}
	w->p = list.p;
	return step == SCAN_STEP_END;
}

static bool read_line(const char *text, size_t len, struct line *line)
{
	struct walk w;
	struct scan_span key, other;
	enum scan_step step = SCAN_STEP_BAD;
	bool ok = true;

	if (!walk_begin(&w, text, text + len, '{'))
		return false;
	while (ok && (step = walk_member(&w, &key)) == SCAN_STEP_MORE) {
		if (span_is(&key, "Events")) {
			ok = read_events(&w, line);
		} else if (span_is(&key, "Index")) {
			ok = read_index(&w, &line->index, &line->has_index);
		} else {
			ok = read_value(&w.p, w.end, &other);
			line->has_other = true;
		}
	}
	return ok && step == SCAN_STEP_END && walk_over(&w);
}

static void emit(struct event *event, const struct line *line, scan_event_cb *cb, void *user)
{
	if (!event->has_index)
		event->out.index = line->index;
	cb(&event->out, user);
}

static void emit_all(struct line *line, const char *end, scan_event_cb *cb, void *user)
{
	struct walk list;
	struct event event;
	size_t i;

	if (line->count <= EVENTS_ON_STACK) {
		for (i = 0; i < line->count; i++)
			emit(&line->events[i], line, cb, user);
		return;
	}
	if (!walk_begin(&list, line->list, end, '['))
		return;
	while (walk_next(&list, ']') == SCAN_STEP_MORE && read_event(&list, &event))
		emit(&event, line, cb, user);
}

enum scan_line scan_events(
	const char *text, size_t len, uint64_t *index, scan_event_cb *cb, void *user)
{
	struct line line;

	line.count = 0;
	line.list = NULL;
	line.index = 0;
	line.has_index = false;
	line.has_other = false;
	*index = 0;
	if (!read_line(text, len, &line))
		return SCAN_NOT_JSON;
	*index = line.index;
	if (line.count == 0 && line.index == 0)
		return line.has_other && !line.list ? SCAN_NOT_JSON : SCAN_HEARTBEAT;
	emit_all(&line, text + len, cb, user);
	return SCAN_EVENTS;
}
