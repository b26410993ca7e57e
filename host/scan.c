/* scan: finds values in raw JSON text by skipping over what is not wanted; builds nothing. */
#include "scan.h"

#include <string.h>

#include "scan_text.h"
#include "scan_walk.h"

enum { EVENTS_ON_STACK = 16 }; /* a line has rarely more than a handful */

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

/* `name` is a literal. */
#define IS(key, name) scan_span_is(key, name, sizeof(name) - 1)

struct scan_span scan_field(const char *text, size_t len, const char *name)
{
	struct scan_span found = {.p = NULL}, key, value;
	struct scan_walk w;
	enum scan_step step = SCAN_STEP_BAD;
	size_t name_len = strlen(name);

	if (scan_walk_begin(&w, text, text + len, '{'))
		step = scan_walk_member(&w, &key);
	while (step == SCAN_STEP_MORE) {
		if (!scan_walk_value(&w, &value))
			return (struct scan_span){.p = NULL};
		if (scan_span_is(&key, name, name_len))
			found = value;
		step = scan_walk_member(&w, &key);
	}
	if (step == SCAN_STEP_BAD || !scan_walk_over(&w))
		return (struct scan_span){.p = NULL};
	return found;
}

/* A whole number that fits, or null, which is as good as none. */
static bool read_index(struct scan_walk *w, uint64_t *index, bool *there)
{
	struct scan_span value;
	uint64_t n = 0;
	size_t i;

	*there = false;
	if (*w->p == '"' || !scan_walk_value(w, &value))
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
static bool read_text(struct scan_walk *w, struct scan_span *out)
{
	bool string = *w->p == '"';
	struct scan_span value;

	if (!scan_walk_value(w, &value))
		return false;
	*out = (struct scan_span){.p = NULL};
	if (!string)
		return scan_text_is(value.p, value.n, "null");
	*out = value;
	return unescapes(out);
}

/* Any value, as it is written. */
static bool read_payload(struct scan_walk *w, struct scan_event *out)
{
	struct scan_span value;

	out->payload.p = w->p;
	out->payload.escaped = false;
	if (!scan_walk_nested(w, &value, &out->longest))
		return false;
	out->payload.n = (size_t)(w->p - out->payload.p);
	return true;
}

struct event {
	struct scan_event out;
	bool has_index;
};

static bool read_member(struct scan_walk *w, const struct scan_span *key, struct event *event)
{
	struct scan_span other;

	if (IS(key, "Payload"))
		return read_payload(w, &event->out);
	if (IS(key, "Topic"))
		return read_text(w, &event->out.topic);
	if (IS(key, "Type"))
		return read_text(w, &event->out.type);
	if (IS(key, "Key"))
		return read_text(w, &event->out.key);
	if (IS(key, "Namespace"))
		return read_text(w, &event->out.ns);
	if (IS(key, "Index"))
		return read_index(w, &event->out.index, &event->has_index);
	return scan_walk_value(w, &other);
}

static bool read_event(struct scan_walk *list, struct event *event)
{
	struct scan_walk w;
	struct scan_span key;
	enum scan_step step;

	memset(event, 0, sizeof(*event));
	if (!scan_walk_begin(&w, list->p, list->end, '{'))
		return false;
	while ((step = scan_walk_member(&w, &key)) == SCAN_STEP_MORE) {
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

static bool read_events(struct scan_walk *w, struct line *line)
{
	struct scan_walk list;
	SCAN_UNSET struct event beyond;
	struct scan_span none;
	enum scan_step step;

	line->count = 0;
	line->list = w->p;
	if (*w->p == 'n')
		return read_text(w, &none);
	if (!scan_walk_begin(&list, w->p, w->end, '['))
		return false;
	while ((step = scan_walk_element(&list)) == SCAN_STEP_MORE) {
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
	struct scan_walk w;
	struct scan_span key, other;
	enum scan_step step = SCAN_STEP_BAD;
	bool ok = true;

	if (!scan_walk_begin(&w, text, text + len, '{'))
		return false;
	while (ok && (step = scan_walk_member(&w, &key)) == SCAN_STEP_MORE) {
		if (IS(&key, "Events")) {
			ok = read_events(&w, line);
		} else if (IS(&key, "Index")) {
			ok = read_index(&w, &line->index, &line->has_index);
		} else {
			ok = scan_walk_value(&w, &other);
			line->has_other = true;
		}
	}
	return ok && step == SCAN_STEP_END && scan_walk_over(&w);
}

static void emit(struct event *event, const struct line *line, scan_event_cb *cb, void *user)
{
	if (!event->has_index)
		event->out.index = line->index;
	cb(&event->out, user);
}

static void emit_all(struct line *line, const char *end, scan_event_cb *cb, void *user)
{
	struct scan_walk list;
	SCAN_UNSET struct event event;
	size_t i;

	if (line->count <= EVENTS_ON_STACK) {
		for (i = 0; i < line->count; i++)
			emit(&line->events[i], line, cb, user);
		return;
	}
	if (!scan_walk_begin(&list, line->list, end, '['))
		return;
	while (scan_walk_element(&list) == SCAN_STEP_MORE && read_event(&list, &event))
		emit(&event, line, cb, user);
}

enum scan_line scan_events(
	const char *text, size_t len, uint64_t *index, scan_event_cb *cb, void *user)
{
	SCAN_UNSET struct line line;

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
