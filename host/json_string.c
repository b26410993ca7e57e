/* json_string: finding the end of a JSON string, and undoing its escapes. */
#include "json_string.h"

#include <lauxlib.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* How many hex digits are at p, at most four; *value gets what they are worth. */
static int hex4(const char *p, const char *end, uint32_t *value)
{
	int count = 0;

	*value = 0;
	while (count < 4 && p + count < end && hex_digit(p[count]) >= 0) {
		*value = *value * 16 + (uint32_t)hex_digit(p[count]);
		count++;
	}
	return count;
}

/* What the letter after a backslash means; NUL if nothing. */
static char escaped_char(char letter)
{
	switch (letter) {
	case '"':
	case '\\':
	case '/':
		return letter;
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return '\0';
	}
}

/* Passes the escape at p; NULL if it is none: then *fault says why. */
static const char *pass_escape(const char *p, const char *end, struct json_fault *fault)
{
	uint32_t value;

	p++;
	if (p < end && *p == 'u') {
		int digits = hex4(p + 1, end, &value);
		fault->where = p + 1 + digits;
		fault->expected = "four hex digits after '\\u'";
		return digits == 4 ? p + 5 : NULL;
	}
	fault->where = p;
	fault->expected = "one of \" \\ / b f n r t u after a backslash";
	return p < end && escaped_char(*p) ? p + 1 : NULL;
}

const char *json_string_read_on(
	const char *p, const char *end, struct json_span *s, struct json_fault *fault)
{
	for (;;) {
		if (p < end && *p == '"') {
			s->n = (size_t)(p - s->p);
			return p + 1;
		}
		fault->where = p;
		if (p == end) {
			fault->expected = "the closing '\"' of a string";
			return NULL;
		}
		if (*p != '\\') {
			fault->expected = "control characters in strings to be escaped";
			return NULL;
		}
		s->escaped = true;
		p = pass_escape(p, end, fault);
		if (!p)
			return NULL;
		p = json_string_plain(p, end);
	}
}

static size_t utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xC0 | (c >> 6));
		out[1] = (char)(0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xE0 | (c >> 12));
		out[1] = (char)(0x80 | ((c >> 6) & 0x3F));
		out[2] = (char)(0x80 | (c & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | (c >> 18));
	out[1] = (char)(0x80 | ((c >> 12) & 0x3F));
	out[2] = (char)(0x80 | ((c >> 6) & 0x3F));
	out[3] = (char)(0x80 | (c & 0x3F));
	return 4;
}

/* The code point of the \u escape at *p, which it passes. Half a surrogate pair is U+FFFD, as in Go. */
static uint32_t code_point(const char **p, const char *end)
{
	uint32_t c, low;

	(void)hex4(*p + 2, end, &c);
	*p += 6;
	if (c < 0xD800 || c > 0xDFFF)
		return c;
	if (c < 0xDC00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u') {
		(void)hex4(*p + 2, end, &low);
		if (low >= 0xDC00 && low <= 0xDFFF) {
			*p += 6;
			return 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
		}
	}
	return 0xFFFD;
}

void json_string_push_escaped(lua_State *L, const struct json_span *s)
{
	const char *end = s->p + s->n, *p = s->p;
	luaL_Buffer b;
	char *out = luaL_buffinitsize(L, &b, s->n); /* unescaped is never longer */
	size_t n = 0;

	for (;;) {
		const char *backslash = memchr(p, '\\', (size_t)(end - p));
		size_t run = (size_t)((backslash ? backslash : end) - p);
		memcpy(out + n, p, run);
		n += run;
		if (!backslash)
			break;
		p = backslash;
		if (p[1] == 'u') {
			n += utf8(out + n, code_point(&p, end));
			continue;
		}
		out[n++] = escaped_char(p[1]);
		p += 2;
	}
	luaL_pushresultsize(&b, n);
}
