/* stream: where no stream can be had, or nobody says why: the probe and the lists in its place. */
#include "stream.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those above. */
#include <cmocka.h>
#include <string.h>

#include "support/loop.h"
#include "support/watcher.h"

#define DENIED PLAIN("403 Forbidden", "Permission denied")
#define LIST PLAIN("200 OK", "[]")

static void short_patience(struct watcher *w)
{
	w->options.first_frame = 0.1;
}

/* Polls because of the stream's answer; a stream that comes later is taken. */
static void polls(struct watcher *w, const char *bytes, enum server_end end, const char *says)
{
	watcher_reply(w, "/v1/event/stream", bytes, end);
	watcher_reply(w, "/v1/event/stream", bytes, end);
	watcher_reply(w, "/v1/event/stream", LIVE, SERVER_HOLD);
	watcher_start(w);
	watcher_until_connected(w, 1);
	assert_false(w->live);
	assert_int_equal(w->epoch, 1);
	assert_int_equal(watcher_status(w).state, STREAM_POLLING);
	watcher_assert_says(watcher_status(w).reason, says);
	/* The second attempt fails as the first did: nothing new to tell, neither to the owner
	 * nor in the log. */
	watcher_until_connected(w, 2);
	assert_int_equal(server_requests(w->server, "/v1/event/stream"), 3);
	assert_true(w->live);
	assert_int_equal(w->epoch, 2);
	assert_int_equal(w->lost, 0);
	assert_int_equal(watcher_logged(w, "level=warn", "listing instead"), 1);
}

static void http_0_0(void **state)
{
	polls(*state, "HTTP/0.0 200 OK\r\nConnection: close\r\n\r\n{}\n", SERVER_HOLD,
		"Nomad 1.11.2 does (HTTP/0.0); upgrade Nomad to 1.11.3");
}

static void no_event_broker(void **state)
{
	polls(*state, PLAIN("500 Oh", "EventBroker not configured"), SERVER_CLOSE,
		"enable_event_broker");
}

static void no_such_route(void **state)
{
	polls(*state, PLAIN("404 Not Found", ""), SERVER_CLOSE, "has no such object");
}

/* A token that may list but not subscribe: for namespace "*" the stream asks for more than the
 * lists do. */
static void refused_but_lists_are_answered(void **state)
{
	struct watcher *w = *state;

	watcher_reply(w, "/v1/jobs", LIST, SERVER_CLOSE);
	watcher_reply(w, "/v1/evaluations", LIST, SERVER_CLOSE);
	polls(w, DENIED, SERVER_CLOSE, "none was given");
}

static void refused_altogether(void **state)
{
	struct watcher *w = *state;

	watcher_reply(w, "/v1/event/stream", DENIED, SERVER_CLOSE);
	watcher_reply(w, "/v1/event/stream", LIVE, SERVER_HOLD);
	watcher_reply(w, "/v1/jobs", DENIED, SERVER_CLOSE);
	watcher_start(w);
	watcher_until_connected(w, 1);
	assert_true(w->live);
	assert_int_equal(server_requests(w->server, "/v1/jobs"), 1);
	assert_int_equal(watcher_logged(w, "level=warn", "GET /v1/jobs: Nomad at"), 1);
}

/* Since 1.11.2: a refusal is a 200, no bytes, and a connection that stays. */
static void a_refusal_behind_a_200(void **state)
{
	struct watcher *w = *state;
	char token[] = "b2b94094-4e04-4127-0ad3-a1fcb096dcea";

	short_patience(w);
	w->config.token = token;
	api_reload(w->api, &w->config);
	watcher_reply(w, "/v1/event/stream", STREAM, SERVER_HOLD);
	watcher_reply(w, "/v1/jobs", DENIED, SERVER_CLOSE);
	watcher_start(w);
	watcher_until_reason(w);
	watcher_assert_says(watcher_status(w).reason, "stays silent; GET /v1/jobs");
	watcher_assert_says(watcher_status(w).reason, "lacks list-jobs in every namespace");
	assert_int_equal(w->connected, 0);
	assert_non_null(
		strstr(server_last(w->server), "GET /v1/jobs?per_page=1&namespace=%2A HTTP"));
}

static void a_token_without_read_job(void **state)
{
	struct watcher *w = *state;
	char token[] = "b2b94094-4e04-4127-0ad3-a1fcb096dcea";

	short_patience(w);
	w->config.token = token;
	api_reload(w->api, &w->config);
	watcher_reply(w, "/v1/event/stream", STREAM, SERVER_HOLD);
	watcher_reply(w, "/v1/jobs", LIST, SERVER_CLOSE);
	watcher_reply(w, "/v1/evaluations", DENIED, SERVER_CLOSE);
	watcher_start(w);
	watcher_until_reason(w);
	watcher_assert_says(watcher_status(w).reason, "lacks read-job in every namespace");
}

static bool is_waiting(void *user)
{
	return watcher_status(user).state == STREAM_WAITING;
}

/* The connection that a refusal left behind is closed some time later: that is no stream that
 * ended. */
static void a_refusal_that_ends_without_a_line(void **state)
{
	struct watcher *w = *state;

	watcher_reply(w, "/v1/event/stream", STREAM, SERVER_CLOSE);
	watcher_reply(w, "/v1/jobs", DENIED, SERVER_CLOSE);
	watcher_start(w);
	loop_until(w->loop, "the probe's end", is_waiting, w);
	watcher_assert_says(watcher_status(w).reason, "stays silent; GET /v1/jobs");
	assert_int_equal(w->connected, 0);
}

/* Silence that nobody explains is borne once: then lists have to do. */
static void silence_twice(void **state)
{
	struct watcher *w = *state;

	short_patience(w);
	watcher_reply(w, "/v1/event/stream", STREAM, SERVER_HOLD);
	watcher_reply(w, "/v1/jobs", LIST, SERVER_CLOSE);
	watcher_reply(w, "/v1/evaluations", PLAIN("404 Not Found", ""), SERVER_CLOSE);
	watcher_start(w);
	watcher_until_reason(w);
	watcher_assert_says(watcher_status(w).reason, "accepts the subscription and sends nothing");
	watcher_assert_says(watcher_status(w).reason, "read-job in every namespace");
	assert_int_equal(w->connected, 0);
	watcher_until_connected(w, 1);
	assert_false(w->live);
	assert_int_equal(server_requests(w->server, "/v1/event/stream"), 2);
}

static void silence_of_everything(void **state)
{
	struct watcher *w = *state;

	short_patience(w);
	watcher_reply(w, "", NULL, SERVER_HOLD);
	watcher_start(w);
	watcher_until_reason(w);
	watcher_assert_says(watcher_status(w).reason, "GET /v1/jobs: http");
	watcher_assert_says(watcher_status(w).reason, "did not answer within 0.1 s");
}

static void polling_ends_when_nomad_is_gone(void **state)
{
	struct watcher *w = *state;

	watcher_reply(
		w, "/v1/event/stream", PLAIN("500 Oh", "EventBroker not configured"), SERVER_CLOSE);
	watcher_reply(w, "/v1/event/stream", NULL, SERVER_RESET);
	watcher_reply(
		w, "/v1/event/stream", PLAIN("500 Oh", "EventBroker not configured"), SERVER_CLOSE);
	watcher_start(w);
	watcher_until_lost(w, 1);
	watcher_assert_says(w->reasons[0], "broke");
	watcher_until_connected(w, 2);
	assert_false(w->live);
	assert_int_equal(w->epoch, 2);
}

static void free_while_probing(void **state)
{
	struct watcher *w = *state;

	watcher_reply(w, "/v1/event/stream", DENIED, SERVER_CLOSE);
	watcher_reply(w, "/v1/jobs", NULL, SERVER_HOLD);
	watcher_start(w);
	watcher_until_reason(w);
	assert_int_equal(watcher_status(w).state, STREAM_PROBING);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, watcher_setup, watcher_teardown)
	const struct CMUnitTest tests[] = {
		TEST(http_0_0),
		TEST(no_event_broker),
		TEST(no_such_route),
		TEST(refused_but_lists_are_answered),
		TEST(refused_altogether),
		TEST(a_refusal_behind_a_200),
		TEST(a_token_without_read_job),
		TEST(a_refusal_that_ends_without_a_line),
		TEST(silence_twice),
		TEST(silence_of_everything),
		TEST(polling_ends_when_nomad_is_gone),
		TEST(free_while_probing),
	};

	/* As the program does. */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
