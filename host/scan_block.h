/* scan_block: where quotes, backslashes and brackets are in 64 bytes of text, as bits; the lowest is the first byte. */
#ifndef SCAN_BLOCK_H
#define SCAN_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Functions for processors that have more than a compiler may count on; scan_block_is_wide says whether this one has.
 * SCAN_PLAIN builds without them. */
#if defined(__x86_64__) && defined(__SSE2__) && !defined(SCAN_PLAIN)
#include <immintrin.h>
#define SCAN_WIDE __attribute__((target("avx2,pclmul,bmi")))
#endif

enum { SCAN_BLOCK = 64 };

struct scan_block {
	uint64_t quote, backslash, bracket; /* the last: of all four kinds */
};

/* '[' and ']' are '{' and '}' less one bit, and no other byte is. */
#define SCAN_BRACKET_BIT 0x20
/* Of the four brackets, the closing ones have it. */
#define SCAN_CLOSING_BIT 0x04

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
	struct scan_block b = {0, 0, 0};

	for (int i = 0; i < SCAN_BLOCK; i += 16) {
		__m128i bytes = _mm_loadu_si128((const void *)(p + i));
		__m128i folded = _mm_or_si128(bytes, bit);

		b.quote |= scan_block_bits(_mm_cmpeq_epi8(bytes, quote), i);
		b.backslash |= scan_block_bits(_mm_cmpeq_epi8(bytes, backslash), i);
		b.bracket |= scan_block_bits(
			_mm_or_si128(_mm_cmpeq_epi8(folded, open), _mm_cmpeq_epi8(folded, close)),
			i);
	}
	return b;
}

#else

static inline struct scan_block scan_block_read(const char *p)
{
	struct scan_block b = {0, 0, 0};

	for (int i = 0; i < SCAN_BLOCK; i++) {
		uint64_t bit = (uint64_t)1 << i;
		char folded = (char)(p[i] | SCAN_BRACKET_BIT);

		b.quote |= p[i] == '"' ? bit : 0;
		b.backslash |= p[i] == '\\' ? bit : 0;
		b.bracket |= folded == '{' || folded == '}' ? bit : 0;
	}
	return b;
}

#endif

/* From each bit on, up to the next one: 1. */
static inline uint64_t scan_between_bits(uint64_t bits)
{
	for (int shift = 1; shift < SCAN_BLOCK; shift *= 2)
		bits ^= bits << shift;
	return bits;
}

#ifdef SCAN_WIDE

static inline bool scan_block_is_wide(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("pclmul") &&
	       __builtin_cpu_supports("bmi");
}

SCAN_WIDE static inline uint64_t scan_wide_bits(__m256i low, __m256i high)
{
	return (uint64_t)(uint32_t)_mm256_movemask_epi8(low) |
	       (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

SCAN_WIDE static inline struct scan_block scan_block_read_wide(const char *p)
{
	const __m256i quote = _mm256_set1_epi8('"'), backslash = _mm256_set1_epi8('\\');
	const __m256i open = _mm256_set1_epi8('{'), close = _mm256_set1_epi8('}');
	const __m256i bit = _mm256_set1_epi8(SCAN_BRACKET_BIT);
	__m256i a = _mm256_loadu_si256((const void *)p);
	__m256i b = _mm256_loadu_si256((const void *)(p + 32));
	__m256i folded_a = _mm256_or_si256(a, bit), folded_b = _mm256_or_si256(b, bit);

	return (struct scan_block){
		.quote = scan_wide_bits(_mm256_cmpeq_epi8(a, quote), _mm256_cmpeq_epi8(b, quote)),
		.backslash = scan_wide_bits(
			_mm256_cmpeq_epi8(a, backslash), _mm256_cmpeq_epi8(b, backslash)),
		.bracket = scan_wide_bits(_mm256_or_si256(_mm256_cmpeq_epi8(folded_a, open),
						  _mm256_cmpeq_epi8(folded_a, close)),
			_mm256_or_si256(_mm256_cmpeq_epi8(folded_b, open),
				_mm256_cmpeq_epi8(folded_b, close))),
	};
}

/* A product without carries, with all bits set, has in each bit the parity of those up to it. */
SCAN_WIDE static inline uint64_t scan_between_bits_wide(uint64_t bits)
{
	__m128i product = _mm_clmulepi64_si128(
		_mm_cvtsi64_si128((long long)bits), _mm_set1_epi8((char)0xFF), 0);

	return (uint64_t)_mm_cvtsi128_si64(product);
}

#endif

#endif
