/* stream_set: streams of several namespaces told of as one, and new ones that are there before the
 * old ones are closed. */
#include "stream_set.h"

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

#define PATH "/v1/event/stream"
#define DENIED PLAIN("403 Forbidden", "Permission denied")
#define EVENT "{\"Events\":[{\"Topic\":\"Job\"}],\"Index\":17}\n"

static const char *const all[] = {"*", NULL};
static const char *const two[] = {"a", "b", NULL};

/* The watcher's stream is not used: the set tells this one. */
struct owner {
	struct watcher *w;
	struct stream_set *set;
	unsigned connected, lost, lines;
	bool live;
	bool restart_on_lost;
};

static void on_connected(uint64_t epoch, bool live, void *user)
{
	struct owner *o = user;

	o->connected++;
	o->live = live;
	assert_int_equal(epoch, o->connected);
}

static void on_lost(const char *reason, void *user)
{
	struct owner *o = user;

	assert_true(strlen(reason) > 0);
	o->lost++;
	if (o->restart_on_lost)
		stream_set_restart(o->set, &o->w->options, all);
}

static void on_line(const char *line, size_t len, void *user)
{
	(void)line;
	(void)len;
	((struct owner *)user)->lines++;
}

static void on_wake(void *user)
{
	(void)user;
}

static struct owner *owner_of(void **state)
{
	return *state;
}

static int setup(void **state)
{
	struct owner *o = xcalloc(1, sizeof(*o));

	(void)watcher_setup(state);
	o->w = *state;
	*state = o;
	return 0;
}

static int teardown(void **state)
{
	struct owner *o = *state;
	void *watcher = o->w;

	stream_set_free(o->set);
	free(o);
	return watcher_teardown(&watcher);
}

static void start(struct owner *o, const char *const *namespaces)
{
	static const struct stream_callbacks cb = {
		on_connected, on_lost, NULL, on_line, on_wake, NULL};

	o->set = stream_set_new(
		o->w->loop, o->w->api, o->w->log, &o->w->options, namespaces, &cb, o);
	stream_set_start(o->set);
}

static struct stream_status status_of(const struct owner *o)
{
	struct stream_status status;

	stream_set_status(o->set, &status);
	return status;
}

struct goal {
	const unsigned *count;
	unsigned wanted;
};

static bool is_reached(void *user)
{
	const struct goal *goal = user;

	return *goal->count >= goal->wanted;
}

static void until(struct owner *o, const unsigned *count, unsigned wanted)
{
	struct goal goal = {count, wanted};

	loop_until(o->w->loop, "the news", is_reached, &goal);
	assert_int_equal(*count, wanted);
}

static unsigned subscriptions(const struct owner *o)
{
	return server_requests(o->w->server, PATH);
}

static void is_connected_when_each_has_its_stream(void **state)
{
	struct owner *o = owner_of(state);

	watcher_reply(o->w, PATH, LIVE, SERVER_HOLD);
	watcher_reply(o->w, PATH, STREAM, SERVER_HOLD);
	start(o, two);
	loop_for(o->w->loop, 200);
	assert_int_equal(subscriptions(o), 2);
	assert_int_equal(o->connected, 0);
	assert_int_equal(status_of(o).state, STREAM_SUBSCRIBING);
	server_push(o->w->server, "{}\n");
	until(o, &o->connected, 1);
	assert_true(o->live);
	assert_int_equal(status_of(o).state, STREAM_LIVE);
	assert_int_equal(status_of(o).reconnects, 0);
	server_push(o->w->server, EVENT);
	until(o, &o->lines, 2);
	assert_int_equal(status_of(o).lines, 2);
	assert_int_equal(status_of(o).last_index, 17);
}

static bool was_probed(void *user)
{
	return strstr(status_of(user).reason, "/v1/jobs") != NULL;
}

static void is_connected_although_one_is_refused(void **state)
{
	struct owner *o = owner_of(state);

	watcher_reply(o->w, PATH, LIVE, SERVER_HOLD);
	watcher_reply(o->w, PATH, DENIED, SERVER_CLOSE);
	watcher_reply(o->w, "/v1/jobs", DENIED, SERVER_CLOSE);
	start(o, two);
	until(o, &o->connected, 1);
	assert_true(o->live);
	assert_int_not_equal(status_of(o).state, STREAM_LIVE);
	assert_true(status_of(o).connected);
	assert_false(status_of(o).denied);
	loop_until(o->w->loop, "the refusal to be looked into", was_probed, o);
	loop_for(o->w->loop, 200);
	assert_true(subscriptions(o) > 2);
	assert_int_equal(o->connected, 1);
	assert_int_equal(o->lost, 0);
}

static void is_lost_with_the_last_one(void **state)
{
	struct owner *o = owner_of(state);

	o->w->options.backoff_base = o->w->options.backoff_max = 1000;
	watcher_reply(o->w, PATH, LIVE, SERVER_HOLD);
	start(o, two);
	until(o, &o->connected, 1);
	server_drop(o->w->server, SERVER_RESET);
	until(o, &o->lost, 1);
	assert_int_equal(o->connected, 1);
	/* A restart does not wait for what is not there. */
	stream_set_restart(o->set, &o->w->options, all);
	until(o, &o->connected, 2);
}

/* The old stream gives its lines until the new one is there. */
static void makes_before_it_breaks(void **state)
{
	struct owner *o = owner_of(state);
	int port;

	watcher_reply(o->w, PATH, LIVE, SERVER_HOLD);
	watcher_reply(o->w, PATH, STREAM, SERVER_HOLD);
	start(o, all);
	until(o, &o->connected, 1);
	port = status_of(o).local_port;
	stream_set_restart(o->set, &o->w->options, two);
	loop_for(o->w->loop, 200);
	assert_int_equal(subscriptions(o), 3);
	assert_int_equal(o->connected, 1);
	assert_int_equal(status_of(o).state, STREAM_LIVE);
	assert_int_equal(status_of(o).local_port, port);
	server_push(o->w->server, "{}\n");
	until(o, &o->connected, 2);
	assert_int_equal(o->lost, 0);
	assert_int_not_equal(status_of(o).local_port, port);
	assert_int_equal(status_of(o).reconnects, 1);
	o->lines = 0;
	server_push(o->w->server, EVENT);
	until(o, &o->lines, 2);
	loop_for(o->w->loop, 50);
	assert_int_equal(o->lines, 2);
}

static void the_newest_restart_counts(void **state)
{
	struct owner *o = owner_of(state);

	watcher_reply(o->w, PATH, LIVE, SERVER_HOLD);
	start(o, all);
	until(o, &o->connected, 1);
	stream_set_restart(o->set, &o->w->options, two);
	stream_set_restart(o->set, &o->w->options, all);
	until(o, &o->connected, 2);
	loop_for(o->w->loop, 100);
	assert_int_equal(o->connected, 2);
	server_push(o->w->server, EVENT);
	until(o, &o->lines, 1);
}

/* What cannot be had is no reason to give up what there is. */
static void a_restart_that_is_refused_leaves_the_old_one(void **state)
{
	struct owner *o = owner_of(state);

	watcher_reply(o->w, PATH, LIVE, SERVER_HOLD);
	watcher_reply(o->w, PATH, DENIED, SERVER_CLOSE);
	watcher_reply(o->w, "/v1/jobs", DENIED, SERVER_CLOSE);
	start(o, all);
	until(o, &o->connected, 1);
	stream_set_restart(o->set, &o->w->options, two);
	loop_until(o->w->loop, "the refusal to be looked into", was_probed, o);
	assert_int_equal(o->connected, 1);
	assert_int_equal(o->lost, 0);
	assert_int_equal(status_of(o).state, STREAM_LIVE);
	assert_true(status_of(o).connected);
	assert_true(status_of(o).denied);
	watcher_assert_says(status_of(o).reason, "/v1/jobs");
	server_push(o->w->server, EVENT);
	until(o, &o->lines, 1);
}

static void restart_from_lost(void **state)
{
	struct owner *o = owner_of(state);

	o->restart_on_lost = true;
	watcher_reply(o->w, PATH, LIVE, SERVER_HOLD);
	start(o, all);
	until(o, &o->connected, 1);
	server_drop(o->w->server, SERVER_CLOSE);
	until(o, &o->connected, 2);
	assert_int_equal(o->lost, 1);
}

static void free_while_it_is_restarted(void **state)
{
	struct owner *o = owner_of(state);

	watcher_reply(o->w, PATH, LIVE, SERVER_HOLD);
	watcher_reply(o->w, PATH, STREAM, SERVER_HOLD);
	start(o, all);
	until(o, &o->connected, 1);
	stream_set_restart(o->set, &o->w->options, two);
	loop_for(o->w->loop, 50);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(is_connected_when_each_has_its_stream),
		TEST(is_connected_although_one_is_refused),
		TEST(is_lost_with_the_last_one),
		TEST(makes_before_it_breaks),
		TEST(the_newest_restart_counts),
		TEST(a_restart_that_is_refused_leaves_the_old_one),
		TEST(restart_from_lost),
		TEST(free_while_it_is_restarted),
	};

	/* As the program does. */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
