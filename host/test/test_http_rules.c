/* http: deadlines, the rules of its callbacks, its connections. */
#include "http.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those above. */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "support/fetch.h"
#include "support/loop.h"

/* ---- deadlines ---- */

static void silence_until_the_total_timeout(void **state)
{
	struct fetch_fixture *f = *state;
	struct fetch g = {.f = f};
	struct http_options o = {.method = "GET", .total_timeout = 0.1};

	server_reply(f->server, "", (struct server_reply){.end = SERVER_HOLD});
	fetch_send(&g, &o, "/x");
	fetch_finish(&g);
	fetch_assert_failure(&g, HTTP_TIMEOUT);
}

/* The last transfer of all times out: nothing further happens on the loop, its end has to be
 * told all the same. */
static void silence_after_the_head(void **state)
{
	struct fetch_fixture *f = *state;
	struct fetch g = {.f = f};
	struct http_options o = {.method = "GET", .idle_timeout = 0.1};

	server_reply(f->server, "",
		(struct server_reply){.bytes = "HTTP/1.1 200 OK\r\n\r\n{}\n", .end = SERVER_HOLD});
	fetch_send(&g, &o, "/x");
	fetch_finish(&g);
	fetch_assert_body(&g, "{}\n");
	fetch_assert_failure(&g, HTTP_IDLE);
	assert_int_equal(g.result.status, 200);
}

static void slow_bytes_are_not_silence(void **state)
{
	struct fetch_fixture *f = *state;
	struct fetch g = {.f = f};
	struct http_options o = {.method = "GET", .idle_timeout = 1};

	/* 59 bytes, 30 ms each: longer than the idle timeout in all; a header line is noticed at
	 * its end. */
	server_reply(f->server, "",
		(struct server_reply){
			.bytes = FETCH_OK("20", "01234567890123456789"), .piece = 1, .pace = 30});
	fetch_send(&g, &o, "/x");
	fetch_finish(&g);
	assert_int_equal(g.result.error, HTTP_OK);
	fetch_assert_body(&g, "01234567890123456789");
}

/* ---- callbacks ---- */

static void a_reader_that_has_enough(void **state)
{
	struct fetch_fixture *f = *state;
	struct fetch g = {.f = f, .stop_at = 3};

	server_reply(f->server, "",
		(struct server_reply){.bytes = FETCH_OK("9", "enough!!!"), .piece = 1});
	fetch_send_get(&g, "/x");
	fetch_finish(&g);
	fetch_assert_body(&g, "eno");
	fetch_assert_failure(&g, HTTP_REJECTED);
}

static bool has_pieces(void *user)
{
	return ((struct fetch *)user)->pieces > 0;
}

static void pause_and_resume(void **state)
{
	struct fetch_fixture *f = *state;
	struct fetch g = {.f = f, .pause = true};
	struct http_options o = {.method = "GET", .idle_timeout = 0.5};

	server_reply(f->server, "",
		(struct server_reply){.bytes = FETCH_OK("10", "abcdefghij"), .piece = 1});
	fetch_send(&g, &o, "/x");
	loop_until(f->loop, "the first bytes", has_pieces, &g);
	/* Longer than the idle timeout: who pauses is not told that the server is silent. */
	loop_for(f->loop, 700);
	assert_int_equal(g.pieces, 1);
	assert_int_equal(g.done, 0);
	http_resume(g.request);
	assert_int_equal(g.pieces, 1); /* not from inside http_resume */
	fetch_finish(&g);
	assert_int_equal(g.result.error, HTTP_OK);
	fetch_assert_body(&g, "abcdefghij");
}

static void a_refusal_after_resume(void **state)
{
	struct fetch_fixture *f = *state;
	struct fetch g = {.f = f, .pause = true, .stop_at = 2};

	server_reply(f->server, "",
		(struct server_reply){.bytes = FETCH_OK("10", "abcdefghij"), .piece = 1});
	fetch_send_get(&g, "/x");
	loop_until(f->loop, "the first bytes", has_pieces, &g);
	loop_for(f->loop, 50);
	http_resume(g.request);
	fetch_finish(&g);
	fetch_assert_failure(&g, HTTP_REJECTED);
}

static void a_request_from_a_done_callback(void **state)
{
	struct fetch_fixture *f = *state;
	struct fetch second = {.f = f}, first = {.f = f, .then = &second};

	server_reply(f->server, "/x", (struct server_reply){.bytes = FETCH_OK("1", "a")});
	server_reply(f->server, "/then", (struct server_reply){.bytes = FETCH_OK("1", "b")});
	fetch_send_get(&first, "/x");
	fetch_finish(&second);
	fetch_assert_body(&first, "a");
	fetch_assert_body(&second, "b");
}

static void cancel_another_from_a_done_callback(void **state)
{
	struct fetch_fixture *f = *state;
	struct fetch silent = {.f = f}, first = {.f = f, .victim = &silent};

	server_reply(f->server, "/silent", (struct server_reply){.end = SERVER_HOLD});
	server_reply(
		f->server, "/x", (struct server_reply){.bytes = FETCH_OK("1", "a"), .piece = 1});
	fetch_send_get(&silent, "/silent");
	fetch_send_get(&first, "/x");
	fetch_finish(&first);
	loop_for(f->loop, 20);
	assert_int_equal(silent.done, 0);
	fetch_assert_body(&first, "a");
}

/* Both end in one turn of the loop: the second is cancelled while it waits to be told. */
static void cancel_what_is_finished_already(void **state)
{
	struct fetch_fixture *f = *state;
	struct fetch second = {.f = f}, first = {.f = f, .victim = &second};
	struct http_options bad = {.method = "GET", .url = "http://"};

	fetch_send(&first, &bad, "");
	fetch_send(&second, &bad, "");
	fetch_finish(&first);
	loop_for(f->loop, 20);
	assert_int_equal(second.done, 0);
	fetch_assert_failure(&first, HTTP_INTERNAL);
}

static void free_from_a_done_callback(void **state)
{
	struct fetch_fixture *f = *state;
	struct fetch silent = {.f = f}, last = {.f = f, .free_http = true};

	server_reply(f->server, "/silent", (struct server_reply){.end = SERVER_HOLD});
	server_reply(f->server, "/x", (struct server_reply){.bytes = FETCH_OK("1", "a")});
	fetch_send_get(&silent, "/silent");
	fetch_send_get(&last, "/x");
	fetch_finish(&last);
	assert_int_equal(silent.done, 0);
	buf_free(&last.body);
}

static void cancel_at_once(void **state)
{
	struct fetch_fixture *f = *state;
	struct fetch g = {.f = f};

	server_reply(f->server, "", (struct server_reply){.bytes = FETCH_OK("1", "a")});
	fetch_send_get(&g, "/x");
	http_cancel(g.request);
	loop_for(f->loop, 20);
	assert_int_equal(g.done, 0);
}

/* ---- beside work that takes its time ---- */

enum {
	BODY = 12 * 1024 * 1024,
	BUFFER = 64 * 1024, /* what is read at once */
	WORK = 20	    /* milliseconds of every turn */
};

static void work(uv_check_t *check)
{
	uint64_t until = uv_hrtime() + WORK * 1000000u;

	++*(unsigned *)check->data;
	while (uv_hrtime() < until)
		;
}

/* As when Lua has much to do: one buffer a turn would be 3 MB/s, and the sender would give up. */
static void more_than_a_buffer_is_read_where_turns_are_long(void **state)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 12582912\r\n\r\n";
	struct fetch_fixture *f = *state;
	struct fetch g = {.f = f};
	static char bytes[sizeof(head) - 1 + BODY]; /* has to outlive the server */
	unsigned turns = 0;
	static uv_check_t check; /* closed after this function */

	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes, head, strlen(head));
	server_reply(f->server, "", (struct server_reply){.bytes = bytes, .len = sizeof(bytes)});
	uv_check_init(f->loop, &check);
	check.data = &turns;
	uv_check_start(&check, work);
	fetch_send_get(&g, "/x");
	fetch_finish(&g);
	assert_int_equal(g.result.error, HTTP_OK);
	assert_int_equal(g.result.received, BODY);
	assert_in_range(turns, 1, BODY / BUFFER / 3);
	buf_free(&g.body);
	uv_close((uv_handle_t *)&check, NULL);
}

/* ---- connections ---- */

enum { MANY = 500 };

static bool all_done(void *user)
{
	struct fetch *g = user;

	for (size_t i = 0; i < MANY; i++) {
		if (g[i].done == 0)
			return false;
	}
	return true;
}

static void many_requests_share_few_connections(void **state)
{
	struct fetch_fixture *f = *state;
	struct fetch *g = xcalloc(MANY, sizeof(*g));

	server_reply(f->server, "", (struct server_reply){.bytes = FETCH_OK("2", "ok")});
	for (size_t i = 0; i < MANY; i++) {
		g[i].f = f;
		fetch_send_get(&g[i], "/x");
	}
	loop_until(f->loop, "500 answers", all_done, g);
	for (size_t i = 0; i < MANY; i++) {
		assert_int_equal(g[i].result.error, HTTP_OK);
		fetch_assert_body(&g[i], "ok");
	}
	assert_int_equal(server_requests(f->server, ""), MANY);
	assert_in_range(server_connections(f->server), 1, 32);
	free(g);
}

static void one_after_another_on_one_connection(void **state)
{
	struct fetch_fixture *f = *state;

	server_reply(f->server, "", (struct server_reply){.bytes = FETCH_OK("2", "ok")});
	for (size_t i = 0; i < 20; i++) {
		struct fetch g = {.f = f};

		fetch_send_get(&g, "/x");
		fetch_finish(&g);
		buf_free(&g.body);
	}
	assert_int_equal(server_connections(f->server), 1);
}

static void a_fresh_connection_is_not_shared(void **state)
{
	struct fetch_fixture *f = *state;

	server_reply(f->server, "", (struct server_reply){.bytes = FETCH_OK("2", "ok")});
	for (size_t i = 0; i < 4; i++) {
		struct fetch g = {.f = f};
		struct http_options o = {.method = "GET", .fresh_connection = i == 1};

		fetch_send(&g, &o, "/x");
		fetch_finish(&g);
		buf_free(&g.body);
	}
	assert_int_equal(server_connections(f->server), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fetch_setup, fetch_teardown)
	const struct CMUnitTest tests[] = {
		TEST(silence_until_the_total_timeout),
		TEST(silence_after_the_head),
		TEST(slow_bytes_are_not_silence),
		TEST(a_reader_that_has_enough),
		TEST(pause_and_resume),
		TEST(a_refusal_after_resume),
		TEST(a_request_from_a_done_callback),
		TEST(cancel_another_from_a_done_callback),
		TEST(cancel_what_is_finished_already),
		TEST(free_from_a_done_callback),
		TEST(cancel_at_once),
		TEST(more_than_a_buffer_is_read_where_turns_are_long),
		TEST(many_requests_share_few_connections),
		TEST(one_after_another_on_one_connection),
		TEST(a_fresh_connection_is_not_shared),
	};

	/* As the program does. */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
