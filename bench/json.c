/* json: see json.h. */
#include "json.h"

#include <string.h>

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* Past the string whose opening quote is before `at`. */
static const char *skip_string(const char *at, const char *end)
{
	for (;;) {
		const char *quote = memchr(at, '"', (size_t)(end - at));
		const char *back = quote;

		if (!quote)
			return end;
		while (back > at && back[-1] == '\\')
			back--;
		at = quote + 1;
		if ((quote - back) % 2 == 0)
			return at;
	}
}

static const char *skip_nested(const char *at, const char *end)
{
	int depth = 0;

	while (at < end) {
		char c = *at++;

		if (c == '"')
			at = skip_string(at, end);
		else if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && --depth == 0)
			return at;
	}
	return end;
}

static const char *skip_plain(const char *at, const char *end)
{
	while (at < end && *at != ',' && *at != '}' && *at != ']' && !is_space(*at))
		at++;
	return at;
}

struct span json_value(const char *at, const char *end)
{
	const char *past;

	while (at < end && is_space(*at))
		at++;
	if (at >= end)
		return (struct span){NULL, 0};
	if (*at == '"')
		past = skip_string(at + 1, end);
	else if (*at == '{' || *at == '[')
		past = skip_nested(at, end);
	else
		past = skip_plain(at, end);
	return (struct span){at, (size_t)(past - at)};
}

bool json_next(struct span *rest, struct span *name, struct span *value)
{
	const char *at = rest->at, *end = rest->at + rest->len;

	/* The value's opening bracket the first time, then a comma. */
	while (at < end && is_space(*at))
		at++;
	if (at < end && (*at == '{' || *at == '[' || *at == ','))
		at++;
	while (at < end && is_space(*at))
		at++;
	if (at >= end || *at == '}' || *at == ']')
		return false;
	if (name) {
		*name = json_string(json_value(at, end));
		at = name->at ? memchr(name->at + name->len, ':',
					(size_t)(end - (name->at + name->len)))
			      : NULL;
		if (!at)
			return false;
		at++;
	}
	*value = json_value(at, end);
	if (!value->at)
		return false;
	rest->at = value->at + value->len;
	rest->len = (size_t)(end - rest->at);
	return true;
}

struct span json_member(struct span object, const char *name)
{
	struct span key, value;

	if (!object.at || object.len == 0 || *object.at != '{')
		return (struct span){NULL, 0};
	while (json_next(&object, &key, &value)) {
		if (span_is(key, name))
			return value;
	}
	return (struct span){NULL, 0};
}

struct span json_string(struct span value)
{
	if (!value.at || value.len < 2 || *value.at != '"')
		return (struct span){NULL, 0};
	return (struct span){value.at + 1, value.len - 2};
}

bool span_is(struct span s, const char *text)
{
	return s.at && s.len == strlen(text) && memcmp(s.at, text, s.len) == 0;
}
