/* json_number: the numbers of a JSON text; the usual ones without the C library. */
#include "json_number.h"

#include <float.h>
#include <math.h>

enum {
	EXACT_DIGITS = 15,   /* so many always fit a double */
	EXACT_POWER = 22,    /* so large a power of ten is a double */
	EXPONENT_MAX = 9999, /* beyond it nothing depends on the rest */
};

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Passes digits; *value goes on with them, and means nothing once they are more than 19 together. */
static const char *digits(const char *p, const char *end, uint64_t *value)
{
	uint64_t n = *value;

	for (; p < end && is_digit(*p); p++)
		n = n * 10 + (uint64_t)(*p - '0');
	*value = n;
	return p;
}

static const char *fail(struct json_fault *fault, const char *where, const char *expected)
{
	fault->where = where;
	fault->expected = expected;
	return NULL;
}

/* Passes what follows 'e'; *power gets its value, or one that is as far beyond all doubles. */
static const char *exponent(const char *p, const char *end, int *power, struct json_fault *fault)
{
	bool negative = p < end && *p == '-';
	int n = 0;

	if (p < end && (*p == '+' || *p == '-'))
		p++;
	const char *first = p;
	for (; p < end && is_digit(*p); p++) {
		if (n < EXPONENT_MAX)
			n = n * 10 + (*p - '0');
	}
	if (p == first)
		return fail(fault, p, "a digit in the exponent");
	*power = negative ? -n : n;
	return p;
}

/* Both the digits and the power of ten are doubles, so one operation rounds once, which is right. */
static void set_float(struct json_number *n, uint64_t mantissa, int power)
{
	static const double powers[EXACT_POWER + 1] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8,
		1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

	if (FLT_EVAL_METHOD != 0 || power > EXACT_POWER || power < -EXACT_POWER)
		return;
	n->kind = JSON_FLOAT;
	n->number =
		power < 0 ? (double)mantissa / powers[-power] : (double)mantissa * powers[power];
}

const char *json_number_read(
	const char *p, const char *end, struct json_number *n, struct json_fault *fault)
{
	bool negative = *p == '-';
	const char *first = negative ? p + 1 : p;
	uint64_t value = 0;
	int power = 0;

	p = digits(first, end, &value);
	size_t count = (size_t)(p - first);
	if (count == 0)
		return fail(fault, p, negative ? "a digit after '-'" : "a value");
	if (*first == '0' && count > 1)
		return fail(fault, first + 1, "no digit after a leading 0");
	n->kind = JSON_WIDE;
	n->number = 0;
	if (p == end || (*p != '.' && *p != 'e' && *p != 'E')) {
		if (count > JSON_INTEGER_DIGITS)
			return p;
		n->kind = JSON_INTEGER;
		n->integer = negative ? -(lua_Integer)value : (lua_Integer)value;
		return p;
	}
	size_t behind = 0; /* digits behind the point */
	if (*p == '.') {
		const char *fraction = p + 1;
		p = digits(fraction, end, &value);
		behind = (size_t)(p - fraction);
		if (behind == 0)
			return fail(fault, p, "a digit after '.'");
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p = exponent(p + 1, end, &power, fault);
		if (!p)
			return NULL;
	}
	count += behind;
	if (count <= EXACT_DIGITS)
		set_float(n, value, power - (int)behind);
	if (negative)
		n->number = -n->number;
	return p;
}

bool json_number_push_wide(lua_State *L, const char *start, const char *end)
{
	lua_pushlstring(L, start, (size_t)(end - start));
	(void)lua_stringtonumber(L, lua_tostring(L, -1)); /* text number */
	lua_remove(L, -2);				  /* number */
	return lua_isinteger(L, -1) || isfinite(lua_tonumber(L, -1));
}
