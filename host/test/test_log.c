/* test_log: the three formats, escaping, and that a secret gets out in none of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"

/* A log and what it has written. */
struct sink {
	struct log *log;
	FILE *file;
	char *text;
	size_t size;
};

static void sink_open(struct sink *s, enum log_level level, enum log_format format)
{
	s->file = open_memstream(&s->text, &s->size);
	assert_non_null(s->file);
	s->log = log_new(s->file, level, format);
}

static void sink_close(struct sink *s)
{
	log_free(s->log);
	fclose(s->file);
	free(s->text);
}

static struct log_field field(const char *name, const char *value)
{
	struct log_field f = {name, value, strlen(value), false};

	return f;
}

static void say(struct sink *s, enum log_level level, const char *message)
{
	log_record(s->log, level, message, strlen(message), NULL, 0);
}

/* Checks that a record is `before`, a time of now's century, and `after`. */
static void assert_record(const char *text, const char *before, const char *after)
{
	const char *time = text + strlen(before);
	const char *shape = "20NN-NN-NNTNN:NN:NN.NNNZ";
	size_t i;

	assert_true(strlen(text) > strlen(before) + strlen(shape));
	assert_memory_equal(text, before, strlen(before));
	for (i = 0; shape[i]; i++) {
		if (shape[i] == 'N')
			assert_in_range(time[i], '0', '9');
		else
			assert_int_equal(time[i], shape[i]);
	}
	assert_string_equal(time + strlen(shape), after);
}

static void test_text(void **state)
{
	struct log_field fields[] = {field("key", "value"), field("other", "with space"),
		field("empty", ""), field("quote", "a\"b\\c"), field("odd", "x=y")};
	struct sink s;

	(void)state;
	sink_open(&s, LOG_DEBUG, LOG_TEXT);
	say(&s, LOG_INFO, "connected");
	say(&s, LOG_WARN, "careful");
	say(&s, LOG_DEBUG, "detail");
	log_record(s.log, LOG_ERROR, "went wrong", 10, fields, 5);
	log_printf(s.log, LOG_INFO, "%d %s", 3, "jobs");
	assert_string_equal(s.text, "connected\n"
				    "warn: careful\n"
				    "debug: detail\n"
				    "error: went wrong  key=value other=\"with space\" empty=\"\" "
				    "quote=\"a\\\"b\\\\c\" odd=\"x=y\"\n"
				    "3 jobs\n");
	sink_close(&s);
}

static void test_logfmt(void **state)
{
	struct log_field fields[] = {field("key", "default/web"), field("error", "no \"x\"\n")};
	struct sink s;

	(void)state;
	sink_open(&s, LOG_INFO, LOG_LOGFMT);
	log_record(s.log, LOG_WARN, "a \"b\"\nc", 7, fields, 2);
	assert_record(s.text, "ts=",
		" level=warn msg=\"a \\\"b\\\"\\nc\" key=default/web error=\"no \\\"x\\\"\\n\"\n");
	sink_close(&s);
}

static void test_json(void **state)
{
	struct log_field fields[] = {field("key", "a\x1b[31m"), field("msg", "own"),
		field("bad name\"", "\xff\xc3\xa9\xc2\x9b")};
	struct sink s;

	(void)state;
	sink_open(&s, LOG_INFO, LOG_JSON);
	log_record(s.log, LOG_INFO, "a \"b\"\n", 6, fields, 3);
	assert_record(s.text, "{\"time\":\"",
		"\",\"level\":\"info\",\"msg\":\"a \\\"b\\\"\\n\",\"key\":\"a\\u001b[31m\","
		"\"field_msg\":\"own\",\"bad_name_\":\"\\\\xff\xc3\xa9\\u009b\"}\n");
	sink_close(&s);
}

static void test_literals(void **state)
{
	struct log_field fields[] = {field("n", "15"), field("yes", "true"), field("text", "15"),
		field("pin", "4711"), field("none", "")};
	size_t i;
	struct sink s;

	(void)state;
	for (i = 0; i < 5; i++)
		fields[i].literal = i != 2;
	sink_open(&s, LOG_INFO, LOG_JSON);
	log_secret(s.log, "4711");
	log_record(s.log, LOG_INFO, "m", 1, fields, 5);
	assert_non_null(strstr(s.text, "\"msg\":\"m\",\"n\":15,\"yes\":true,\"text\":\"15\","
				       "\"pin\":\"(hidden)\",\"none\":\"\"}\n"));
	sink_close(&s);
}

static void test_levels(void **state)
{
	struct sink s;
	enum log_level level;

	(void)state;
	sink_open(&s, LOG_WARN, LOG_TEXT);
	assert_true(log_enabled(s.log, LOG_ERROR));
	assert_true(log_enabled(s.log, LOG_WARN));
	assert_false(log_enabled(s.log, LOG_INFO));
	assert_int_equal(log_format(s.log), LOG_TEXT);
	say(&s, LOG_INFO, "quiet");
	log_printf(s.log, LOG_DEBUG, "quiet");
	log_block(s.log, "quiet\n", 6);
	say(&s, LOG_WARN, "loud");
	assert_string_equal(s.text, "warn: loud\n");
	assert_true(log_level_parse("debug", &level));
	assert_int_equal(level, LOG_DEBUG);
	assert_false(log_level_parse("DEBUG", &level));
	assert_false(log_level_parse("", &level));
	sink_close(&s);
}

static void test_format_names(void **state)
{
	enum log_format format;

	(void)state;
	assert_true(log_format_parse("text", &format));
	assert_int_equal(format, LOG_TEXT);
	assert_true(log_format_parse("logfmt", &format));
	assert_int_equal(format, LOG_LOGFMT);
	assert_true(log_format_parse("json", &format));
	assert_int_equal(format, LOG_JSON);
	assert_false(log_format_parse("xml", &format));
}

static void check_escape(const char *text, size_t len, const char *expected)
{
	char *got = log_escape(text, len);

	assert_string_equal(got, expected);
	free(got);
}

static void test_escape(void **state)
{
	(void)state;
	check_escape("", 0, "");
	check_escape("a\nb\tc\rd", 7, "a\\nb\\tc\\rd");
	check_escape("\x1b[2J\x7f\0", 6, "\\x1b[2J\\x7f\\x00");
	check_escape("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", 14,
		"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
	check_escape("\xc2\x9b[2J", 5, "\\xc2\\x9b[2J"); /* CSI as one C1 character */
	check_escape("\xc2\xa0", 2, "\xc2\xa0");
	check_escape("\xff\xc3", 2, "\\xff\\xc3");
	check_escape("\xc0\x8a", 2, "\\xc0\\x8a"); /* overlong newline */
	check_escape("\xe0\x80\x8a", 3, "\\xe0\\x80\\x8a");
	check_escape("\xed\xa0\x80", 3, "\\xed\\xa0\\x80"); /* surrogate */
	check_escape("\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80");
	check_escape("\xe2\x82", 2, "\\xe2\\x82");
	check_escape("C:\\n \"x\"", 8, "C:\\n \"x\"");
}

static void test_foreign_text_stays_on_its_line(void **state)
{
	struct log_field f = field("key", "web\nerror: forged\x1b[2J");
	struct sink s;

	(void)state;
	sink_open(&s, LOG_INFO, LOG_TEXT);
	log_record(s.log, LOG_INFO, "job \"x\n\x1b]0;", 11, &f, 1);
	assert_string_equal(s.text, "job \"x\\n\\x1b]0;  key=\"web\\nerror: forged\\x1b[2J\"\n");
	sink_close(&s);
}

static void test_block(void **state)
{
	struct sink s;

	(void)state;
	sink_open(&s, LOG_INFO, LOG_TEXT);
	log_secret(s.log, "s3cret-token");
	log_block(s.log, "==> a\x1b[0m\n    b s3cret-token\n", 29);
	log_block(s.log, "", 0);
	log_block(s.log, "no newline", 10);
	assert_string_equal(s.text, "==> a\\x1b[0m\n    b (hidden)\nno newline\n");
	sink_close(&s);
}

static void test_block_is_a_record_where_lines_are(void **state)
{
	struct sink s;

	(void)state;
	sink_open(&s, LOG_INFO, LOG_JSON);
	log_block(s.log, "==> a\n--> Done\n", 15);
	assert_record(
		s.text, "{\"time\":\"", "\",\"level\":\"info\",\"msg\":\"==> a\\n--> Done\\n\"}\n");
	sink_close(&s);
}

static void test_trace_is_readable(void **state)
{
	struct log_field fields[] = {
		field("trace", "stack traceback:\n\t[C]: in ?\n\n\ta\x1b.lua:1"),
		field("key", "k")};
	struct sink s;

	(void)state;
	sink_open(&s, LOG_INFO, LOG_TEXT);
	log_record(s.log, LOG_ERROR, "failed", 6, fields, 2);
	log_record(s.log, LOG_INFO, "only", 4, fields, 1);
	assert_string_equal(s.text, "error: failed  key=k\n"
				    "    stack traceback:\n"
				    "      [C]: in ?\n"
				    "    \n"
				    "      a\\x1b.lua:1\n"
				    "only\n"
				    "    stack traceback:\n"
				    "      [C]: in ?\n"
				    "    \n"
				    "      a\\x1b.lua:1\n");
	sink_close(&s);
}

/* Whatever the format and wherever it is put, the secret is not in what comes out. */
static void check_hidden(const char *secret, const char *text, enum log_format format)
{
	struct log_field fields[] = {field("a", text), field("b", secret), field("trace", text)};
	struct sink s;

	sink_open(&s, LOG_INFO, format);
	log_secret(s.log, NULL);
	log_secret(s.log, "");
	log_secret(s.log, secret);
	log_record(s.log, LOG_ERROR, text, strlen(text), fields, 3);
	log_printf(s.log, LOG_ERROR, "%s", text);
	log_block(s.log, text, strlen(text));
	assert_null(strstr(s.text, secret));
	assert_non_null(strstr(s.text, "(hidden)"));
	assert_non_null(strstr(s.text, "before"));
	assert_non_null(strstr(s.text, "after"));
	sink_close(&s);
}

static void test_secrets_are_hidden(void **state)
{
	static const enum log_format formats[] = {LOG_TEXT, LOG_LOGFMT, LOG_JSON};
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		check_hidden("0fe1c2d3-aaaa", "before 0fe1c2d3-aaaa after", formats[i]);
		check_hidden("0fe1c2d3-aaaa", "before0fe1c2d3-aaaa0fe1c2d3-aaaaafter", formats[i]);
		check_hidden("pass\"word", "before pass\"word after", formats[i]);
		check_hidden("pass\"word", "before pass\\\"word after", formats[i]);
		check_hidden("a\\b", "before a\\b after", formats[i]);
		check_hidden("q", "before q after", formats[i]);
	}
}

/* In a message that was made elsewhere, the secret may be escaped already. */
static void test_escaped_secrets_are_hidden(void **state)
{
	static const char *const forms[] = {
		"-a\"\x1b-b-", "-a\"\\x1b-b-", "-a\\\"\\x1b-b-", "-a\\\"\\u001b-b-"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct sink s;

		sink_open(&s, LOG_INFO, LOG_TEXT);
		log_secret(s.log, "a\"\x1b-b");
		say(&s, LOG_INFO, forms[i]);
		assert_string_equal(s.text, "-(hidden)-\n");
		sink_close(&s);
	}
}

static void test_secrets_that_overlap(void **state)
{
	struct sink s;

	(void)state;
	sink_open(&s, LOG_INFO, LOG_TEXT);
	log_secret(s.log, "abcdef");
	log_secret(s.log, "cdefgh");
	log_secret(s.log, "ab");
	say(&s, LOG_INFO, "-abcdefgh-ab-abcde-cdefgh");
	assert_string_equal(s.text, "-(hidden)-(hidden)-(hidden)cde-(hidden)\n");
	sink_close(&s);
}

static void test_secret_put_together_from_fields(void **state)
{
	struct log_field fields[] = {field("b", "cdef"), field("c", "x")};
	struct sink s;

	(void)state;
	sink_open(&s, LOG_INFO, LOG_TEXT);
	log_secret(s.log, "tok  b=cdef c=x");
	log_record(s.log, LOG_INFO, "my tok", 6, fields, 2);
	assert_string_equal(s.text, "my (hidden)\n");
	sink_close(&s);
}

static void test_secret_at_the_edge_of_a_cut_value(void **state)
{
	size_t size = 64 * 1024 + 6;
	char *text = xmalloc(size + 1);
	struct sink s;

	(void)state;
	memset(text, 'x', size);
	memcpy(text + 64 * 1024 - 6, "0123456789ab", 12);
	text[size] = '\0';
	sink_open(&s, LOG_INFO, LOG_TEXT);
	log_secret(s.log, "0123456789ab");
	say(&s, LOG_INFO, text);
	assert_null(strstr(s.text, "0123"));
	assert_non_null(strstr(s.text, "x(hidde... (2 more bytes)\n"));
	sink_close(&s);
	free(text);
}

static void test_huge_records_are_cut(void **state)
{
	size_t size = 3 * 1024 * 1024, i;
	struct log_field fields[50];
	char *text = xmalloc(size);
	struct sink s;

	(void)state;
	memset(text, 1, size);
	for (i = 0; i < 50; i++)
		fields[i] = (struct log_field){"f", text, size, false};
	sink_open(&s, LOG_INFO, LOG_JSON);
	log_record(s.log, LOG_INFO, text, size, fields, 50);
	log_block(s.log, text, size);
	assert_true(s.size < 4 * 1024 * 1024);
	assert_non_null(strstr(s.text, "more bytes)\",\"cut\":\"true\"}\n"));
	assert_string_equal(s.text + s.size - 3, "\"}\n");
	sink_close(&s);
	free(text);
}

/* A datagram is one write: a record that was written in two would come in two. */
static void test_one_write_a_record(void **state)
{
	char value[20000], text[40000];
	struct log_field f = {"key", value, sizeof(value), false};
	struct log *log;
	FILE *out;
	int fds[2], i;

	(void)state;
	memset(value, 'v', sizeof(value));
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	out = fdopen(fds[1], "w");
	assert_non_null(out);
	log = log_new(out, LOG_INFO, LOG_LOGFMT);
	for (i = 0; i < 2; i++) {
		const char *end = " level=info msg=\"hello\" key=vvvv";
		ssize_t n;

		log_record(log, LOG_INFO, "hello", 5, &f, 1);
		n = recv(fds[0], text, sizeof(text), MSG_DONTWAIT);
		assert_int_equal(n, 27 + strlen(end) - 4 + sizeof(value) + 1);
		assert_memory_equal(text, "ts=20", 5);
		assert_memory_equal(text + 27, end, strlen(end));
		assert_int_equal(text[n - 1], '\n');
		assert_int_equal(recv(fds[0], text, sizeof(text), MSG_DONTWAIT), -1);
	}
	log_free(log);
	fclose(out);
	close(fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_logfmt),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_literals),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_format_names),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_foreign_text_stays_on_its_line),
		cmocka_unit_test(test_block),
		cmocka_unit_test(test_block_is_a_record_where_lines_are),
		cmocka_unit_test(test_trace_is_readable),
		cmocka_unit_test(test_secrets_are_hidden),
		cmocka_unit_test(test_escaped_secrets_are_hidden),
		cmocka_unit_test(test_secrets_that_overlap),
		cmocka_unit_test(test_secret_put_together_from_fields),
		cmocka_unit_test(test_secret_at_the_edge_of_a_cut_value),
		cmocka_unit_test(test_huge_records_are_cut),
		cmocka_unit_test(test_one_write_a_record),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
