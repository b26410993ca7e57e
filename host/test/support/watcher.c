/* watcher: an owner of a stream, on a scripted server. */
#include "watcher.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants the four above. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop.h"

static const char *const topics[] = {"Job", "Evaluation", NULL};

static void free_stream(struct watcher *w)
{
	stream_free(w->stream);
	w->stream = NULL;
}

static void on_connected(uint64_t epoch, bool live, void *user)
{
	struct watcher *w = user;

	assert_false(w->inside_call);
	w->connected++;
	w->epoch = epoch;
	w->live = live;
	if (w->free_on_connect)
		free_stream(w);
}

static void on_lost(const char *reason, void *user)
{
	struct watcher *w = user;

	assert_false(w->inside_call);
	assert_true(w->lost < WATCHER_REASONS_MAX);
	w->reasons[w->lost++] = xstrdup(reason);
	if (w->free_on_lost)
		free_stream(w);
}

static void on_line(const char *line, size_t len, void *user)
{
	struct watcher *w = user;

	w->lines++;
	free(w->last_line);
	w->last_line = xstrndup(line, len);
}

static void on_wake(void *user)
{
	struct watcher *w = user;

	w->wakes++;
	if (w->free_on_wake)
		free_stream(w);
}

static bool is_full(void *user)
{
	return ((const struct watcher *)user)->full;
}

int watcher_setup(void **state)
{
	struct watcher *w = xcalloc(1, sizeof(*w));

	w->loop = loop_new();
	w->log_file = tmpfile();
	assert_non_null(w->log_file);
	w->log = log_new(w->log_file, LOG_DEBUG, LOG_LOGFMT);
	w->server = server_new(w->loop);
	w->config.address = xstrdup(server_address(w->server));
	w->api = api_new(w->loop, &w->config, w->log);
	w->options = (struct stream_options){
		.topics = topics,
		.ns = "*",
		.line_max = 1000,
		.first_frame = 5,
		.idle = 5,
		.backoff_base = 0.01,
		.backoff_max = 0.02,
		.poll_retry = 0.05,
	};
	*state = w;
	return 0;
}

int watcher_teardown(void **state)
{
	struct watcher *w = *state;

	stream_free(w->stream);
	api_free(w->api);
	server_free(w->server);
	loop_free(w->loop);
	log_free(w->log);
	fclose(w->log_file);
	for (unsigned i = 0; i < w->lost; i++)
		free(w->reasons[i]);
	free(w->last_line);
	free(w->config.address);
	free(w);
	return 0;
}

void watcher_reply(struct watcher *w, const char *path, const char *bytes, enum server_end end)
{
	server_reply(w->server, path, (struct server_reply){.bytes = bytes, .end = end});
}

void watcher_start(struct watcher *w)
{
	static const struct stream_callbacks callbacks = {
		on_connected, on_lost, NULL, on_line, on_wake, is_full};

	w->stream = stream_new(w->loop, w->api, w->log, &w->options, &callbacks, w);
	w->inside_call = true;
	stream_start(w->stream);
	w->inside_call = false;
}

/* A count that has to be reached. */
struct goal {
	const unsigned *count;
	unsigned wanted;
};

static bool is_reached(void *user)
{
	const struct goal *goal = user;

	return *goal->count >= goal->wanted;
}

void watcher_until_connected(struct watcher *w, unsigned times)
{
	struct goal goal = {&w->connected, times};

	loop_until(w->loop, "the connection", is_reached, &goal);
	assert_int_equal(w->connected, times);
}

void watcher_until_lost(struct watcher *w, unsigned times)
{
	struct goal goal = {&w->lost, times};

	loop_until(w->loop, "the loss", is_reached, &goal);
	assert_int_equal(w->lost, times);
}

static bool has_reason(void *user)
{
	return watcher_status(user).reason[0] != '\0';
}

void watcher_until_reason(struct watcher *w)
{
	loop_until(w->loop, "a reason", has_reason, w);
}

struct stream_status watcher_status(const struct watcher *w)
{
	struct stream_status status;

	stream_status(w->stream, &status);
	return status;
}

unsigned watcher_logged(struct watcher *w, const char *level, const char *part)
{
	char line[4096];
	unsigned n = 0;

	fflush(w->log_file);
	rewind(w->log_file);
	while (fgets(line, sizeof(line), w->log_file))
		n += strstr(line, level) && strstr(line, part);
	fseek(w->log_file, 0, SEEK_END);
	return n;
}

void watcher_assert_says(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" does not say \"%s\"", text, part);
}
