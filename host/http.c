/* http: HTTP requests on the libuv loop, by libcurl's multi interface.
 *
 * What libcurl reports is noted, and done callbacks run from deliver() after it has returned.
 * What fails before anything was sent is delivered by the idle handle `kick` in the loop's next
 * turn, so that http_send never calls back. http_loop, http_easy and http_answer are its parts. */
#include "http.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "http_answer.h"
#include "http_easy.h"
#include "http_loop.h"

enum {
	CONNECTIONS_MAX =
		32,    /* open at once, idle ones included; Nomad allows 100 for one address */
	SPARE_MAX = 32 /* easy handles kept for the next requests */
};

enum request_state {
	REQUEST_RUNNING,   /* in http->running, its handle in libcurl */
	REQUEST_UNSENT,	   /* in http->unsent: failed in http_send */
	REQUEST_FINISHED,  /* in http->finished */
	REQUEST_DELIVERING /* in its done callback */
};

struct http_request {
	struct http *http;
	TAILQ_ENTRY(http_request) entry;
	enum request_state state;
	struct http_easy *easy; /* while RUNNING */
	http_data_cb *data;
	http_done_cb *done;
	void *user;
	bool rejected; /* the data callback returned false */
	bool paused;
	bool interrupted;   /* it was paused some time */
	bool resume;	    /* to be resumed by kick */
	uint64_t idle_ms;   /* 0: none */
	uint64_t last_byte; /* loop time, ms */
	struct http_result result;
};

TAILQ_HEAD(request_list, http_request);

struct http {
	uv_loop_t *loop;
	struct http_loop *transfers;
	uv_timer_t idle_timer; /* the nearest idle deadline */
	uv_idle_t kick;
	unsigned open_parts; /* of the three above; the last to close frees the struct */
	struct request_list running, unsent, finished;
	struct http_easy *spare[SPARE_MAX]; /* the last one used is the last */
	size_t spare_count;
	struct http_tls tls;
	unsigned tls_age; /* how often the certificates were changed */
	bool closing;
};

/* ---- inside libcurl ---- */

static size_t on_header(char *data, size_t size, size_t count, void *user)
{
	struct http_request *r = user;

	r->last_byte = uv_now(r->http->loop);
	http_answer_header(&r->result, data, size * count);
	return size * count;
}

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
	struct http_request *r = user;
	size_t n = size * count;

	r->last_byte = uv_now(r->http->loop);
	r->result.received += n;
	if (n == 0 || !r->data || r->data(r, data, n, r->user))
		return n;
	r->rejected = true;
	return 0;
}

/* ---- the end of a request ---- */

/* Takes the request out of libcurl; its easy handle is kept for another one, and configured as it is
 * if the request has ended as most do. */
static void detach(struct http_request *r, bool well)
{
	struct http *h = r->http;

	http_loop_remove(h->transfers, r->easy->curl);
	if (h->spare_count == SPARE_MAX || h->closing) {
		http_easy_free(r->easy);
	} else {
		if (well && !r->interrupted && r->easy->tls_age == h->tls_age)
			http_easy_end(r->easy);
		else
			http_easy_reset(r->easy);
		h->spare[h->spare_count++] = r->easy;
	}
	r->easy = NULL;
	TAILQ_REMOVE(&h->running, r, entry);
}

static struct http_easy *take_spare(struct http *h, size_t at)
{
	struct http_easy *e = h->spare[at];

	h->spare_count--;
	memmove(h->spare + at, h->spare + at + 1, (h->spare_count - at) * sizeof(*h->spare));
	return e;
}

/* Gives the request an easy handle that is configured for it: one that is so already, but for what is
 * the request's own; else the one that was not used for longest. */
static bool attach(struct http_request *r, const struct http_options *o)
{
	struct http *h = r->http;
	size_t origin = http_shape_origin(o);

	for (size_t at = h->spare_count; at > 0; at--) {
		if (http_easy_fits(h->spare[at - 1], o, origin, h->tls_age)) {
			r->easy = take_spare(h, at - 1);
			return http_easy_again(r->easy, o, origin);
		}
	}
	r->easy = h->spare_count > 0 ? take_spare(h, 0) : http_easy_new();
	return http_easy_setup(r->easy, o, origin, &h->tls, h->tls_age);
}

static void set_outcome(struct http_request *r, enum http_error error, const char *words)
{
	size_t len = error == HTTP_OK ? 0 : strnlen(words, sizeof(r->result.detail) - 1);

	r->result.error = error;
	memcpy(r->result.detail, words, len);
	r->result.detail[len] = '\0';
}

static void finish(struct http_request *r, enum http_error error, const char *words)
{
	curl_easy_getinfo(r->easy->curl, CURLINFO_RESPONSE_CODE, &r->result.status);
	set_outcome(r, error, words);
	detach(r, error == HTTP_OK);
	r->state = REQUEST_FINISHED;
	TAILQ_INSERT_TAIL(&r->http->finished, r, entry);
}

static void finish_code(struct http_request *r, CURLcode code)
{
	const char *words = r->easy->error[0] ? r->easy->error : curl_easy_strerror(code);
	enum http_error error = http_answer_error(code, words);
	char with_errno[sizeof(r->result.detail)];
	long os_errno = 0;

	if (error == HTTP_REJECTED && !r->rejected)
		error = HTTP_INTERNAL;
	if (code == CURLE_COULDNT_CONNECT)
		curl_easy_getinfo(r->easy->curl, CURLINFO_OS_ERRNO, &os_errno);
	if (os_errno > 0) {
		/* libcurl's own words do not tell a refusal from a missing route or socket. */
		snprintf(with_errno, sizeof(with_errno), "%.150s (%.90s)", words,
			strerror((int)os_errno));
		words = with_errno;
	}
	finish(r, error, words);
}

/* The request has left its list. */
static void call_done(struct http_request *r)
{
	r->state = REQUEST_DELIVERING;
	r->done(r, &r->result, r->user);
	free(r);
}

static void deliver(struct http *h)
{
	while (!TAILQ_EMPTY(&h->finished)) {
		struct http_request *r = TAILQ_FIRST(&h->finished);

		TAILQ_REMOVE(&h->finished, r, entry);
		call_done(r);
	}
}

static void on_ended(CURL *easy, CURLcode code, void *user)
{
	char *private = NULL;
	union {
		char *bytes;
		struct http_request *r;
	} p;

	(void)user;
	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
	p.bytes = private;
	finish_code(p.r, code);
}

static void on_settled(void *user)
{
	deliver(user);
}

/* ---- idle deadlines, and what waits for the next turn ---- */

static void on_idle_timer(uv_timer_t *timer)
{
	struct http *h = timer->data;
	uint64_t now = uv_now(h->loop), nearest = UINT64_MAX;
	struct http_request *next;

	for (struct http_request *r = TAILQ_FIRST(&h->running); r; r = next) {
		uint64_t deadline = r->last_byte + r->idle_ms;

		next = TAILQ_NEXT(r, entry);
		if (r->idle_ms == 0 || r->paused)
			continue;
		if (deadline <= now)
			finish(r, HTTP_IDLE, "no byte came");
		else if (deadline < nearest)
			nearest = deadline;
	}
	if (nearest != UINT64_MAX)
		uv_timer_start(&h->idle_timer, on_idle_timer, nearest - now, 0);
	deliver(h);
}

static void watch_idle(struct http_request *r)
{
	struct http *h = r->http;

	r->last_byte = uv_now(h->loop);
	if (r->idle_ms == 0)
		return;
	if (!uv_is_active((uv_handle_t *)&h->idle_timer) ||
		uv_timer_get_due_in(&h->idle_timer) > r->idle_ms)
		uv_timer_start(&h->idle_timer, on_idle_timer, r->idle_ms, 0);
}

static void resume(struct http_request *r)
{
	CURLcode code;

	r->resume = false;
	r->paused = false;
	watch_idle(r);
	code = http_loop_pause(r->http->transfers, r->easy->curl, CURLPAUSE_CONT);
	/* libcurl does not end the transfer by itself when the bytes that it held back are
	 * refused. */
	if (code != CURLE_OK)
		finish_code(r, code);
}

static void on_kick(uv_idle_t *kick)
{
	struct http *h = kick->data;
	struct http_request *unsent = TAILQ_FIRST(&h->unsent), *next;

	for (struct http_request *r = TAILQ_FIRST(&h->running); r; r = next) {
		next = TAILQ_NEXT(r, entry);
		if (r->resume)
			resume(r);
	}
	/* One in each turn, so that a caller who always tries again does not hold up the loop. */
	if (unsent) {
		TAILQ_REMOVE(&h->unsent, unsent, entry);
		unsent->state = REQUEST_FINISHED;
		TAILQ_INSERT_TAIL(&h->finished, unsent, entry);
	}
	if (TAILQ_EMPTY(&h->unsent))
		uv_idle_stop(kick);
	deliver(h);
}

/* ---- the interface ---- */

struct http *http_new(uv_loop_t *loop, const struct http_tls *tls)
{
	struct http *h = xcalloc(1, sizeof(*h));

	h->loop = loop;
	h->transfers = http_loop_new(loop, CONNECTIONS_MAX, on_ended, on_settled, h);
	uv_timer_init(loop, &h->idle_timer);
	h->idle_timer.data = h;
	uv_idle_init(loop, &h->kick);
	h->kick.data = h;
	h->open_parts = 3;
	TAILQ_INIT(&h->running);
	TAILQ_INIT(&h->unsent);
	TAILQ_INIT(&h->finished);
	http_tls_copy(&h->tls, tls);
	return h;
}

static void part_closed(void *user)
{
	struct http *h = user;

	if (--h->open_parts == 0)
		free(h);
}

static void on_handle_closed(uv_handle_t *handle)
{
	part_closed(handle->data);
}

static void cancel_all(struct request_list *list)
{
	while (!TAILQ_EMPTY(list))
		http_cancel(TAILQ_FIRST(list));
}

void http_free(struct http *h)
{
	if (!h)
		return;
	h->closing = true;
	cancel_all(&h->running);
	cancel_all(&h->unsent);
	cancel_all(&h->finished);
	while (h->spare_count > 0)
		http_easy_free(h->spare[--h->spare_count]);
	http_tls_clear(&h->tls);
	http_loop_free(h->transfers, part_closed);
	uv_close((uv_handle_t *)&h->idle_timer, on_handle_closed);
	uv_close((uv_handle_t *)&h->kick, on_handle_closed);
}

void http_set_tls(struct http *h, const struct http_tls *tls)
{
	struct http_tls old = h->tls;

	http_tls_copy(&h->tls, tls);
	http_tls_clear(&old);
	h->tls_age++;
	for (size_t i = 0; i < h->spare_count; i++)
		http_easy_reset(h->spare[i]);
}

static bool set_callbacks(struct http_request *r)
{
	CURL *c = r->easy->curl;
	int bad = 0;

	bad |= (int)curl_easy_setopt(c, CURLOPT_PRIVATE, (void *)r);
	bad |= (int)curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	bad |= (int)curl_easy_setopt(c, CURLOPT_HEADERDATA, (void *)r);
	bad |= (int)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	bad |= (int)curl_easy_setopt(c, CURLOPT_WRITEDATA, (void *)r);
	return !bad;
}

static void fail_unsent(struct http_request *r, const char *words)
{
	set_outcome(r, HTTP_INTERNAL, words);
	detach(r, false);
	r->state = REQUEST_UNSENT;
	TAILQ_INSERT_TAIL(&r->http->unsent, r, entry);
	uv_idle_start(&r->http->kick, on_kick);
}

struct http_request *http_send(struct http *h, const struct http_options *o, http_data_cb *data,
	http_done_cb *done, void *user)
{
	struct http_request *r = xcalloc(1, sizeof(*r));
	CURLMcode code;

	assert(!h->closing);
	r->http = h;
	r->data = data;
	r->done = done;
	r->user = user;
	r->result.retry_after = -1;
	r->idle_ms = o->idle_timeout > 0 ? (uint64_t)(o->idle_timeout * 1000) + 1 : 0;
	TAILQ_INSERT_TAIL(&h->running, r, entry);
	if (!attach(r, o) || !set_callbacks(r)) {
		fail_unsent(r, "libcurl refuses the request");
		return r;
	}
	code = http_loop_add(h->transfers, r->easy->curl);
	if (code != CURLM_OK)
		fail_unsent(r, curl_multi_strerror(code));
	else
		watch_idle(r);
	return r;
}

void http_cancel(struct http_request *r)
{
	switch (r->state) {
	case REQUEST_RUNNING:
		detach(r, false);
		break;
	case REQUEST_UNSENT:
		TAILQ_REMOVE(&r->http->unsent, r, entry);
		break;
	case REQUEST_FINISHED:
		TAILQ_REMOVE(&r->http->finished, r, entry);
		break;
	case REQUEST_DELIVERING:
	default:
		return; /* it dies when its callback returns */
	}
	free(r);
}

void http_pause(struct http_request *r)
{
	r->resume = false;
	if (r->state != REQUEST_RUNNING || r->paused)
		return;
	r->paused = true;
	r->interrupted = true;
	(void)http_loop_pause(r->http->transfers, r->easy->curl, CURLPAUSE_RECV);
}

void http_resume(struct http_request *r)
{
	if (r->state != REQUEST_RUNNING || !r->paused)
		return;
	r->resume = true;
	uv_idle_start(&r->http->kick, on_kick);
}

long http_status(const struct http_request *r)
{
	long status = r->result.status;

	if (r->state == REQUEST_RUNNING)
		curl_easy_getinfo(r->easy->curl, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

const char *http_content_type(const struct http_request *r)
{
	return r->result.content_type;
}

uint64_t http_nomad_index(const struct http_request *r)
{
	return r->result.nomad_index;
}

int http_local_port(const struct http_request *r)
{
	long port = 0;

	if (r->state == REQUEST_RUNNING)
		curl_easy_getinfo(r->easy->curl, CURLINFO_LOCAL_PORT, &port);
	return port > 0 ? (int)port : 0;
}
