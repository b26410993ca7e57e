/* stream_pace: while its owner has enough to do a stream is read at 64 KiB a millisecond, no faster, and to its end. */
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

#include "mem.h"
#include "support/loop.h"
#include "support/watcher.h"

enum { LINES = 16384, LINE = 512, BYTES_PER_MS = 65536 };

/* LIVE, and so many lines of so many bytes. */
static char *long_stream(void)
{
	size_t head = strlen(LIVE);
	char *text = xmalloc(head + (size_t)LINES * LINE + 1), *at = text + head;

	memcpy(text, LIVE, head);
	for (int i = 0; i < LINES; i++, at += LINE) {
		memset(at, ' ', LINE);
		memcpy(at, "{\"Index\":7,\"Events\":[]", 22);
		at[LINE - 2] = '}';
		at[LINE - 1] = '\n';
	}
	*at = '\0';
	return text;
}

static bool has_all(void *user)
{
	return ((struct watcher *)user)->lines == LINES;
}

static double read_all(struct watcher *w, bool full)
{
	char *text = long_stream();
	uint64_t begin;
	double ms;

	w->full = full;
	watcher_reply(w, "/v1/event/stream", text, SERVER_HOLD);
	begin = uv_hrtime();
	watcher_start(w);
	loop_until(w->loop, "all lines", has_all, w);
	ms = (double)(uv_hrtime() - begin) / 1e6;
	assert_int_equal(w->connected, 1);
	assert_int_equal(w->lost, 0);
	stream_free(w->stream);
	w->stream = NULL;
	loop_for(w->loop, 10);
	server_free(w->server);
	w->server = server_new(w->loop);
	free(text);
	return ms;
}

static void an_owner_that_has_enough_gets_the_rest_at_a_pace(void **state)
{
	double ms = read_all(*state, true);

	/* The last piece that was read may be one buffer ahead. */
	if (ms < (double)LINES * LINE / BYTES_PER_MS - 4)
		fail_msg("8 MiB came in %.0f ms", ms);
}

static void the_pace_counts_from_when_the_owner_has_enough(void **state)
{
	struct watcher *w = *state;
	char *text = long_stream();
	uint64_t begin;
	double ms;

	watcher_reply(w, "/v1/event/stream", LIVE, SERVER_HOLD);
	watcher_start(w);
	watcher_until_connected(w, 1);
	loop_for(w->loop, 200); /* at the pace, all of it could come in this time */
	w->full = true;
	begin = uv_hrtime();
	server_push(w->server, text + strlen(LIVE));
	loop_until(w->loop, "all lines", has_all, w);
	ms = (double)(uv_hrtime() - begin) / 1e6;
	if (ms < (double)LINES * LINE / BYTES_PER_MS - 4)
		fail_msg("8 MiB came in %.0f ms", ms);
	free(text);
}

static void a_stream_that_is_held_can_be_freed(void **state)
{
	struct watcher *w = *state;
	char *text = long_stream();

	w->full = true;
	watcher_reply(w, "/v1/event/stream", text, SERVER_HOLD);
	watcher_start(w);
	watcher_until_connected(w, 1);
	assert_true(w->lines < LINES);
	stream_free(w->stream);
	w->stream = NULL;
	loop_for(w->loop, 20);
	server_free(w->server);
	w->server = server_new(w->loop);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_owner_that_has_enough_gets_the_rest_at_a_pace,
			watcher_setup, watcher_teardown),
		cmocka_unit_test_setup_teardown(the_pace_counts_from_when_the_owner_has_enough,
			watcher_setup, watcher_teardown),
		cmocka_unit_test_setup_teardown(
			a_stream_that_is_held_can_be_freed, watcher_setup, watcher_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
