/* stream: subscribing, frames, the ways in which a stream ends, and what the owner is told. */
#include "stream.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those above. */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "support/loop.h"
#include "support/watcher.h"

#define EVENT "{\"Events\":[{\"Topic\":\"Job\"}],\"Index\":17}"

static bool has_line(void *user)
{
	return ((struct watcher *)user)->lines > 0;
}

/* ---- a stream ---- */

static void the_first_heartbeat_connects(void **state)
{
	struct watcher *w = *state;
	struct stream_status status;

	watcher_reply(w, "/v1/event/stream", LIVE, SERVER_HOLD);
	watcher_start(w);
	assert_int_equal(watcher_status(w).state, STREAM_SUBSCRIBING);
	watcher_until_connected(w, 1);
	status = watcher_status(w);
	assert_int_equal(status.state, STREAM_LIVE);
	assert_int_equal(status.epoch, 1);
	assert_int_equal(w->epoch, 1);
	assert_true(w->live);
	assert_int_equal(status.lines, 0);
	assert_int_equal(status.reconnects, 0);
	assert_int_not_equal(status.local_port, 0);
	assert_true(status.last_frame >= 0);
	assert_string_equal(status.reason, "");
	assert_int_equal(w->wakes, 1);
	assert_int_equal(w->lines, 0);
	assert_non_null(strstr(server_last(w->server),
		"GET "
		"/v1/event/"
		"stream?namespace=%2A&topic=Job&topic=Evaluation&index=9223372036854775807 HTTP"));
	assert_int_equal(watcher_logged(w, "level=info", server_address(w->server)), 1);
}

static void lines_are_given_and_told_of(void **state)
{
	struct watcher *w = *state;
	struct stream_status status;

	watcher_reply(w, "/v1/event/stream", LIVE, SERVER_HOLD);
	watcher_start(w);
	watcher_until_connected(w, 1);
	server_push(w->server, EVENT "\r\n{}\n{\"Index\":18,\"Eve");
	loop_until(w->loop, "a line", has_line, w);
	assert_string_equal(w->last_line, EVENT);
	server_push(w->server, "nts\":[]}\n");
	w->lines = 0;
	loop_until(w->loop, "the other line", has_line, w);
	assert_string_equal(w->last_line, "{\"Index\":18,\"Events\":[]}");
	loop_for(w->loop, 10);
	status = watcher_status(w);
	assert_int_equal(status.lines, 2);
	assert_int_equal(status.last_index, 18);
	assert_true(w->wakes >= 2);
	assert_int_equal(w->connected, 1);
}

static void an_event_can_be_the_first_frame(void **state)
{
	struct watcher *w = *state;
	struct stream_status status;

	server_reply(w->server, "/v1/event/stream",
		(struct server_reply){.bytes = STREAM EVENT "\n", .piece = 1, .end = SERVER_HOLD});
	watcher_start(w);
	watcher_until_connected(w, 1);
	assert_string_equal(w->last_line, EVENT);
	status = watcher_status(w);
	assert_int_equal(status.last_index, 17);
}

static void heartbeats_keep_it_alive(void **state)
{
	struct watcher *w = *state;

	w->options.idle = 1;
	watcher_reply(w, "/v1/event/stream", LIVE, SERVER_HOLD);
	watcher_start(w);
	watcher_until_connected(w, 1);
	/* Two seconds in all, twice the idle timeout. */
	for (int i = 0; i < 5; i++) {
		loop_for(w->loop, 400);
		server_push(w->server, "{}\n");
	}
	assert_int_equal(w->lost, 0);
	assert_int_equal(watcher_status(w).state, STREAM_LIVE);
}

/* ---- ends ---- */

/* Goes live, is ended so, and comes back. */
static void ends(struct watcher *w, const char *bytes, enum server_end end, const char *says)
{
	watcher_reply(w, "/v1/event/stream", bytes, end);
	watcher_reply(w, "/v1/event/stream", LIVE, SERVER_HOLD);
	watcher_start(w);
	watcher_until_lost(w, 1);
	assert_int_equal(w->connected, 1);
	watcher_assert_says(w->reasons[0], says);
	assert_int_equal(watcher_logged(w, "level=warn", "No event stream"), 1);
	watcher_until_connected(w, 2);
	assert_int_equal(w->epoch, 2);
	assert_true(w->live);
	assert_int_equal(w->lost, 1);
}

static void the_server_ends_it(void **state)
{
	ends(*state, LIVE, SERVER_CLOSE, "ended the event stream");
}

static void the_connection_is_reset(void **state)
{
	struct watcher *w = *state;

	watcher_reply(w, "/v1/event/stream", LIVE, SERVER_HOLD);
	watcher_reply(w, "/v1/event/stream", LIVE, SERVER_HOLD);
	watcher_start(w);
	watcher_until_connected(w, 1);
	server_drop(w->server, SERVER_RESET);
	watcher_until_lost(w, 1);
	watcher_assert_says(w->reasons[0], "broke");
	watcher_until_connected(w, 2);
}

static void half_a_line_is_dropped(void **state)
{
	struct watcher *w = *state;

	ends(w, LIVE "{\"Events\":[{\"Top", SERVER_CLOSE,
		"in the middle of a line, which is dropped");
	assert_int_equal(w->lines, 0);
}

static void closed_by_the_server(void **state)
{
	ends(*state, LIVE "subscription closed by server, client should resubscribe", SERVER_CLOSE,
		"(subscription closed by server)");
}

static void the_token_expires(void **state)
{
	ends(*state, LIVE "ACL token expired", SERVER_CLOSE, "the token has expired");
}

static void events_are_dropped(void **state)
{
	ends(*state, LIVE "event dropped from buffer", SERVER_CLOSE, "raise event_buffer_size");
}

static void a_line_that_is_no_event(void **state)
{
	struct watcher *w = *state;

	ends(w, LIVE "hello\x1b[31m\n" EVENT "\n", SERVER_HOLD,
		"not events of Nomad (\"hello\\x1b[31m\")");
	assert_int_equal(w->lines, 0);
}

static void a_line_over_the_limit(void **state)
{
	struct watcher *w = *state;
	char *text = xasprintf("%s{\"Events\":[\"%01000d", LIVE, 0);

	ends(w, text, SERVER_HOLD, "is longer than 1000 bytes; raise -stream-line-max");
	free(text);
}

static void silence(void **state)
{
	struct watcher *w = *state;

	w->options.idle = 0.2;
	watcher_reply(w, "/v1/event/stream", LIVE, SERVER_HOLD);
	watcher_start(w);
	watcher_until_lost(w, 1);
	assert_int_equal(w->connected, 1);
	watcher_assert_says(w->reasons[0], "sent nothing for 0.2 s");
	watcher_until_connected(w, 2);
}

/* ---- beginnings that fail ---- */

/* Never goes live; no loss is told of what never was. */
static void fails(struct watcher *w, const char *says)
{
	watcher_start(w);
	watcher_until_reason(w);
	watcher_assert_says(watcher_status(w).reason, says);
	assert_int_equal(w->connected, 0);
	assert_int_equal(w->lost, 0);
}

static bool has_retried(void *user)
{
	return watcher_status(user).reconnects >= 5;
}

static void the_server_is_not_there_yet(void **state)
{
	struct watcher *w = *state;
	char address[] = "http://127.0.0.1:1";
	char *own = w->config.address;

	w->config.address = address;
	api_reload(w->api, &w->config);
	fails(w, "refuses the connection");
	/* Some retries later it was said once. */
	loop_until(w->loop, "retries", has_retried, w);
	assert_int_equal(watcher_logged(w, "level=warn", "refuses the connection"), 1);
	assert_true(watcher_logged(w, "level=debug", "trying again") >= 2);
	w->config.address = own;
	api_reload(w->api, &w->config);
	watcher_reply(w, "/v1/event/stream", LIVE, SERVER_HOLD);
	watcher_until_connected(w, 1);
}

static void another_server_answers(void **state)
{
	struct watcher *w = *state;

	watcher_reply(w, "",
		"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>",
		SERVER_KEEP);
	fails(w, "answers, but not as Nomad");
}

static void other_lines_come_first(void **state)
{
	struct watcher *w = *state;

	watcher_reply(w, "", STREAM "220 ready\n", SERVER_HOLD);
	fails(w, "not events of Nomad (\"220 ready\")");
}

static void retry_after_is_honoured(void **state)
{
	struct watcher *w = *state;

	watcher_reply(w, "/v1/event/stream",
		"HTTP/1.1 429 Slow\r\nRetry-After: 1\r\nContent-Length: 4\r\n\r\nslow",
		SERVER_KEEP);
	watcher_reply(w, "/v1/event/stream", LIVE, SERVER_HOLD);
	fails(w, "429");
	loop_for(w->loop, 500);
	assert_int_equal(server_requests(w->server, "/v1/event/stream"), 1);
	watcher_until_connected(w, 1);
}

/* ---- the owner's calls ---- */

static bool is_freed(void *user)
{
	return !((struct watcher *)user)->stream;
}

static void free_from_callbacks(void **state)
{
	struct watcher *w = *state;

	watcher_reply(w, "/v1/event/stream", LIVE, SERVER_CLOSE);
	w->free_on_connect = true;
	watcher_start(w);
	loop_until(w->loop, "the end of the first", is_freed, w);
	w->free_on_connect = false;
	w->free_on_lost = true;
	watcher_start(w);
	loop_until(w->loop, "the end of the second", is_freed, w);
	w->free_on_lost = false;
	w->free_on_wake = true;
	watcher_start(w);
	loop_until(w->loop, "the end of the third", is_freed, w);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, watcher_setup, watcher_teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_first_heartbeat_connects),
		TEST(lines_are_given_and_told_of),
		TEST(an_event_can_be_the_first_frame),
		TEST(heartbeats_keep_it_alive),
		TEST(the_server_ends_it),
		TEST(the_connection_is_reset),
		TEST(half_a_line_is_dropped),
		TEST(closed_by_the_server),
		TEST(the_token_expires),
		TEST(events_are_dropped),
		TEST(a_line_that_is_no_event),
		TEST(a_line_over_the_limit),
		TEST(silence),
		TEST(the_server_is_not_there_yet),
		TEST(another_server_answers),
		TEST(other_lines_come_first),
		TEST(retry_after_is_honoured),
		TEST(free_from_callbacks),
	};

	/* As the program does. */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
