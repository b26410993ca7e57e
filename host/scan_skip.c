/* scan_skip: how the scanner passes over a value of any depth without recursion. */
#include "scan_skip.h"

#include <string.h>

#include "backslash.h"
#include "scan_block.h"

/* The quote that ends a string, from a place in it that no backslash stands before. Backslashes are counted back
 * from each quote, and never past the quote before it: the work stays linear. */
static const char *escaped_end(const char *p, const char *end)
{
	while (p < end) {
		const char *quote = memchr(p, '"', (size_t)(end - p));
		const char *q = quote;

		if (!quote)
			return NULL;
		while (q > p && q[-1] == '\\')
			q--;
		if ((quote - q) % 2 == 0)
			return quote;
		p = quote + 1;
	}
	return NULL;
}

/* The first quote or backslash; `end` where there is none. */
static const char *special(const char *p, const char *end)
{
#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');

	for (; end - p >= 16; p += 16) {
		__m128i bytes = _mm_loadu_si128((const void *)p);
		int found = _mm_movemask_epi8(_mm_or_si128(
			_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)));

		if (found)
			return p + __builtin_ctz((unsigned)found);
	}
#endif
	while (p < end && *p != '"' && *p != '\\')
		p++;
	return p;
}

const char *scan_string_end(const char *p, const char *end, bool *escaped)
{
	p = special(p, end);
	*escaped = p < end && *p == '\\';
	if (*escaped)
		return escaped_end(p, end);
	return p < end ? p : NULL;
}

/* True when text ends with a backslash that is not escaped itself. */
static bool ends_in_backslash(const char *p, const char *end)
{
	const char *q = end;

	while (q > p && q[-1] == '\\')
		q--;
	return (end - q) % 2 != 0;
}

const char *scan_nest_string(struct scan_nest *n, const char *p, const char *end)
{
	const char *quote;
	bool escaped;

	if (n->after_backslash && p < end) {
		p++;
		n->after_backslash = false;
	}
	quote = scan_string_end(p, end, &escaped);
	if (quote) {
		n->in_string = false;
		return quote + 1;
	}
	if (p < end)
		n->after_backslash = ends_in_backslash(p, end);
	return end;
}

static inline bool nest_open(struct scan_nest *n, bool object)
{
	uint64_t bit = (uint64_t)1 << n->depth % 64;

	if (n->depth == SCAN_DEPTH_MAX)
		return false;
	if (object)
		n->open[n->depth / 64] |= bit;
	else
		n->open[n->depth / 64] &= ~bit;
	n->depth++;
	return true;
}

static inline bool nest_close(struct scan_nest *n, bool object)
{
	unsigned level = n->depth - 1;

	if (n->depth == 0 || (n->open[level / 64] >> level % 64 & 1) != (object ? 1 : 0))
		return false;
	n->depth = level;
	return true;
}

/* The quotes of a block of `len` bytes that begin and end strings. */
static inline uint64_t real_quotes(struct scan_nest *n, const struct scan_block *b, unsigned len)
{
	if (!b->backslash && !n->after_backslash)
		return b->quote;
	return b->quote & ~backslash_escaped(b->backslash, len, &n->after_backslash);
}

/* The value that begins at n->from ends here. */
static inline void nest_note(struct scan_nest *n, const char *end)
{
	size_t len = n->from ? (size_t)(end - n->from) : 0;

	if (len > n->longest) {
		n->longest = len;
		n->at = n->from;
	}
}

/* The brackets of a block of `len` bytes at p that are not in strings, in order. `strings`: which bytes are between
 * quotes, were the first one outside. */
static inline enum scan_step nest_block(struct scan_nest *n, const struct scan_block *b,
	uint64_t strings, const char **at, unsigned len)
{
	const char *p = *at;
	uint64_t brackets;

	strings ^= n->in_string ? UINT64_MAX : 0;
	n->in_string = strings >> (SCAN_BLOCK - 1);
	for (brackets = b->bracket & ~strings; brackets; brackets &= brackets - 1) {
		const char *bracket = p + __builtin_ctzll(brackets);
		bool object = (*bracket & SCAN_BRACKET_BIT) != 0;

		if (*bracket & SCAN_CLOSING_BIT) {
			*at = bracket;
			if (!nest_close(n, object))
				return SCAN_STEP_BAD;
			if (n->depth == 0) {
				++*at;
				return SCAN_STEP_END;
			}
			if (n->depth == SCAN_NOTED)
				nest_note(n, bracket + 1);
		} else {
			if (n->depth == SCAN_NOTED)
				n->from = bracket;
			if (!nest_open(n, object)) {
				*at = bracket;
				return SCAN_STEP_BAD;
			}
		}
	}
	*at = p + len;
	return SCAN_STEP_MORE;
}

static inline enum scan_step skip_block(
	struct scan_nest *n, const char *p, const char **at, unsigned len)
{
	struct scan_block b = scan_block_read(p);

	return nest_block(n, &b, scan_between_bits(real_quotes(n, &b, len)), at, len);
}

static enum scan_step skip_blocks(struct scan_nest *n, const char **at, const char *end)
{
	enum scan_step step = SCAN_STEP_MORE;

	while (step == SCAN_STEP_MORE && end - *at >= SCAN_BLOCK)
		step = skip_block(n, *at, at, SCAN_BLOCK);
	return step;
}

#ifdef SCAN_WIDE
SCAN_WIDE static enum scan_step skip_blocks_wide(
	struct scan_nest *n, const char **at, const char *end)
{
	enum scan_step step = SCAN_STEP_MORE;

	while (step == SCAN_STEP_MORE && end - *at >= SCAN_BLOCK) {
		struct scan_block b = scan_block_read_wide(*at);
		uint64_t strings = scan_between_bits_wide(real_quotes(n, &b, SCAN_BLOCK));

		step = nest_block(n, &b, strings, at, SCAN_BLOCK);
	}
	return step;
}
#endif

void scan_nest_begin(struct scan_nest *n)
{
	n->depth = 0;
	n->in_string = false;
	n->after_backslash = false;
	n->at = NULL;
	n->longest = 0;
}

enum scan_step scan_nest_skip(struct scan_nest *n, const char **at, const char *end)
{
	enum scan_step step;
	SCAN_UNSET char last[SCAN_BLOCK];

	n->from = NULL;
#ifdef SCAN_WIDE
	if (scan_block_is_wide())
		step = skip_blocks_wide(n, at, end);
	else
#endif
		step = skip_blocks(n, at, end);
	if (step == SCAN_STEP_MORE && *at < end) {
		unsigned len = (unsigned)(end - *at);

		memset(last, ' ', sizeof(last));
		memcpy(last, *at, len);
		step = skip_block(n, last, at, len);
	}
	return step;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *digits(const char *p, const char *end)
{
	while (p < end && is_digit(*p))
		p++;
	return p;
}

static bool is_number(const char *p, size_t len)
{
	const char *end = p + len;
	const char *start;

	if (p < end && *p == '-')
		p++;
	start = p;
	p = digits(p, end);
	if (p == start || (*start == '0' && p - start > 1))
		return false;
	if (p < end && *p == '.') {
		start = ++p;
		p = digits(p, end);
		if (p == start)
			return false;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		start = p;
		p = digits(p, end);
		if (p == start)
			return false;
	}
	return p == end;
}

bool scan_text_is(const char *p, size_t len, const char *word)
{
	return len == strlen(word) && memcmp(p, word, len) == 0;
}

bool scan_is_scalar(const char *p, size_t len)
{
	switch (len > 0 ? *p : '\0') {
	case 't':
		return len == 4 && memcmp(p, "true", 4) == 0;
	case 'f':
		return len == 5 && memcmp(p, "false", 5) == 0;
	case 'n':
		return len == 4 && memcmp(p, "null", 4) == 0;
	default:
		return is_number(p, len);
	}
}
