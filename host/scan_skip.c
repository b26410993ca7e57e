/* scan_skip: how the scanner passes over a value of any depth without recursion. */
#include "scan_skip.h"

#include <string.h>

bool scan_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

const char *scan_skip_space(const char *p, const char *end)
{
	while (p < end && scan_is_space(*p))
		p++;
	return p;
}

/* Backslashes are counted back from each quote, and never past the quote before it: the work
 * stays linear. */
const char *scan_string_end(const char *p, const char *end)
{
	while (p < end) {
		const char *quote = memchr(p, '"', (size_t)(end - p));
		const char *q = quote;

		if (!quote)
			return NULL;
		while (q > p && q[-1] == '\\')
			q--;
		if ((quote - q) % 2 == 0)
			return quote;
		p = quote + 1;
	}
	return NULL;
}

/* True when text ends with a backslash that is not escaped itself. */
static bool ends_in_backslash(const char *p, const char *end)
{
	const char *q = end;

	while (q > p && q[-1] == '\\')
		q--;
	return (end - q) % 2 != 0;
}

const char *scan_nest_string(struct scan_nest *n, const char *p, const char *end)
{
	const char *quote;

	if (n->after_backslash && p < end) {
		p++;
		n->after_backslash = false;
	}
	quote = scan_string_end(p, end);
	if (quote) {
		n->in_string = false;
		return quote + 1;
	}
	if (p < end)
		n->after_backslash = ends_in_backslash(p, end);
	return end;
}

static bool nest_open(struct scan_nest *n, bool object)
{
	uint64_t bit = (uint64_t)1 << n->depth % 64;

	if (n->depth == SCAN_DEPTH_MAX)
		return false;
	if (object)
		n->open[n->depth / 64] |= bit;
	else
		n->open[n->depth / 64] &= ~bit;
	n->depth++;
	return true;
}

static bool nest_close(struct scan_nest *n, bool object)
{
	unsigned level = n->depth - 1;

	if (n->depth == 0 || (n->open[level / 64] >> level % 64 & 1) != (object ? 1 : 0))
		return false;
	n->depth = level;
	return true;
}

enum scan_step scan_nest_skip(struct scan_nest *n, const char **at, const char *end)
{
	const char *p = *at;
	bool ok = true;

	while (p < end && ok) {
		if (n->in_string) {
			p = scan_nest_string(n, p, end);
			continue;
		}
		switch (*p) {
		case '"':
			n->in_string = true;
			break;
		case '{':
		case '[':
			ok = nest_open(n, *p == '{');
			break;
		case '}':
		case ']':
			ok = nest_close(n, *p == '}');
			break;
		default:
			break;
		}
		if (!ok)
			break;
		p++;
		if (n->depth == 0)
			break;
	}
	*at = p;
	if (!ok)
		return SCAN_STEP_BAD;
	return n->depth == 0 ? SCAN_STEP_END : SCAN_STEP_MORE;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *digits(const char *p, const char *end)
{
	while (p < end && is_digit(*p))
		p++;
	return p;
}

static bool is_number(const char *p, size_t len)
{
	const char *end = p + len;
	const char *start;

	if (p < end && *p == '-')
		p++;
	start = p;
	p = digits(p, end);
	if (p == start || (*start == '0' && p - start > 1))
		return false;
	if (p < end && *p == '.') {
		start = ++p;
		p = digits(p, end);
		if (p == start)
			return false;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		start = p;
		p = digits(p, end);
		if (p == start)
			return false;
	}
	return p == end;
}

bool scan_text_is(const char *p, size_t len, const char *word)
{
	return len == strlen(word) && memcmp(p, word, len) == 0;
}

bool scan_is_scalar(const char *p, size_t len)
{
	return is_number(p, len) || scan_text_is(p, len, "true") || scan_text_is(p, len, "false") ||
	       scan_text_is(p, len, "null");
}

bool scan_ends_scalar(char c)
{
	return c == ',' || c == ']' || c == '}' || scan_is_space(c);
}
