/* pair: the places of a text where two bytes are, a distance apart: the first and the last of a word that is looked for.
 *
 * Both are compared at many places at once, and few places fit where the word is not: the rest is the caller's. */
#ifndef PAIR_H
#define PAIR_H

#include <stddef.h>

#ifdef __SSE2__
#include <emmintrin.h>

enum { PAIR_BLOCK = 64 }; /* places that are looked at in one step */

struct pair_bytes {
	__m128i first, last;
};

static inline __m128i pair_fits(const char *p, size_t distance, const struct pair_bytes *b)
{
	__m128i first = _mm_loadu_si128((const void *)p);
	__m128i last = _mm_loadu_si128((const void *)(p + distance));

	return _mm_and_si128(_mm_cmpeq_epi8(first, b->first), _mm_cmpeq_epi8(last, b->last));
}

static inline const char *pair_first(const char *p, __m128i fits)
{
	return p + __builtin_ctz((unsigned)_mm_movemask_epi8(fits));
}
#endif

/* The first place from p on where the byte is `first`, and the one `distance` bytes after it, which lies before `end`,
 * is `last`. NULL: there is none. */
static inline const char *pair_find(
	const char *p, const char *end, char first, char last, size_t distance)
{
#ifdef __SSE2__
	const struct pair_bytes bytes = {_mm_set1_epi8(first), _mm_set1_epi8(last)};

	for (; (size_t)(end - p) >= distance + PAIR_BLOCK; p += PAIR_BLOCK) {
		__m128i a = pair_fits(p, distance, &bytes), b = pair_fits(p + 16, distance, &bytes);
		__m128i c = pair_fits(p + 32, distance, &bytes);
		__m128i d = pair_fits(p + 48, distance, &bytes);

		if (!_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d))))
			continue;
		if (_mm_movemask_epi8(a))
			return pair_first(p, a);
		if (_mm_movemask_epi8(b))
			return pair_first(p + 16, b);
		return _mm_movemask_epi8(c) ? pair_first(p + 32, c) : pair_first(p + 48, d);
	}
#endif
	for (; (size_t)(end - p) > distance; p++)
		if (*p == first && p[distance] == last)
			return p;
	return NULL;
}

#endif
