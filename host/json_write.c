/* json_write: see json_write.h. */
#include "json_write.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "json_string.h"

#define TWO_TO_63 9223372036854775808.0

enum {
	STRING_SLACK =
		2 + 8 + JSON_COPY_SLACK, /* quotes, an escape, and what copying writes behind */
};

void json_write_begin(struct json_writer *w, lua_State *L)
{
	w->L = L;
	w->data = w->local;
	w->cap = sizeof(w->local);
	w->len = 0;
	w->out = NULL;
	lua_pushnil(L);
	w->out_at = lua_gettop(L);
}

void json_write_end(struct json_writer *w)
{
	if (w->out)
		json_out_give_back(w->L);
	else
		lua_pop(w->L, 1);
}

void json_write_grow(struct json_writer *w, size_t more)
{
	size_t cap = w->cap * 2 > w->len + more ? w->cap * 2 : w->len + more;

	if (!w->out) {
		w->out = json_out_take(w->L);
		lua_replace(w->L, w->out_at);
	}
	if (w->out->cap < cap)
		json_out_grow(w->L, w->out, cap);
	if (w->data == w->local)
		memcpy(w->out->data, w->local, w->len);
	w->data = w->out->data;
	w->cap = w->out->cap;
}

/* The letter of the short escape of a character; 'u' has none. */
static const char escape_letters[256] = {['"'] = '"',
	['\\'] = '\\',
	['\b'] = 'b',
	['\f'] = 'f',
	['\n'] = 'n',
	['\r'] = 'r',
	['\t'] = 't'};

/* Writes an escape, six bytes at most, to out. */
static inline size_t escape(char *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	out[0] = '\\';
	out[1] = escape_letters[c];
	if (out[1])
		return 2;
	memcpy(out + 1, "u00", 3);
	out[4] = hex[c >> 4];
	out[5] = hex[c & 15];
	return 6;
}

void json_write_string(struct json_writer *w, const char *text, size_t len)
{
	const char *end = text + len;

	json_write_reserve(w, len + STRING_SLACK);
	char *out = w->data + w->len;
	size_t spare = w->cap - w->len - len - STRING_SLACK; /* for escapes, which are longer */
	*out++ = '"';
	for (;;) {
		size_t run = json_string_copy(out, text, end);
		out += run;
		text += run;
		if (text == end)
			break;
		size_t longer = escape(out, (unsigned char)*text++);
		out += longer--;
		if (longer > spare) {
			w->len = (size_t)(out - w->data);
			json_write_reserve(w, (size_t)(end - text) + STRING_SLACK);
			out = w->data + w->len;
			spare = w->cap - w->len - (size_t)(end - text) - STRING_SLACK;
		} else {
			spare -= longer;
		}
	}
	*out++ = '"';
	w->len = (size_t)(out - w->data);
}

void json_write_integer(struct json_writer *w, lua_Integer n)
{
	lua_Unsigned rest = n < 0 ? 0U - (lua_Unsigned)n : (lua_Unsigned)n;
	char text[24];
	char *p = text + sizeof(text);

	if (rest < 10 && n >= 0) {
		json_write_char(w, (char)('0' + rest));
		return;
	}
	for (; rest >= 100; rest /= 100) {
		unsigned two = (unsigned)(rest % 100);
		*--p = (char)('0' + two % 10);
		*--p = (char)('0' + two / 10);
	}
	if (rest >= 10) {
		*--p = (char)('0' + rest % 10);
		rest /= 10;
	}
	*--p = (char)('0' + rest);
	if (n < 0)
		*--p = '-';
	json_write(w, p, (size_t)(text + sizeof(text) - p));
}

void json_write_float(struct json_writer *w, double n)
{
	char text[32];

	if (n == floor(n) && n >= -TWO_TO_63 && n < TWO_TO_63) {
		json_write_integer(w, (lua_Integer)n);
		return;
	}
	int precision =
		fabs(n) < DBL_MIN ? 1 : 15; /* fewer digits are enough for the smallest numbers */
	for (; precision <= 17; precision++) {
		(void)snprintf(text, sizeof(text), "%.*g", precision, n);
		if (strtod(text, NULL) == n)
			break;
	}
	for (char *p = text; *p;
		p++) { /* a script may have set a locale with another decimal point */
		if (!strchr("0123456789+-e", *p))
			*p = '.';
	}
	json_write(w, text, strlen(text));
}
