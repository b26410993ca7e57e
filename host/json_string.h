/* json_string: JSON strings as they stand in a text: where they end, what they mean. */
#ifndef JSON_STRING_H
#define JSON_STRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <lua.h>

/* What is between the quotes. Points into the text and dies with it. */
struct json_span {
	const char *p;
	size_t n;
	bool escaped; /* there is a backslash in it */
};

/* What was wrong in a text. */
struct json_fault {
	const char *where;
	const char *expected;
};

/* The eight bytes at p, the first one lowest. */
static inline uint64_t json_load8(const char *p)
{
	uint64_t eight;

	memcpy(&eight, p, sizeof(eight));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	eight = __builtin_bswap64(eight);
#endif
	return eight;
}

static inline void json_store8(char *out, uint64_t eight)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	eight = __builtin_bswap64(eight);
#endif
	memcpy(out, &eight, sizeof(eight));
}

static inline uint64_t json_load4(const char *p)
{
	uint32_t four;

	memcpy(&four, p, sizeof(four));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	four = __builtin_bswap32(four);
#endif
	return four;
}

/* The n bytes at p, fewer than eight, the first one lowest, and zeros above. What is read twice is the same. */
static inline uint64_t json_load_few(const char *p, size_t n)
{
	const unsigned char *u = (const unsigned char *)p;

	if (n >= 4)
		return json_load4(p) | json_load4(p + n - 4) << (n - 4) * 8;
	if (n == 0)
		return 0;
	return u[0] | (uint64_t)u[n / 2] << n / 2 * 8 | (uint64_t)u[n - 1] << (n - 1) * 8;
}

/* A byte with its high bit set for each of the eight that is a quote, a backslash or a control character; bytes
 * after the first such one may be marked wrongly. */
static inline uint64_t json_special8(uint64_t eight)
{
	const uint64_t ones = 0x0101010101010101U, high = 0x8080808080808080U;
	uint64_t quote = eight ^ (ones * '"'), backslash = eight ^ (ones * '\\');

	return (((eight - ones * 0x20) & ~eight) | ((quote - ones) & ~quote) |
		       ((backslash - ones) & ~backslash)) &
	       high;
}

#ifdef __SSE2__
/* One bit for each of the sixteen bytes at p that is a quote, a backslash or a control character. */
static inline unsigned json_special16(const char *p)
{
	__m128i text = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i control = _mm_cmpeq_epi8(_mm_min_epu8(text, _mm_set1_epi8(0x1F)), text);
	__m128i quote = _mm_cmpeq_epi8(text, _mm_set1_epi8('"'));
	__m128i backslash = _mm_cmpeq_epi8(text, _mm_set1_epi8('\\'));

	return (unsigned)_mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, backslash)));
}
#endif

/* The first byte from p on that cannot stand for itself in a string: a quote, a backslash, a control character, or end. */
static inline const char *json_string_plain(const char *p, const char *end)
{
#ifdef __SSE2__
	for (; end - p >= 16; p += 16) {
		unsigned special = json_special16(p);
		if (special)
			return p + __builtin_ctz(special);
	}
#endif
	for (; end - p >= 8; p += 8) {
		uint64_t special = json_special8(json_load8(p));
		if (special)
			return p + __builtin_ctzll(special) / 8;
	}
	while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
		p++;
	return p;
}

/* Copies plain bytes up to the first that is not, or to end, and returns how many; as many as JSON_COPY_SLACK bytes
 * behind them are written too, and mean nothing. */
enum { JSON_COPY_SLACK = 16 };
static inline size_t json_string_copy(char *out, const char *p, const char *end)
{
	size_t n = 0, left = (size_t)(end - p);

#ifdef __SSE2__
	for (; left - n >= 16; n += 16) {
		unsigned special = json_special16(p + n);
		memcpy(out + n, p + n, 16);
		if (special)
			return n + (size_t)__builtin_ctz(special);
	}
#endif
	for (; left - n >= 8; n += 8) {
		uint64_t special = json_special8(json_load8(p + n));
		memcpy(out + n, p + n, 8);
		if (special)
			return n + (size_t)__builtin_ctzll(special) / 8;
	}
	uint64_t few = json_load_few(p + n, left - n); /* the zero above is special */
	json_store8(out + n, few);
	return n + (size_t)__builtin_ctzll(json_special8(few)) / 8;
}

/* What json_string_read does beyond the first byte that is not plain. */
const char *json_string_read_on(
	const char *p, const char *end, struct json_span *s, struct json_fault *fault);

/* Reads and checks the string whose opening quote is at p. Returns what follows its closing quote, or NULL: then
 * *fault says why. */
static inline const char *json_string_read(
	const char *p, const char *end, struct json_span *s, struct json_fault *fault)
{
	const char *stop = json_string_plain(p + 1, end);

	s->p = p + 1;
	s->escaped = false;
	if (stop < end && *stop == '"') {
		s->n = (size_t)(stop - s->p);
		return stop + 1;
	}
	return json_string_read_on(stop, end, s, fault);
}

/* Pushes what a span with escapes that was read means, as UTF-8. May raise. */
void json_string_push_escaped(lua_State *L, const struct json_span *s);

/* Reads on in the string that starts behind a quote at `start` and is plain up to `stop`, and pushes what it means.
 * Returns what follows its closing quote, or NULL: then *fault says why. May raise. */
const char *json_string_push_on(lua_State *L, const char *start, const char *stop, const char *end,
	struct json_fault *fault);

#endif
