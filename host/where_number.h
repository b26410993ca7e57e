/* where_number: a number of JSON as Lua knows it, an integer or a float, and whether two are equal. */
#ifndef WHERE_NUMBER_H
#define WHERE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem.h"

struct where_number {
	bool whole; /* an integer that fits 64 bits, and is written as one */
	int64_t integer;
	double number;
};

/* Reads a number of valid JSON as the decoder does; false: that is left to the decoder. */
bool where_number_read(const char *p, size_t len, struct where_number *out) WARN_UNUSED;
bool where_number_is_integer(const struct where_number *n, int64_t value);
bool where_number_is_float(const struct where_number *n, double value);

#endif
