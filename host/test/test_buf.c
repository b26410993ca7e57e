/* test_buf: growth, the limit, what a refused call leaves behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"

static void test_text_of_an_empty_buffer(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	assert_string_equal(buf_text(&b), "");
	assert_true(buf_add(&b, "", 0));
	assert_false(buf_add(&b, "x", 1));
	assert_string_equal(buf_text(&b), "");
	buf_free(&b);
}

static void test_grows_and_keeps_every_byte(void **state)
{
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, 100000);
	for (i = 0; i < 100000; i++) {
		char c = (char)(i % 251);

		assert_true(buf_add(&b, &c, 1));
	}
	assert_int_equal(b.len, 100000);
	for (i = 0; i < b.len; i++)
		assert_int_equal(b.data[i], (char)(i % 251));
	assert_true(b.cap <= 100001);
	buf_free(&b);
}

static void test_limit_refuses_and_keeps(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 5);
	assert_true(buf_add(&b, "abc", 3));
	assert_false(buf_add(&b, "def", 3));
	assert_false(buf_addf(&b, "%d", 123));
	assert_false(buf_add(&b, "def", SIZE_MAX));
	assert_string_equal(buf_text(&b), "abc");
	assert_true(buf_addf(&b, "%s", "de"));
	assert_string_equal(buf_text(&b), "abcde");
	assert_int_equal(b.len, 5);
	buf_free(&b);
}

static void test_addf_formats(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	assert_true(buf_addf(&b, "%s=%d", "count", 42));
	assert_true(buf_addf(&b, "%s", ""));
	assert_true(buf_addf(&b, " %0200d", 7));
	assert_int_equal(b.len, strlen("count=42 ") + 200);
	assert_memory_equal(b.data, "count=42 000", 12);
	buf_free(&b);
}

static void test_drop_from_the_front(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_true(buf_add(&b, "hello world", 11));
	buf_drop(&b, 0);
	assert_string_equal(buf_text(&b), "hello world");
	buf_drop(&b, 6);
	assert_string_equal(buf_text(&b), "world");
	buf_drop(&b, 500);
	assert_string_equal(buf_text(&b), "");
	buf_drop(&b, 1);
	buf_free(&b);
}

static void test_clear_keeps_memory_and_free_does_not(void **state)
{
	struct buf b;
	const char *before;

	(void)state;
	buf_init(&b, 100);
	assert_true(buf_add(&b, "one", 3));
	before = b.data;
	buf_clear(&b);
	assert_int_equal(b.len, 0);
	assert_true(buf_add(&b, "two", 3));
	assert_ptr_equal(b.data, before);
	buf_free(&b);
	assert_null(b.data);
	assert_int_equal(b.cap, 0);
	assert_true(buf_add(&b, "three", 5)); /* can be used again */
	assert_string_equal(buf_text(&b), "three");
	buf_free(&b);
}

static void test_holds_nul_bytes(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	assert_true(buf_add(&b, "a\0b", 3));
	assert_int_equal(b.len, 3);
	assert_memory_equal(buf_text(&b), "a\0b\0", 4);
	buf_free(&b);
}

static void test_strings_of_mem(void **state)
{
	char *text = xasprintf("%s-%d", "job", 7);

	(void)state;
	assert_string_equal(text, "job-7");
	free(text);
	text = xstrndup("abcdef", 3);
	assert_string_equal(text, "abc");
	free(text);
	text = xstrndup("ab", 10);
	assert_string_equal(text, "ab");
	free(text);
	free(xmalloc(0));
	free(xcalloc(0, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_of_an_empty_buffer),
		cmocka_unit_test(test_grows_and_keeps_every_byte),
		cmocka_unit_test(test_limit_refuses_and_keeps),
		cmocka_unit_test(test_addf_formats),
		cmocka_unit_test(test_drop_from_the_front),
		cmocka_unit_test(test_clear_keeps_memory_and_free_does_not),
		cmocka_unit_test(test_holds_nul_bytes),
		cmocka_unit_test(test_strings_of_mem),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
