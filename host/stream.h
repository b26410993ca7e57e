/* stream: the long request to /v1/event/stream: subscribes, watches the heartbeat, reconnects.
 *
 * States (STREAM_*): IDLE → SUBSCRIBING → LIVE → (an end) → WAITING → SUBSCRIBING …
 *   SUBSCRIBING  the request is out; the first frame has 10 s, else PROBING
 *   PROBING      asks for lists with the same token and namespace, to learn why there is silence
 *                (since 1.11.2 Nomad hides a refusal behind a 200), or whether a token that is
 *                refused the stream may list; then WAITING, or POLLING where lists are answered:
 *                at once after a refusal, the second time after silence
 *   LIVE         frames come; 75 s without a byte end it
 *   WAITING      backoff with full jitter, 1 s to 30 s
 *   POLLING      no stream can be had here (HTTP/0.0, broker disabled, refused, held back by a
 *                proxy): the owner lists instead; a stream is tried again every 5 minutes
 * The transitions are one table in stream.c. All callbacks run outside libcurl except `line`,
 * which may only take the bytes; the others may free the stream. */
#ifndef STREAM_H
#define STREAM_H

#include "api.h"

struct stream;

enum stream_state {
	STREAM_IDLE,
	STREAM_SUBSCRIBING,
	STREAM_PROBING,
	STREAM_LIVE,
	STREAM_WAITING,
	STREAM_POLLING
};

struct stream_callbacks {
	/* The first frame has come (live), or there is no stream and lists have to do (!live).
	 * Each call means that events may have been lost before it: list. epoch counts these
	 * calls from 1. */
	void (*connected)(uint64_t epoch, bool live, void *user);
	/* What the last `connected` said is over; it is tried again without anybody's doing. */
	void (*lost)(const char *reason, void *user);
	/* There was none, and there is none after another try; NULL: who cares. */
	void (*failed)(const char *reason, void *user);
	/* A line that is not a heartbeat. Inside libcurl: take the bytes, do nothing else. */
	void (*line)(const char *line, size_t len, void *user);
	/* Lines have been given since the last call, or a frame came: outside libcurl. */
	void (*wake)(void *user);
	/* Has the owner enough to do for now? Then the stream is read at its pace (stream_pace); NULL: never. */
	bool (*full)(void *user);
};

struct stream_options {
	const char *const *topics;	  /* "Job", "Evaluation": NULL terminated, copied */
	const char *ns;			  /* "*" or one namespace, copied */
	size_t line_max;		  /* bytes */
	double first_frame;		  /* seconds; 0: 10 */
	double idle;			  /* seconds; 0: 75 */
	double backoff_base, backoff_max; /* seconds; 0: 1 and 30 */
	double live_reset; /* seconds of LIVE that make the backoff begin anew; 0: 60 */
	double poll_retry; /* seconds of POLLING; 0: 300 */
};

struct stream_status {
	enum stream_state state;
	uint64_t epoch, lines, bytes, reconnects, last_index;
	double last_frame; /* seconds since, < 0: none yet */
	int local_port;
	bool rights;	    /* POLLING because, it seems, the token may not have this stream */
	const char *reason; /* of the last end; "" */
	bool connected;	    /* live, or lists have to do for now */
	bool denied;	    /* the token was refused last, and nothing has come since */
};

struct stream *stream_new(uv_loop_t *loop, struct api *api, struct log *log,
	const struct stream_options *o, const struct stream_callbacks *cb, void *user);
void stream_start(struct stream *s);
void stream_status(const struct stream *s, struct stream_status *out);
const char *stream_state_name(enum stream_state state);
/* Stops and frees, without a callback; before api_free. The loop has to run until its handles
 * are closed. */
void stream_free(struct stream *s);

#endif
