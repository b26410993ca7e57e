/* scan_cut: cuts a JSON array into its elements; one that comes in one piece is never copied. */
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "scan.h"
#include "scan_skip.h"

/* What one large element made the buffer grow to is given back once the element is over. */
enum { KEEP_MAX = 1024 * 1024 };

enum state { BEFORE_LIST, FIRST, NEXT, IN_NEST, IN_STRING, IN_SCALAR, AFTER_ELEMENT, AFTER_LIST };

struct scan_cutter {
	struct buf part; /* an element that began in an earlier piece */
	struct scan_nest nest;
	enum state state;
	enum scan_cut result;
	scan_element_cb *cb;
	void *user;
};

struct scan_cutter *scan_cutter_new(size_t element_max, scan_element_cb *cb, void *user)
{
	struct scan_cutter *c = xcalloc(1, sizeof(*c));

	buf_init(&c->part, element_max);
	c->state = BEFORE_LIST;
	c->result = SCAN_CUT_MORE;
	c->cb = cb;
	c->user = user;
	return c;
}

void scan_cutter_free(struct scan_cutter *c)
{
	if (!c)
		return;
	buf_free(&c->part);
	free(c);
}

static void fail(struct scan_cutter *c, enum scan_cut result)
{
	c->result = result;
	buf_free(&c->part);
}

/* Length counts before shape, whatever the pieces: an element that is broken beyond the limit is
 * too long. */
static bool fits(struct scan_cutter *c, const char *start, const char *p)
{
	if ((size_t)(p - start) <= c->part.max - c->part.len)
		return true;
	fail(c, SCAN_CUT_TOO_LONG);
	return false;
}

/* The element ends before p; `scalar` ones are only now known whole. */
static void complete(struct scan_cutter *c, const char *start, const char *p, bool scalar)
{
	const char *text = start;
	size_t len = (size_t)(p - start);

	if (!fits(c, start, p))
		return;
	if (c->part.len > 0) {
		if (!buf_add(&c->part, start, len))
			return;
		text = c->part.data;
		len = c->part.len;
	}
	if (scalar && !scan_is_scalar(text, len)) {
		fail(c, SCAN_CUT_NOT_ARRAY);
		return;
	}
	c->state = AFTER_ELEMENT;
	c->cb(text, len, c->user);
	if (c->part.cap > KEEP_MAX)
		buf_free(&c->part);
	else
		buf_clear(&c->part);
}

/* Takes the byte that an element begins with; the element's own bytes are left to its state. */
static void begin(struct scan_cutter *c, char first)
{
	scan_nest_begin(&c->nest);
	if (first == '{' || first == '[')
		c->state = IN_NEST;
	else if (first == '"')
		c->state = IN_STRING;
	else if (!scan_ends_scalar(first))
		c->state = IN_SCALAR;
	else
		fail(c, SCAN_CUT_NOT_ARRAY);
}

/* Everything between elements. *p is no white space. Returns what follows. */
static const char *between(struct scan_cutter *c, const char *p)
{
	if (c->state == BEFORE_LIST && *p == '[') {
		c->state = FIRST;
		return p + 1;
	}
	if (c->state == AFTER_ELEMENT && *p == ',') {
		c->state = NEXT;
		return p + 1;
	}
	if ((c->state == FIRST || c->state == AFTER_ELEMENT) && *p == ']') {
		c->state = AFTER_LIST;
		c->result = SCAN_CUT_DONE;
		return p + 1;
	}
	if (c->state == FIRST || c->state == NEXT)
		begin(c, *p);
	else
		fail(c, SCAN_CUT_NOT_ARRAY);
	return p;
}

static const char *nested(struct scan_cutter *c, const char *start, const char *end)
{
	const char *p = start;
	enum scan_step step = scan_nest_skip(&c->nest, &p, end);

	if (step == SCAN_STEP_END)
		complete(c, start, p, false);
	else if (step == SCAN_STEP_BAD && fits(c, start, p))
		fail(c, SCAN_CUT_NOT_ARRAY);
	return p;
}

static const char *string(struct scan_cutter *c, const char *start, const char *end)
{
	const char *p = start;

	if (c->part.len == 0 && !c->nest.in_string) {
		c->nest.in_string = true;
		p++;
	}
	p = scan_nest_string(&c->nest, p, end);
	if (!c->nest.in_string)
		complete(c, start, p, false);
	return p;
}

static const char *scalar(struct scan_cutter *c, const char *start, const char *end)
{
	const char *p = start;

	while (p < end && !scan_ends_scalar(*p))
		p++;
	if (p < end)
		complete(c, start, p, true);
	return p;
}

static bool in_element(const struct scan_cutter *c)
{
	return c->state == IN_NEST || c->state == IN_STRING || c->state == IN_SCALAR;
}

/* Moves over one element, or as much of it as there is. */
static const char *element(struct scan_cutter *c, const char *start, const char *end)
{
	const char *p;

	if (c->state == IN_NEST)
		p = nested(c, start, end);
	else if (c->state == IN_STRING)
		p = string(c, start, end);
	else
		p = scalar(c, start, end);
	/* Still in it: the piece is at its end. */
	if (in_element(c) && c->result == SCAN_CUT_MORE &&
		!buf_add(&c->part, start, (size_t)(p - start)))
		fail(c, SCAN_CUT_TOO_LONG);
	return p;
}

enum scan_cut scan_cutter_feed(struct scan_cutter *c, const char *data, size_t len)
{
	const char *p = data;
	const char *end = data + len;

	while (p < end && c->result != SCAN_CUT_NOT_ARRAY && c->result != SCAN_CUT_TOO_LONG) {
		if (in_element(c)) {
			p = element(c, p, end);
			continue;
		}
		p = scan_skip_space(p, end);
		if (p < end)
			p = between(c, p);
	}
	return c->result;
}
