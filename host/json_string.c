/* json_string: finding the end of a JSON string, and undoing its escapes. */
#include "json_string.h"

#include <lauxlib.h>

#include "backslash.h"
#include "hex.h"
#include "mem.h"

/* Bytes of a string that are unescaped while it is read, and how many of them one step may need. */
enum { LOCAL_SIZE = 4096, LOCAL_SLACK = 32 };

/* How many hex digits are at p, at most four; *value gets what they are worth. */
static int hex4(const char *p, const char *end, uint32_t *value)
{
	int count = 0;

	*value = 0;
	while (count < 4 && p + count < end && hex_value(p[count]) >= 0) {
		*value = *value * 16 + (uint32_t)hex_value(p[count]);
		count++;
	}
	return count;
}

/* What the letter after a backslash means; NUL if nothing. */
static char escaped_char(char letter)
{
	static const char meant[256] = {['"'] = '"',
		['\\'] = '\\',
		['/'] = '/',
		['b'] = '\b',
		['f'] = '\f',
		['n'] = '\n',
		['r'] = '\r',
		['t'] = '\t'};

	return meant[(unsigned char)letter];
}

/* Passes the escape at p; NULL if it is none: then *fault says why. */
static const char *pass_escape(const char *p, const char *end, struct json_fault *fault)
{
	uint32_t value;

	p++;
	if (p < end && *p == 'u') {
		int digits = hex4(p + 1, end, &value);
		fault->where = p + 1 + digits;
		fault->expected = "four hex digits after '\\u'";
		return digits == 4 ? p + 5 : NULL;
	}
	fault->where = p;
	fault->expected = "one of \" \\ / b f n r t u after a backslash";
	return p < end && escaped_char(*p) ? p + 1 : NULL;
}

#ifdef __SSE2__
enum { BLOCK = 64 };

/* A block of text, a bit for each byte. */
struct block {
	uint64_t backslash, quote, control;
	uint64_t letter; /* of an escape, without u */
};

static inline __m128i equal16(__m128i text, char c)
{
	return _mm_cmpeq_epi8(text, _mm_set1_epi8(c));
}

static inline uint64_t bits(__m128i marked, int shift)
{
	return (uint64_t)(uint32_t)_mm_movemask_epi8(marked) << shift;
}

static inline struct block read_block(const char *p)
{
	struct block b = {0, 0, 0, 0};

	for (int i = 0; i < BLOCK; i += 16) {
		__m128i text = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
		__m128i backslash = equal16(text, '\\'), quote = equal16(text, '"');
		__m128i self = _mm_or_si128(_mm_or_si128(backslash, quote), equal16(text, '/'));
		__m128i bfn = _mm_or_si128(
			_mm_or_si128(equal16(text, 'b'), equal16(text, 'f')), equal16(text, 'n'));
		__m128i rt = _mm_or_si128(equal16(text, 'r'), equal16(text, 't'));

		b.backslash |= bits(backslash, i);
		b.quote |= bits(quote, i);
		b.control |= bits(_mm_cmpeq_epi8(_mm_min_epu8(text, _mm_set1_epi8(0x1F)), text), i);
		b.letter |= bits(_mm_or_si128(self, _mm_or_si128(bfn, rt)), i);
	}
	return b;
}
#endif

/* Passes what is plain and the escapes of one letter, as long as a block can be looked at in one step. Returns the first
 * place that is neither, or from where on that has to be told byte by byte. */
static const char *pass_blocks(const char *p, const char *end)
{
	bool carry = false; /* the backslash before p escapes it */

#ifdef __SSE2__
	for (; end - p >= BLOCK; p += BLOCK) {
		struct block b = read_block(p);
		uint64_t escaped = backslash_escaped(b.backslash, BLOCK, &carry);
		uint64_t stop = b.control | (b.quote & ~escaped) | (escaped & ~b.letter);

		if (stop) {
			int i = __builtin_ctzll(stop);

			return p + i - (escaped >> i & 1);
		}
	}
#endif
	return json_string_plain(p - carry, end);
}

const char *json_string_read_on(
	const char *p, const char *end, struct json_span *s, struct json_fault *fault)
{
	s->escaped = true; /* if it is not that, it is a fault */
	for (;;) {
		p = pass_blocks(p, end);
		if (p < end && *p == '"') {
			s->n = (size_t)(p - s->p);
			return p + 1;
		}
		fault->where = p;
		if (p == end) {
			fault->expected = "the closing '\"' of a string";
			return NULL;
		}
		if (*p != '\\') {
			fault->expected = "control characters in strings to be escaped";
			return NULL;
		}
		p = pass_escape(p, end, fault);
		if (!p)
			return NULL;
	}
}

static size_t utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xC0 | (c >> 6));
		out[1] = (char)(0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xE0 | (c >> 12));
		out[1] = (char)(0x80 | ((c >> 6) & 0x3F));
		out[2] = (char)(0x80 | (c & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | (c >> 18));
	out[1] = (char)(0x80 | ((c >> 12) & 0x3F));
	out[2] = (char)(0x80 | ((c >> 6) & 0x3F));
	out[3] = (char)(0x80 | (c & 0x3F));
	return 4;
}

/* The code point of the \u escape at *p, which it passes. Half a surrogate pair is U+FFFD, as in Go. */
static uint32_t code_point(const char **p, const char *end)
{
	uint32_t c, low;

	(void)hex4(*p + 2, end, &c);
	*p += 6;
	if (c < 0xD800 || c > 0xDFFF)
		return c;
	if (c < 0xDC00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u') {
		(void)hex4(*p + 2, end, &low);
		if (low >= 0xDC00 && low <= 0xDFFF) {
			*p += 6;
			return 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
		}
	}
	return 0xFFFD;
}

/* Writes what the escape at *p means, and passes it. It has been checked. */
static size_t unescape(char *out, const char **p, const char *end)
{
	char meant = escaped_char((*p)[1]);

	if (!meant)
		return utf8(out, code_point(p, end));
	*p += 2;
	*out = meant;
	return 1;
}

void json_string_push_escaped(lua_State *L, const struct json_span *s)
{
	const char *end = s->p + s->n, *p = s->p;
	luaL_Buffer b;
	/* Unescaped is never longer. */
	char *out = luaL_buffinitsize(L, &b, s->n + JSON_COPY_SLACK);
	size_t n = 0;

	while (p < end) {
		size_t run = json_string_copy(out + n, p, end);
		n += run;
		p += run;
		if (p < end)
			n += unescape(out + n, &p, end);
	}
	luaL_pushresultsize(&b, n);
}

const char *json_string_push_on(lua_State *L, const char *start, const char *stop, const char *end,
	struct json_fault *fault)
{
	char local[LOCAL_SIZE] UNINITIALIZED;
	struct json_span s = {.p = start};
	size_t n = (size_t)(stop - start);
	const char *p = stop;

	if (n < LOCAL_SIZE - LOCAL_SLACK)
		memcpy(local, start, n);
	while (n < LOCAL_SIZE - LOCAL_SLACK && p < end && *p == '\\') {
		if (!pass_escape(p, end, fault))
			return NULL;
		n += unescape(local + n, &p, end);
		size_t room = LOCAL_SIZE - LOCAL_SLACK / 2 - n;
		size_t run =
			json_string_copy(local + n, p, (size_t)(end - p) < room ? end : p + room);
		n += run;
		p += run;
	}
	if (p < end && *p == '"' && n < LOCAL_SIZE - LOCAL_SLACK) {
		lua_pushlstring(L, local, n);
		return p + 1;
	}
	p = json_string_read_on(p, end, &s, fault);
	if (p)
		json_string_push_escaped(L, &s);
	return p;
}
