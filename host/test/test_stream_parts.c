/* stream's parts: the lines of a stream in any pieces, the backoff, the words for an end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants the four above. */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "stream_backoff.h"
#include "stream_lines.h"
#include "stream_reason.h"

static void count_event(const char *line, size_t len, void *user)
{
	assert_int_equal(line[0], '{');
	assert_true(len > 2);
	++*(unsigned *)user;
}

/* The same bytes in pieces of each size give the same lines. */
static void lines_in_any_pieces(void **state)
{
	static const char text[] =
		"{}\n{\"Events\":[],\"Index\":7}\n\n{}\r\n{\"Index\":9,\"Events\":[]}\n{\"Ev";
	const size_t len = sizeof(text) - 1;

	(void)state;
	for (size_t piece = 1; piece <= len; piece++) {
		struct stream_lines l;
		unsigned events = 0;

		stream_lines_init(&l, count_event, &events);
		stream_lines_reset(&l, 100);
		for (size_t at = 0; at < len; at += piece)
			assert_true(stream_lines_feed(
				&l, text + at, piece < len - at ? piece : len - at));
		assert_int_equal(events, 2);
		assert_int_equal(l.count, 2);
		assert_int_equal(l.last_index, 9);
		assert_int_equal(l.bytes, len);
		assert_true(l.framed);
		assert_null(l.stray);
		stream_lines_free(&l);
	}
}

static void the_index_of_a_line(void **state)
{
	static const struct {
		const char *line;
		uint64_t index;
	} cases[] = {
		{"{\"Index\":18446744073709551615,\"Events\":[]}\n", UINT64_MAX},
		{"{\"Events\":[{\"Index\":3}],\"Index\":12}\n", 12},
		{"{\"Events\":[{\"Index\":3}]}\n", 0}, /* an event's own is not the line's */
		{"{\"Events\":[]}\n", 0},
		{"{1}\n", 0},
		{"{1234567890}\n", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stream_lines l;
		unsigned events = 0;

		stream_lines_init(&l, count_event, &events);
		stream_lines_reset(&l, 100);
		assert_true(stream_lines_feed(&l, cases[i].line, strlen(cases[i].line)));
		assert_true(l.last_index == cases[i].index);
		stream_lines_free(&l);
	}
}

static void nothing_is_taken_after_a_stray_line(void **state)
{
	static const char text[] = "banana\n{\"Events\":[],\"Index\":7}\n";
	struct stream_lines l;
	unsigned events = 0;

	(void)state;
	stream_lines_init(&l, count_event, &events);
	stream_lines_reset(&l, 100);
	assert_false(stream_lines_feed(&l, text, sizeof(text) - 1));
	assert_string_equal(l.stray, "banana");
	assert_false(l.framed);
	assert_int_equal(events, 0);
	stream_lines_reset(&l, 100);
	assert_null(l.stray);
	assert_true(stream_lines_feed(&l, text + 7, sizeof(text) - 8));
	assert_int_equal(events, 1);
	stream_lines_free(&l);
}

static void the_backoff_doubles_up_to_its_limit(void **state)
{
	static const double ceilings[] = {1, 2, 4, 8, 16, 30, 30};
	double sum = 0;

	(void)state;
	for (unsigned failures = 0; failures < 7; failures++) {
		for (int i = 0; i < 100; i++) {
			double delay = stream_backoff(failures, 1, 30);

			assert_true(delay >= ceilings[failures] * 0.099);
			assert_true(delay <= ceilings[failures] * 1.001);
			sum += delay / ceilings[failures];
		}
	}
	/* 0.55 on the average of 700; anything near it shows that the delays are spread. */
	assert_true(sum / 700 > 0.45 && sum / 700 < 0.65);
	assert_true(stream_backoff(4000000000U, 1, 30) <= 30.1);
}

static char *reason_of_rest(const char *rest)
{
	struct api_result result = {.error = API_OK, .code = "ok", .body = ""};
	struct stream_end end = {.result = &result,
		.address = "http://x:4646",
		.rest = rest,
		.rest_len = strlen(rest)};

	return stream_reason(&end);
}

static void the_words_at_the_end(void **state)
{
	static const struct {
		const char *rest, *says;
	} cases[] = {
		{"", "http://x:4646 ended the event stream; is it being restarted?"},
		{"{\"Events\"", "in the middle of a line, which is dropped"},
		{"subscription closed by server, client should resubscribe",
			"the token or a policy of it has changed"},
		{"ACL token expired", "give a new one with -token"},
		{"event dropped from buffer", "raise event_buffer_size"},
		{"something\nelse", "not events of Nomad (\"something\\nelse\")"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *reason = reason_of_rest(cases[i].rest);

		if (!strstr(reason, cases[i].says))
			fail_msg("\"%s\" does not say \"%s\"", reason, cases[i].says);
		free(reason);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_in_any_pieces),
		cmocka_unit_test(the_index_of_a_line),
		cmocka_unit_test(nothing_is_taken_after_a_stray_line),
		cmocka_unit_test(the_backoff_doubles_up_to_its_limit),
		cmocka_unit_test(the_words_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
