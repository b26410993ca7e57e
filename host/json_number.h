/* json_number: the numbers of a JSON text. */
#ifndef JSON_NUMBER_H
#define JSON_NUMBER_H

#include <lua.h>

#include "json_string.h"

enum { JSON_INTEGER_DIGITS = 18 /* so many always fit 64 bits */ };

enum json_number_kind {
	JSON_INTEGER, /* its value is known */
	JSON_FLOAT,   /* its value is known */
	JSON_WIDE,    /* of many digits, or a large exponent: json_number_push_wide */
};

struct json_number {
	enum json_number_kind kind;
	lua_Integer integer;
	lua_Number number;
};

/* Reads the number at p, which is on a digit or '-'. Returns what follows it, or NULL: then *fault says why. */
const char *json_number_read(
	const char *p, const char *end, struct json_number *n, struct json_fault *fault);

/* Pushes the value of a wide number; false, pushing it all the same, if it does not fit a double. May raise. */
bool json_number_push_wide(lua_State *L, const char *start, const char *end);

#endif
