/* test_scan: events of a line, single fields, escapes, and the cutter in every chunking. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "scan.h"

static void put_span(struct buf *b, const struct scan_span *s)
{
	char out[256];
	long len;

	if (!s->p) {
		assert_true(buf_addf(b, "-"));
		return;
	}
	assert_true(s->n <= sizeof(out));
	len = scan_unescape(s->p, s->n, out);
	assert_true(len >= 0);
	assert_true(s->escaped || (size_t)len == s->n);
	assert_true(buf_add(b, out, (size_t)len));
}

/* topic,type,key,namespace,index,payload; */
static void note_event(const struct scan_event *e, void *user)
{
	struct buf *b = user;
	const struct scan_span *spans[] = {&e->topic, &e->type, &e->key, &e->ns};
	size_t i;

	for (i = 0; i < 4; i++) {
		put_span(b, spans[i]);
		assert_true(buf_addf(b, ","));
	}
	assert_true(buf_addf(b, "%llu,", (unsigned long long)e->index));
	assert_true(buf_addf(b, "%.*s;", e->payload.p ? (int)e->payload.n : 1,
		e->payload.p ? e->payload.p : "-"));
}

/* The same text, with nothing readable behind it. */
static char *exact(const char *text, size_t len)
{
	char *copy = xmalloc(len);

	memcpy(copy, text, len);
	return copy;
}

static void check_line(
	const char *line, enum scan_line expected, uint64_t index, const char *events)
{
	struct buf seen;
	uint64_t got = 99;
	char *copy = exact(line, strlen(line));

	buf_init(&seen, 100000);
	if (scan_events(copy, strlen(line), &got, note_event, &seen) != expected)
		fail_msg("%s: not what was expected", line);
	assert_string_equal(buf_text(&seen), events);
	if (expected != SCAN_NOT_JSON)
		assert_int_equal(got, index);
	buf_free(&seen);
	free(copy);
}

static void test_line_as_nomad_sends_it(void **state)
{
	(void)state;
	check_line(
		"{\"Events\":[{\"FilterKeys\":null,\"Index\":29,\"Key\":\"backup\",\"Namespace\":"
		"\"default\",\"Payload\":{\"Job\":{\"ID\":\"backup\",\"Stop\":false}},\"Topic\":"
		"\"Job\",\"Type\":\"JobRegistered\"}],\"Index\":30}",
		SCAN_EVENTS, 30,
		"Job,JobRegistered,backup,default,29,{\"Job\":{\"ID\":\"backup\",\"Stop\":false}}"
		";");
}

static void test_keys_in_any_order(void **state)
{
	(void)state;
	check_line("{\"Index\":7,\"Events\":[{\"Topic\":\"T\",\"Payload\":{},\"Type\":\"Y\"}]}",
		SCAN_EVENTS, 7, "T,Y,-,-,7,{};");
	check_line(
		"{\"Events\":[{\"Payload\":[1,{\"Topic\":\"no\"}],\"Topic\":\"T\"}],\"Index\":7}",
		SCAN_EVENTS, 7, "T,-,-,-,7,[1,{\"Topic\":\"no\"}];");
	check_line(" { \"Index\" : 7 , \"Events\" : [ { \"Topic\" : \"T\" } , { } ] } \r",
		SCAN_EVENTS, 7, "T,-,-,-,7,-;-,-,-,-,7,-;");
}

static void test_names_inside_a_payload_are_not_the_events(void **state)
{
	(void)state;
	check_line(
		"{\"Events\":[{\"Topic\":\"Job\",\"Payload\":{\"Topic\":\"x\",\"Key\":\"}]\",\"a\":"
		"\"\\\"Type\\\":\\\"y\\\"\",\"Index\":1},\"Key\":\"k\"}],\"Index\":2}",
		SCAN_EVENTS, 2,
		"Job,-,k,-,2,{\"Topic\":\"x\",\"Key\":\"}]\",\"a\":\"\\\"Type\\\":\\\"y\\\"\","
		"\"Index\":1};");
}

static void test_escapes(void **state)
{
	(void)state;
	check_line("{\"Events\":[{\"\\u0054opic\":\"J\\u006fb\",\"Key\":\"a\\\"b\\\\\"}],"
		   "\"\\u0049ndex\":3}",
		SCAN_EVENTS, 3, "Job,-,a\"b\\,-,3,-;");
	check_line("{\"Events\":[{\"Topic\\\\\":\"no\",\"Topic\":\"\\/\"}],\"Index\":3}",
		SCAN_EVENTS, 3, "/,-,-,-,3,-;");
	check_line("{\"Events\":[{\"Key\":\"\\ud83d\\ude00\"}],\"Index\":3}", SCAN_EVENTS, 3,
		"-,-,\xf0\x9f\x98\x80,-,3,-;");
	check_line("{\"Events\":[{\"Key\":\"\\x41\"}],\"Index\":3}", SCAN_NOT_JSON, 0, "");
	check_line("{\"Events\":[{\"Key\":\"\\u12\"}],\"Index\":3}", SCAN_NOT_JSON, 0, "");
}

static void test_last_of_doubled_keys_wins(void **state)
{
	(void)state;
	check_line("{\"Events\":[{\"Key\":\"a\"}],\"Index\":1,\"Events\":[{\"Key\":\"b\",\"Key\":"
		   "\"c\"}],"
		   "\"Index\":2}",
		SCAN_EVENTS, 2, "-,-,c,-,2,-;");
}

static void test_index(void **state)
{
	(void)state;
	check_line("{\"Index\":18446744073709551615,\"Events\":[{}]}", SCAN_EVENTS, UINT64_MAX,
		"-,-,-,-,18446744073709551615,-;");
	check_line("{\"Index\":18446744073709551616,\"Events\":[{}]}", SCAN_NOT_JSON, 0, "");
	check_line("{\"Index\":-1,\"Events\":[{}]}", SCAN_NOT_JSON, 0, "");
	check_line("{\"Index\":1.5,\"Events\":[{}]}", SCAN_NOT_JSON, 0, "");
	check_line("{\"Index\":\"1\",\"Events\":[{}]}", SCAN_NOT_JSON, 0, "");
	check_line("{\"Index\":5}", SCAN_EVENTS, 5, "");
	check_line("{\"Index\":5,\"Events\":null}", SCAN_EVENTS, 5, "");
	check_line("{\"Events\":[{\"Index\":null}],\"Index\":5}", SCAN_EVENTS, 5, "-,-,-,-,5,-;");
}

static void test_heartbeat(void **state)
{
	(void)state;
	check_line("{}", SCAN_HEARTBEAT, 0, "");
	check_line(" { } ", SCAN_HEARTBEAT, 0, "");
	check_line("{\"Events\":null,\"Index\":0}", SCAN_HEARTBEAT, 0, "");
}

static void test_not_json(void **state)
{
	static const char *const lines[] = {"", " ", "Permission denied", "{", "}", "[]", "null",
		"\"{}\"", "{}x", "{}{}", "{,}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}",
		"{\"a\":1 \"b\":2}", "{a:1}", "{\"Events\":{}}", "{\"Events\":[1]}",
		"{\"Events\":[{}],}", "{\"Events\":[{},]}", "{\"Events\":[{}{}]}",
		"{\"Events\":[{]}}", "{\"Events\":[{\"Key\":1}]}", "{\"Events\":[{\"Key\":tru}]}",
		"{\"Events\":[{\"Payload\":{[}]}]}", "{\"Events\":[{\"Payload\":{}",
		"{\"Events\":[{\"Payload\":01}]}", "{\"errors\":[\"no such page\"]}", "<html>"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		check_line(lines[i], SCAN_NOT_JSON, 0, "");
}

static void test_every_truncation_is_not_json(void **state)
{
	const char *line =
		"{\"Index\":29,\"Events\":[{\"Payload\":{\"a\":[\"x\\\"\",{}]},\"Key\":\"k\","
		"\"Topic\":\"Job\"},{\"Index\":3}]}";
	size_t len;

	(void)state;
	for (len = 0; len < strlen(line); len++) {
		struct buf seen;
		uint64_t index;
		char *copy = exact(line, len);

		buf_init(&seen, 1000);
		assert_int_equal(scan_events(copy, len, &index, note_event, &seen), SCAN_NOT_JSON);
		assert_int_equal(seen.len, 0);
		buf_free(&seen);
		free(copy);
	}
}

static void test_many_events(void **state)
{
	struct buf line, expected;
	int i;

	(void)state;
	buf_init(&line, 100000);
	buf_init(&expected, 100000);
	assert_true(buf_addf(&line, "{\"Events\":["));
	for (i = 0; i < 500; i++) {
		assert_true(buf_addf(&line, "%s{\"Key\":\"k%d\",\"Payload\":{\"n\":%d}}",
			i > 0 ? "," : "", i, i));
		assert_true(buf_addf(&expected, "-,-,k%d,-,9,{\"n\":%d};", i, i));
	}
	assert_true(buf_addf(&line, "],\"Index\":9}"));
	check_line(buf_text(&line), SCAN_EVENTS, 9, buf_text(&expected));
	/* Nothing is called when only the end shows that the line is broken. */
	buf_text(&line);
	line.data[line.len - 1] = ']';
	check_line(buf_text(&line), SCAN_NOT_JSON, 0, "");
	buf_free(&line);
	buf_free(&expected);
}

static void deep_line(struct buf *line, int depth)
{
	int i;

	assert_true(buf_addf(line, "{\"Index\":1,\"Events\":[{\"Payload\":"));
	for (i = 0; i < depth; i++)
		assert_true(buf_addf(line, "["));
	for (i = 0; i < depth; i++)
		assert_true(buf_addf(line, "]"));
	assert_true(buf_addf(line, "}]}"));
}

static void test_depth_is_limited(void **state)
{
	struct buf line, seen;
	uint64_t index;

	(void)state;
	buf_init(&line, 300000);
	buf_init(&seen, 300000);
	deep_line(&line, 1024);
	assert_int_equal(
		scan_events(buf_text(&line), line.len, &index, note_event, &seen), SCAN_EVENTS);
	buf_clear(&line);
	deep_line(&line, 100000);
	assert_int_equal(
		scan_events(buf_text(&line), line.len, &index, note_event, &seen), SCAN_NOT_JSON);
	buf_free(&line);
	buf_free(&seen);
}

/* An escaped quote after an escaped quote: the time must not grow with the square of the length. */
static void test_a_long_string_of_escapes(void **state)
{
	size_t n = 2 * 1024 * 1024, i;
	char *text = xmalloc(n + 8);
	struct scan_span value;

	(void)state;
	memcpy(text, "{\"a\":\"", 6);
	for (i = 0; i < n / 2; i++)
		memcpy(text + 6 + 2 * i, i % 2 ? "\\\"" : "\\\\", 2);
	memcpy(text + 6 + n, "\"}", 2);
	value = scan_field(text, n + 8, "a");
	assert_int_equal(value.n, n);
	assert_true(value.escaped);
	free(text);
}

static void check_field(const char *text, const char *name, const char *expected)
{
	char *copy = exact(text, strlen(text));
	struct scan_span s = scan_field(copy, strlen(text), name);

	if (!expected) {
		assert_null(s.p);
	} else {
		assert_non_null(s.p);
		assert_int_equal(s.n, strlen(expected));
		if (s.n > 0)
			assert_memory_equal(s.p, expected, s.n);
	}
	free(copy);
}

static void test_field(void **state)
{
	const char *job = "{\"ID\":\"web\",\"Meta\":{\"ID\":\"no\"},\"Stop\":false,\"N\":-1.5e3,"
			  "\"L\":[1,[2]],"
			  "\"E\":\"\",\"Nil\":null}";

	(void)state;
	check_field(job, "ID", "web");
	check_field(job, "Meta", "{\"ID\":\"no\"}");
	check_field(job, "Stop", "false");
	check_field(job, "N", "-1.5e3");
	check_field(job, "L", "[1,[2]]");
	check_field(job, "E", "");
	check_field(job, "Nil", "null");
	check_field(job, "I", NULL);
	check_field(job, "IDx", NULL);
	check_field("{\"a\":1,\"a\":2}", "a", "2");
	check_field("{\"\\u0061\":1}", "a", "1");
	check_field("{\"\\u0061b\":1}", "a", NULL);
	check_field("{\"a\":1", "a", NULL);
	check_field("{\"a\":1}}", "a", NULL);
	check_field("{\"a\":1x}", "a", NULL);
	check_field("[]", "a", NULL);
	check_field("", "a", NULL);
	check_field("{}", "a", NULL);
}

static void check_unescape(const char *text, const char *expected, size_t len)
{
	char *copy = exact(text, strlen(text));
	char *out = xmalloc(strlen(text));

	assert_int_equal(scan_unescape(copy, strlen(text), out), (long)len);
	if (len > 0)
		assert_memory_equal(out, expected, len);
	free(copy);
	free(out);
}

static void test_unescape(void **state)
{
	static const char *const bad[] = {
		"\\", "a\\", "\\a", "\\u", "\\u123", "\\u12g4", "\\U0041"};
	char out[16];
	size_t i;

	(void)state;
	check_unescape("", "", 0);
	check_unescape("plain", "plain", 5);
	check_unescape("\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t", 8);
	check_unescape("\\u0000x", "\0x", 2);
	check_unescape("\\u00e9\\u20AC", "\xc3\xa9\xe2\x82\xac", 5);
	check_unescape("\\uD83D\\uDE00", "\xf0\x9f\x98\x80", 4);
	check_unescape("\\udbff\\udfff", "\xf4\x8f\xbf\xbf", 4);
	check_unescape("\\ud83d", "\xef\xbf\xbd", 3);
	check_unescape("\\ud83d\\u0041",
		"\xef\xbf\xbd"
		"A",
		4);
	check_unescape("\\ude00\\ud83d", "\xef\xbf\xbd\xef\xbf\xbd", 6);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(scan_unescape(bad[i], strlen(bad[i]), out), -1);
}

static void note_element(const char *text, size_t len, void *user)
{
	struct buf *b = user;

	assert_true(buf_addf(b, "<%.*s>", (int)len, text));
}

/* The outcome must be the same however the text is cut into pieces. */
static void check_cut(const char *text, size_t max, enum scan_cut expected, const char *elements)
{
	size_t size;

	for (size = 1; size <= strlen(text) + 1; size++) {
		struct buf seen;
		struct scan_cutter *c;
		enum scan_cut result = SCAN_CUT_MORE;
		size_t at, len;

		buf_init(&seen, 100000);
		c = scan_cutter_new(max, note_element, &seen);
		for (at = 0; at < strlen(text); at += len) {
			char *piece;

			len = strlen(text) - at < size ? strlen(text) - at : size;
			piece = exact(text + at, len);
			result = scan_cutter_feed(c, piece, len);
			free(piece);
		}
		if (result != expected)
			fail_msg("%s in pieces of %zu: %d", text, size, (int)result);
		assert_string_equal(buf_text(&seen), elements);
		scan_cutter_free(c);
		buf_free(&seen);
	}
}

static void test_cut_elements(void **state)
{
	(void)state;
	check_cut("[]", 100, SCAN_CUT_DONE, "");
	check_cut(" \n[ ] \n", 100, SCAN_CUT_DONE, "");
	check_cut("[{\"ID\":\"a\"},{\"ID\":\"b\"}]", 100, SCAN_CUT_DONE,
		"<{\"ID\":\"a\"}><{\"ID\":\"b\"}>");
	check_cut("[ {} ,\n[] , \"x\" ,1 , null,true ]", 100, SCAN_CUT_DONE,
		"<{}><[]><\"x\"><1><null><true>");
	check_cut("[{\"a\":\"]},[\\\"\\\\\"},\"\\\\\\\"\",\"\"]", 100, SCAN_CUT_DONE,
		"<{\"a\":\"]},[\\\"\\\\\"}><\"\\\\\\\"\"><\"\">");
	check_cut("[[[{}]],{\"a\":[{}]}]", 100, SCAN_CUT_DONE, "<[[{}]]><{\"a\":[{}]}>");
}

static void test_cut_wants_more(void **state)
{
	(void)state;
	check_cut("", 100, SCAN_CUT_MORE, "");
	check_cut("  ", 100, SCAN_CUT_MORE, "");
	check_cut("[{\"a\":1},", 100, SCAN_CUT_MORE, "<{\"a\":1}>");
	check_cut("[{\"a\":1},{\"b\":\"", 100, SCAN_CUT_MORE, "<{\"a\":1}>");
	check_cut("[12", 100, SCAN_CUT_MORE, "");
	check_cut("[\"a\\", 100, SCAN_CUT_MORE, "");
}

static void test_cut_refuses_what_is_no_array(void **state)
{
	(void)state;
	check_cut("{}", 100, SCAN_CUT_NOT_ARRAY, "");
	check_cut("<html>", 100, SCAN_CUT_NOT_ARRAY, "");
	check_cut("null", 100, SCAN_CUT_NOT_ARRAY, "");
	check_cut("[,]", 100, SCAN_CUT_NOT_ARRAY, "");
	check_cut("[1,]", 100, SCAN_CUT_NOT_ARRAY, "<1>");
	check_cut("[1 2]", 100, SCAN_CUT_NOT_ARRAY, "<1>");
	check_cut("[{}}", 100, SCAN_CUT_NOT_ARRAY, "<{}>");
	check_cut("[{]", 100, SCAN_CUT_NOT_ARRAY, "");
	check_cut("[nul]", 100, SCAN_CUT_NOT_ARRAY, "");
	check_cut("[1}", 100, SCAN_CUT_NOT_ARRAY, "<1>");
	check_cut("[]x", 100, SCAN_CUT_NOT_ARRAY, "");
	check_cut("[{}] []", 100, SCAN_CUT_NOT_ARRAY, "<{}>");
	check_cut("[{}]\n{\"more\":1}", 100, SCAN_CUT_NOT_ARRAY, "<{}>");
}

static void test_cut_limit(void **state)
{
	(void)state;
	check_cut("[{\"a\":1},{\"ab\":1}]", 7, SCAN_CUT_TOO_LONG, "<{\"a\":1}>");
	check_cut("[1234567,12345678]", 7, SCAN_CUT_TOO_LONG, "<1234567>");
	check_cut("[\"12345\",\"123456\"]", 7, SCAN_CUT_TOO_LONG, "<\"12345\">");
	check_cut("[{\"a\":123456]", 7, SCAN_CUT_TOO_LONG, "");
	check_cut("[{\"a\":1]", 7, SCAN_CUT_NOT_ARRAY, "");
	check_cut("[  1   ,   2  ]", 1, SCAN_CUT_DONE, "<1><2>");
}

static void test_cut_large_elements_give_memory_back(void **state)
{
	size_t size = 3 * 1024 * 1024, at;
	char *text = xmalloc(size);
	struct buf seen;
	struct scan_cutter *c;

	(void)state;
	memset(text, 'x', size);
	text[0] = '[';
	text[1] = '"';
	text[size - 2] = '"';
	text[size - 1] = ',';
	buf_init(&seen, 2 * size);
	c = scan_cutter_new(size, note_element, &seen);
	for (at = 0; at < size; at += 65536)
		assert_int_equal(scan_cutter_feed(c, text + at, 65536), SCAN_CUT_MORE);
	assert_int_equal(seen.len, size - 2 + 2);
	assert_int_equal(scan_cutter_feed(c, "7]", 2), SCAN_CUT_DONE);
	scan_cutter_free(c);
	scan_cutter_free(NULL);
	buf_free(&seen);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line_as_nomad_sends_it),
		cmocka_unit_test(test_keys_in_any_order),
		cmocka_unit_test(test_names_inside_a_payload_are_not_the_events),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_last_of_doubled_keys_wins),
		cmocka_unit_test(test_index),
		cmocka_unit_test(test_heartbeat),
		cmocka_unit_test(test_not_json),
		cmocka_unit_test(test_every_truncation_is_not_json),
		cmocka_unit_test(test_many_events),
		cmocka_unit_test(test_depth_is_limited),
		cmocka_unit_test(test_a_long_string_of_escapes),
		cmocka_unit_test(test_field),
		cmocka_unit_test(test_unescape),
		cmocka_unit_test(test_cut_elements),
		cmocka_unit_test(test_cut_wants_more),
		cmocka_unit_test(test_cut_refuses_what_is_no_array),
		cmocka_unit_test(test_cut_limit),
		cmocka_unit_test(test_cut_large_elements_give_memory_back),
	};

	return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
