/* where_number: see where_number.h. */
#include "where_number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 63 /* bytes of a number that are read here */ };

/* False: not written as an integer, or it does not fit. */
static bool read_integer(const char *p, size_t len, int64_t *out)
{
	bool negative = len > 0 && *p == '-';
	uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
	uint64_t n = 0;

	for (size_t i = negative ? 1 : 0; i < len; i++) {
		unsigned digit = (unsigned)(p[i] - '0');

		if (digit > 9 || n > (limit - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	if (negative && n > 0)
		*out = -(int64_t)(n - 1) - 1;
	else
		*out = (int64_t)n;
	return true;
}

bool where_number_read(const char *p, size_t len, struct where_number *out)
{
	char text[LONGEST + 1];
	char *end;

	out->whole = read_integer(p, len, &out->integer);
	if (out->whole)
		return true;
	if (len > LONGEST)
		return false;
	memcpy(text, p, len);
	text[len] = '\0';
	out->number = strtod(text, &end);
	return end == text + len && isfinite(out->number);
}

/* Exactly: not every integer is a double. */
static bool same(int64_t integer, double number)
{
	return number >= -0x1p63 && number < 0x1p63 && floor(number) == number &&
	       (int64_t)number == integer;
}

bool where_number_is_integer(const struct where_number *n, int64_t value)
{
	return n->whole ? n->integer == value : same(value, n->number);
}

bool where_number_is_float(const struct where_number *n, double value)
{
	return n->whole ? same(n->integer, value) : n->number == value;
}
