/* backslash: which bytes of a block of text backslashes escape, told for all of them at once. */
#ifndef BACKSLASH_H
#define BACKSLASH_H

#include <stdbool.h>
#include <stdint.h>

/* The bytes that a backslash stands before, of which an even number of backslashes stand before that; a bit for each byte
 * of a block, the lowest is the first. *carry: is the byte before the block such a backslash; then the same of the last of
 * its first `len`. A run of backslashes that begins at an odd place is added up, which carries a bit to behind its end: so
 * the parity of the end tells that of the length. */
static inline uint64_t backslash_escaped(uint64_t backslash, unsigned len, bool *carry)
{
	const uint64_t even = 0x5555555555555555U;
	uint64_t first = *carry ? 1 : 0, behind, odd, sum, after;

	backslash &= ~first;
	behind = backslash << 1 | first;
	odd = backslash & ~even & ~behind;
	*carry = __builtin_add_overflow(odd, backslash, &sum);
	after = (even ^ sum << 1) & behind;
	if (len < 64)
		*carry = after >> len & 1;
	return after;
}

#endif
