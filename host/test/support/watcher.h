/* watcher: an owner of a stream, on a scripted server: what it was told, and the answers that
 * streams get. */
#ifndef WATCHER_H
#define WATCHER_H

#include "server.h"
#include "stream.h"

/* As Nomad since 1.11.2 answers: no length, the body ends with the connection. */
#define STREAM "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n\r\n"
#define LIVE STREAM "{}\n"
#define PLAIN(status, text)                                                                        \
	"HTTP/1.1 " status "\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\n" text

enum { WATCHER_REASONS_MAX = 16 };

struct watcher {
	uv_loop_t *loop;
	FILE *log_file;
	struct log *log;
	struct config config;
	struct api *api;
	struct server *server;
	struct stream *stream;
	struct stream_options
		options; /* long patience, short backoff; a test makes short what it waits for */

	unsigned connected, lost, wakes, lines;
	uint64_t epoch;
	bool live;
	char *last_line;
	char *reasons[WATCHER_REASONS_MAX];
	bool free_on_connect, free_on_lost, free_on_wake;
	bool full;	  /* what is said when the stream asks */
	bool inside_call; /* of the stream's: nothing may be told now */
};

/* For cmocka_unit_test_setup_teardown; *state is the watcher. */
int watcher_setup(void **state);
int watcher_teardown(void **state);

void watcher_reply(struct watcher *w, const char *path, const char *bytes, enum server_end end);
void watcher_start(struct watcher *w);
/* Waits for that many calls of connected, of lost. */
void watcher_until_connected(struct watcher *w, unsigned times);
void watcher_until_lost(struct watcher *w, unsigned times);
/* Waits for the first end, whatever was told of it. */
void watcher_until_reason(struct watcher *w);
struct stream_status watcher_status(const struct watcher *w);
/* How many lines of the log hold both. */
unsigned watcher_logged(struct watcher *w, const char *level, const char *part);
void watcher_assert_says(const char *text, const char *part);

#endif
