/* scan_block: where quotes, backslashes and brackets are in 64 bytes of text, as bits; the lowest is the first byte. */
#ifndef SCAN_BLOCK_H
#define SCAN_BLOCK_H

#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { SCAN_BLOCK = 64 };

struct scan_block {
	uint64_t quote, backslash, open, close; /* open: { and [; close: } and ] */
};

/* '[' and ']' are '{' and '}' less one bit, and no other byte is. */
#define SCAN_BRACKET_BIT 0x20

#ifdef __SSE2__

static inline uint64_t scan_block_bits(__m128i equal, int shift)
{
	return (uint64_t)(uint32_t)_mm_movemask_epi8(equal) << shift;
}

static inline struct scan_block scan_block_read(const char *p)
{
	const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
	const __m128i open = _mm_set1_epi8('{'), close = _mm_set1_epi8('}');
	const __m128i bit = _mm_set1_epi8(SCAN_BRACKET_BIT);
	struct scan_block b = {0, 0, 0, 0};

	for (int i = 0; i < SCAN_BLOCK; i += 16) {
		__m128i bytes = _mm_loadu_si128((const void *)(p + i));
		__m128i folded = _mm_or_si128(bytes, bit);

		b.quote |= scan_block_bits(_mm_cmpeq_epi8(bytes, quote), i);
		b.backslash |= scan_block_bits(_mm_cmpeq_epi8(bytes, backslash), i);
		b.open |= scan_block_bits(_mm_cmpeq_epi8(folded, open), i);
		b.close |= scan_block_bits(_mm_cmpeq_epi8(folded, close), i);
	}
	return b;
}

#else

static inline struct scan_block scan_block_read(const char *p)
{
	struct scan_block b = {0, 0, 0, 0};

	for (int i = 0; i < SCAN_BLOCK; i++) {
		uint64_t bit = (uint64_t)1 << i;
		char folded = (char)(p[i] | SCAN_BRACKET_BIT);

		b.quote |= p[i] == '"' ? bit : 0;
		b.backslash |= p[i] == '\\' ? bit : 0;
		b.open |= folded == '{' ? bit : 0;
		b.close |= folded == '}' ? bit : 0;
	}
	return b;
}

#endif

#endif
