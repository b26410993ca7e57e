/* scan_skip: how the scanner passes over a value of any depth without recursion. */
#include "scan_skip.h"

#include <string.h>

#include "scan_block.h"

bool scan_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

const char *scan_skip_space(const char *p, const char *end)
{
	while (p < end && scan_is_space(*p))
		p++;
	return p;
}

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

static bool nest_open(struct scan_nest *n, bool object)
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

static bool nest_close(struct scan_nest *n, bool object)
{
	unsigned level = n->depth - 1;

	if (n->depth == 0 || (n->open[level / 64] >> level % 64 & 1) != (object ? 1 : 0))
		return false;
	n->depth = level;
	return true;
}

/* The bytes that a backslash stands before, of which an odd number of backslashes stand before them. *carry: the
 * same for the byte before the block, then for the one after its first `len`. Backslashes are rare. */
static uint64_t after_backslashes(uint64_t backslash, unsigned len, bool *carry)
{
	uint64_t after = *carry ? 1 : 0;
	bool beyond = false;

	backslash &= ~after;
	while (backslash) {
		unsigned at = (unsigned)__builtin_ctzll(backslash);
		uint64_t next = at == SCAN_BLOCK - 1 ? 0 : (uint64_t)2 << at;

		beyond = beyond || at + 1 == len;
		after |= next;
		backslash &= backslash - 1;
		backslash &= ~next;
	}
	*carry = beyond;
	return after;
}

/* From each bit on, up to the next one: 1. */
static uint64_t between_bits(uint64_t bits)
{
	for (int shift = 1; shift < SCAN_BLOCK; shift *= 2)
		bits ^= bits << shift;
	return bits;
}

/* The brackets of a block of `len` bytes at p that are not in strings, in order. */
static enum scan_step nest_block(
	struct scan_nest *n, const struct scan_block *b, const char **at, unsigned len)
{
	const char *p = *at;
	uint64_t quote = b->quote, strings, brackets;

	if (b->backslash || n->after_backslash)
		quote &= ~after_backslashes(b->backslash, len, &n->after_backslash);
	strings = between_bits(quote) ^ (n->in_string ? UINT64_MAX : 0);
	n->in_string = strings >> (SCAN_BLOCK - 1);
	for (brackets = (b->open | b->close) & ~strings; brackets; brackets &= brackets - 1) {
		unsigned bit = (unsigned)__builtin_ctzll(brackets);
		bool object = (p[bit] & SCAN_BRACKET_BIT) != 0;

		*at = p + bit;
		if (!(b->open >> bit & 1 ? nest_open(n, object) : nest_close(n, object)))
			return SCAN_STEP_BAD;
		if (n->depth == 0) {
			++*at;
			return SCAN_STEP_END;
		}
	}
	*at = p + len;
	return SCAN_STEP_MORE;
}

void scan_nest_begin(struct scan_nest *n)
{
	n->depth = 0;
	n->in_string = false;
	n->after_backslash = false;
}

enum scan_step scan_nest_skip(struct scan_nest *n, const char **at, const char *end)
{
	enum scan_step step = SCAN_STEP_MORE;
	struct scan_block block;
	char last[SCAN_BLOCK];

	while (step == SCAN_STEP_MORE && end - *at >= SCAN_BLOCK) {
		block = scan_block_read(*at);
		step = nest_block(n, &block, at, SCAN_BLOCK);
	}
	if (step == SCAN_STEP_MORE && *at < end) {
		unsigned len = (unsigned)(end - *at);

		memset(last, ' ', sizeof(last));
		memcpy(last, *at, len);
		block = scan_block_read(last);
		step = nest_block(n, &block, at, len);
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
	return is_number(p, len) || scan_text_is(p, len, "true") || scan_text_is(p, len, "false") ||
	       scan_text_is(p, len, "null");
}

bool scan_ends_scalar(char c)
{
	return c == ',' || c == ']' || c == '}' || scan_is_space(c);
}
