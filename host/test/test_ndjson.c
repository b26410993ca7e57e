/* test_ndjson: the same lines come out however the bytes are cut up, and the limit holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "ndjson.h"

/* Every line is written down as <line>. */
static void note(const char *line, size_t len, void *user)
{
	struct buf *seen = user;

	assert_true(buf_addf(seen, "<%.*s>", (int)len, line));
}

/* Feeds text in pieces of `size` bytes; returns whether all were taken. */
static bool feed(struct ndjson *n, const char *text, size_t len, size_t size)
{
	bool ok = true;

	while (len > 0) {
		size_t piece = len < size ? len : size;
		/* A copy of its own, so that a sanitizer sees a read beyond the piece. */
		char *copy = xmalloc(piece);

		memcpy(copy, text, piece);
		ok = ndjson_feed(n, copy, piece);
		free(copy);
		text += piece;
		len -= piece;
	}
	return ok;
}

static void check(const char *text, size_t max, const char *lines, const char *rest, bool expected)
{
	size_t size;

	for (size = 1; size <= strlen(text) + 1; size++) {
		struct buf seen;
		struct ndjson *n;
		const char *left;
		size_t len;

		buf_init(&seen, 10000);
		n = ndjson_new(max, note, &seen);
		assert_int_equal(feed(n, text, strlen(text), size), expected);
		assert_string_equal(buf_text(&seen), lines);
		left = ndjson_rest(n, &len);
		assert_int_equal(len, strlen(rest));
		assert_memory_equal(left, rest, len);
		ndjson_free(n);
		buf_free(&seen);
	}
}

static void test_lines(void **state)
{
	(void)state;
	check("{}\n", 100, "<{}>", "", true);
	check("{}\n{\"a\":1}\n", 100, "<{}><{\"a\":1}>", "", true);
	check("\n\n", 100, "<><>", "", true);
	check("a\r\nb\rc\r\n\r\n", 100, "<a><b\rc><>", "", true);
}

static void test_rest(void **state)
{
	(void)state;
	check("{}\n{\"Eve", 100, "<{}>", "{\"Eve", true);
	check("{}\nPermission denied", 100, "<{}>", "Permission denied", true);
	check("a\n\r", 100, "<a>", "\r", true);
}

static void test_limit(void **state)
{
	(void)state;
	check("12345\n12345\n", 5, "<12345><12345>", "", true);
	check("1\n123456\n2\n", 5, "<1>", "", false);
	check("1\n1234567", 5, "<1>", "", false);
	check("12345\r\n", 5, "", "", false); /* the CR counts */
	check("1234\r\n", 5, "<1234>", "", true);
	check("x", 0, "", "", false);
	check("\n", 0, "<>", "", true);
}

static void test_reset_after_a_long_line(void **state)
{
	struct buf seen;
	struct ndjson *n;
	size_t len;

	(void)state;
	buf_init(&seen, 1000);
	n = ndjson_new(3, note, &seen);
	assert_false(ndjson_feed(n, "abcd", 4));
	assert_false(ndjson_feed(n, "\nx\n", 3));
	assert_string_equal(buf_text(&seen), "");
	ndjson_reset(n);
	assert_true(ndjson_feed(n, "ab\ncd", 5));
	assert_string_equal(buf_text(&seen), "<ab>");
	ndjson_reset(n); /* a new connection: half a line of the old one is gone */
	ndjson_rest(n, &len);
	assert_int_equal(len, 0);
	assert_true(ndjson_feed(n, "e\n", 2));
	assert_string_equal(buf_text(&seen), "<ab><e>");
	ndjson_free(n);
	buf_free(&seen);
}

static void count_bytes(const char *line, size_t len, void *user)
{
	size_t *total = user;
	size_t i;

	for (i = 0; i < len; i++)
		assert_int_equal(line[i], 'j');
	*total += len;
}

static void test_a_huge_line(void **state)
{
	size_t total = 0, size = 5 * 1024 * 1024, i;
	struct ndjson *n = ndjson_new(size, count_bytes, &total);
	char *piece = xmalloc(65536);

	(void)state;
	memset(piece, 'j', 65536);
	for (i = 0; i < size / 65536; i++)
		assert_true(ndjson_feed(n, piece, 65536));
	assert_int_equal(total, 0);
	assert_true(ndjson_feed(n, "\n", 1));
	assert_int_equal(total, size);
	assert_true(ndjson_feed(n, "jj\n", 3));
	assert_int_equal(total, size + 2);
	free(piece);
	ndjson_free(n);
	ndjson_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_rest),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_reset_after_a_long_line),
		cmocka_unit_test(test_a_huge_line),
	};

	return cmocka_run_group_tests_name("ndjson", tests, NULL, NULL);
}
