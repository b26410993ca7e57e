/* scan_walk: see scan_walk.h. */
#include "scan_walk.h"

#include <string.h>

#include "scan_text.h"

/* A string without its quotes; *at is on the opening one. */
static bool read_string(const char **at, const char *end, struct scan_span *out)
{
	const char *start = *at + 1;
	const char *quote = scan_string_end(start, end, &out->escaped);

	if (!quote)
		return false;
	out->p = start;
	out->n = (size_t)(quote - start);
	*at = quote + 1;
	return true;
}

bool scan_walk_value(struct scan_walk *w, struct scan_span *out)
{
	struct scan_span longest;

	return scan_walk_nested(w, out, &longest);
}

bool scan_walk_nested(struct scan_walk *w, struct scan_span *out, struct scan_span *longest)
{
	const char *start = w->p;
	const char *p = start;

	longest->p = NULL;
	if (p == w->end)
		return false;
	if (*p == '"')
		return read_string(&w->p, w->end, out);
	if (*p == '{' || *p == '[') {
		SCAN_UNSET struct scan_nest n;

		scan_nest_begin(&n);
		if (scan_nest_skip(&n, &p, w->end) != SCAN_STEP_END)
			return false;
		*longest = (struct scan_span){n.at, n.longest, false};
	} else {
		while (p < w->end && !scan_ends_scalar(*p))
			p++;
		if (!scan_is_scalar(start, (size_t)(p - start)))
			return false;
	}
	out->p = start;
	out->n = (size_t)(p - start);
	out->escaped = false;
	w->p = p;
	return true;
}

static enum scan_step step(struct scan_walk *w, char close)
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

enum scan_step scan_walk_element(struct scan_walk *w)
{
	return step(w, ']');
}

enum scan_step scan_walk_member(struct scan_walk *w, struct scan_span *key)
{
	enum scan_step next = step(w, '}');

	if (next != SCAN_STEP_MORE)
		return next;
	if (*w->p != '"' || !read_string(&w->p, w->end, key))
		return SCAN_STEP_BAD;
	w->p = scan_skip_space(w->p, w->end);
	if (w->p == w->end || *w->p != ':')
		return SCAN_STEP_BAD;
	w->p = scan_skip_space(w->p + 1, w->end);
	return w->p < w->end ? SCAN_STEP_MORE : SCAN_STEP_BAD;
}

bool scan_walk_begin(struct scan_walk *w, const char *p, const char *end, char open)
{
	w->begun = false;
	w->end = end;
	w->p = scan_skip_space(p, end);
	if (w->p == end || *w->p != open)
		return false;
	w->p++;
	return true;
}

bool scan_walk_over(const struct scan_walk *w)
{
	return scan_skip_space(w->p, w->end) == w->end;
}

/* Does the string begin with the text, and (whole) end with it? */
static bool escaped_starts(const struct scan_span *s, const char *text, size_t len, bool whole)
{
	const char *p = s->p;

	while (p < s->p + s->n && (whole || len > 0)) {
		char bytes[4];
		int read = scan_unescape_next(&p, s->p + s->n, bytes);
		size_t n = read > 0 ? (size_t)read : 0;

		if (!whole && n > len)
			n = len;
		if (read < 0 || n > len || memcmp(text, bytes, n) != 0)
			return false;
		text += n;
		len -= n;
	}
	return len == 0;
}

bool scan_escaped_is(const struct scan_span *s, const char *text, size_t len)
{
	return escaped_starts(s, text, len, true);
}

bool scan_span_starts(const struct scan_span *s, const char *text, size_t len)
{
	if (s->escaped)
		return escaped_starts(s, text, len, false);
	return s->n >= len && memcmp(s->p, text, len) == 0;
}
